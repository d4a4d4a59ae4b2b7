"""Personal data and secrets in text (P085): one recognizer for the scanner and for audits.

``find(text)`` gives places, never values. Kinds with a checksum (IBAN, cards) are checked; keys and tokens need the
documented prefix, length and enough different characters, so that examples like ``AKIAXXXXXXXXXXXXXXXX`` are quiet.
Phone numbers need a plus and a country code, or the North American form with brackets or separators.
"""

from __future__ import annotations

import re

from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from probatum.scan.context import Context
    from probatum.scan.source import Source

    #: (kind, start, end): a place in the text, in characters.
    Place: TypeAlias = tuple[str, int, int]

#: Kinds that give access to something; the other kinds are personal data.
ACCESS = frozenset({"private key", "cloud key", "token", "password in an address"})
#: Longest text that the scanner searches, in bytes.
LARGEST = 16 << 20

_EMAIL = re.compile(
    r"(?<![\w.+%-])\w[\w.+%-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![\w@-])"
)
_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_LOGIN = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"<>{}$\[\]]{1,64}:(?P<value>[^\s:/@'\"<>{}$\[\]]{3,128})@[\w-]+(?:\.[\w-]+){0,8}"
)
#: Documented shapes of keys: kind and pattern; the group ``value`` is judged by its characters.
_TOKENS: tuple[tuple[str, str, str], ...] = (
    ("cloud key", "AKIA", r"(?<![A-Za-z0-9])AKIA(?P<value>[A-Z2-7]{16})(?![A-Za-z0-9])"),
    ("cloud key", "ASIA", r"(?<![A-Za-z0-9])ASIA(?P<value>[A-Z2-7]{16})(?![A-Za-z0-9])"),
    ("cloud key", "AIza", r"(?<![\w-])AIza(?P<value>[\w-]{35})(?![\w-])"),
    ("cloud key", "AccountKey=", r"AccountKey=(?P<value>[A-Za-z0-9+/]{86}==)"),
    ("token", "hf_", r"(?<![A-Za-z0-9_])hf_(?P<value>[A-Za-z0-9]{34,40})(?![A-Za-z0-9])"),
    ("token", "gh", r"(?<![A-Za-z0-9_])gh[pousr]_(?P<value>[A-Za-z0-9]{36,251})(?![A-Za-z0-9])"),
    ("token", "github_pat_", r"(?<!\w)github_pat_(?P<value>[A-Za-z0-9]{22}_[A-Za-z0-9]{59})(?!\w)"),
    ("token", "glpat-", r"(?<![\w-])glpat-(?P<value>[\w-]{20,})(?![\w-])"),
    ("token", "xox", r"(?<![\w-])xox[abeoprs]-(?P<value>[A-Za-z0-9-]{10,200})"),
    ("token", "hooks.slack.com", r"hooks\.slack\.com/services/(?P<value>T\w{8,12}/B\w{8,12}/\w{20,28})"),
    ("token", "sk_live_", r"(?<!\w)[sr]k_live_(?P<value>[A-Za-z0-9]{24,99})"),
    ("token", "sk-", r"(?<![\w-])sk-(?:proj-|svcacct-|ant-api\d\d-|ant-)?(?P<value>[A-Za-z0-9_-]{32,200})(?![\w-])"),
    ("token", "pypi-", r"(?<![\w-])pypi-(?P<value>AgEIcHlwaS5vcmc[\w-]{50,})"),
    ("token", "npm_", r"(?<!\w)npm_(?P<value>[A-Za-z0-9]{36})(?!\w)"),
    ("token", "SG.", r"(?<![\w.])SG\.(?P<value>[\w-]{22}\.[\w-]{43})(?![\w-])"),
    ("token", "eyJ", r"(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.(?P<value>[\w-]{20,})"),
)  # fmt: skip
_PATTERNS: dict[str, re.Pattern[str]] = {}
_NUMBER = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){12,18}(?![\w-]|[.,]\d)")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![A-Za-z0-9])")
_PHONE = re.compile(
    r"(?<![\w+.-])(?:\+[1-9]\d{0,2}[ .-]?(?:\(0?\)[ .-]?)?(?:\(?\d{1,4}\)?[ .-]?){2,5}\d{2,4}"
    r"|\([2-9]\d{2}\) ?[2-9]\d{2}[ .-]\d{4}|[2-9]\d{2}([.-])[2-9]\d{2}\1\d{4})(?![\w-]|[.,]\d)"
)
_IP = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w-]|\.\d)")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(?![\w:])")
#: What looks like an address and ends like a file, or in a name that is reserved.
_NO_ENDS = words("png jpg jpeg gif svg webp py json js html md txt local invalid localhost")
_VERSION = re.compile(r"(?:version|release|ver|v|[=<>~^]=?|build|section|§)\s*[:=]?\s*$", re.IGNORECASE)
#: Length of an IBAN by country (ISO 13616 registry).
_IBAN_LENGTH = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "CH": 21,
    "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18,
    "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23,
    "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28,
    "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24,
    "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip


def find(text: str) -> list[Place]:
    """Places of personal data and secrets.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    list of (kind, start, end), in the order of the text; kinds: e-mail, phone, IBAN, credit card, IP address,
    private key, cloud key, token, password in an address. Places do not overlap; the first kind of this order stands.
    """
    found: list[Place] = []
    if "-----BEGIN " in text:
        found += [("private key", m.start(), m.end()) for m in _KEY.finditer(text)]
    for kind, prefix, shape in _TOKENS:
        if prefix in text:
            found += [(kind, m.start(), m.end()) for m in _pattern(shape, prefix).finditer(text) if _random(m["value"])]
    if "@" in text:
        if "://" in text:
            found += [
                ("password in an address", m.start(), m.end()) for m in _LOGIN.finditer(text)
                if m["value"].lower() not in ("password", "pass", "token", "secret", "xxx", "pwd", "***")
            ]  # fmt: skip
        found += [("e-mail", m.start(), m.end()) for m in _EMAIL.finditer(text) if _mail(m.group())]
    for kind, pattern, good in _CHECKED:
        found += [(kind, m.start(), m.end()) for m in pattern.finditer(text) if good(m)]
    return _apart(found)


def _apart(found: list[Place]) -> list[Place]:
    """Without overlaps: of two, the one that was found first stands."""
    taken: list[Place] = []
    for _, place in sorted(enumerate(found), key=lambda p: (p[1][1], p[0])):
        if not taken or place[1] >= taken[-1][2]:
            taken.append(place)
    return taken


def _pattern(shape: str, prefix: str) -> re.Pattern[str]:
    """The compiled pattern. What must not stand in front is asked behind the prefix: a literal is found much faster."""
    if shape not in _PATTERNS:
        before, _, rest = shape.partition(")")
        written = re.escape(prefix)
        if before.startswith("(?<!") and rest.startswith(written):
            shape_now = f"{written}{before}{written}){rest[len(written) :]}"
        else:
            shape_now = shape
        _PATTERNS[shape] = re.compile(shape_now)
    return _PATTERNS[shape]


def _random(value: str) -> bool:
    """Does a key look drawn at random? Many different characters, no word like "example", not letters only."""
    low = value.lower()
    if any(word in low for word in ("example", "xxxx", "your", "0123456789", "abcdefgh", "placeholder", "123456789")):
        return False
    if len(value) >= 30 and not any(c.isdigit() for c in value):
        return False
    return len(set(value)) >= min(len(value) * 0.4, 12)


def _mail(address: str) -> bool:
    """Not an example, not a path such as ``git@github.com`` and not the name of a picture (``icon@2x.png``)."""
    name, _, domain = address.lower().rpartition("@")
    ends = domain.rpartition(".")[2]
    if ends in _NO_ENDS:
        return False
    example = domain.split(".")[-2] in ("example", "test", "domain", "yourdomain", "xxx") or ends in ("example", "test")
    return not example and name not in ("git", "hg", "noreply", "no-reply")


def _card(match: re.Match[str]) -> bool:
    """Length and first digits of a card, the check digit of Luhn, and not one digit over and over."""
    digits = [int(c) for c in match.group() if c.isdigit()]
    text = "".join(map(str, digits))
    size, two, four = len(text), int(text[:2]), int(text[:4])
    brand = (
        (text[0] == "4" and size in (13, 16, 19)) or (size == 16 and (51 <= two <= 55 or 2221 <= four <= 2720))
        or (size == 15 and two in (34, 37)) or (size in (16, 19) and (four == 6011 or two in (62, 65)))
        or (size == 14 and (two in (36, 38) or 300 <= int(text[:3]) <= 305)) or (size == 16 and 3528 <= four <= 3589)
    )  # fmt: skip
    if not brand or len(set(text)) < 4:
        return False
    return sum(d if n % 2 == 0 else sum(divmod(2 * d, 10)) for n, d in enumerate(reversed(digits))) % 10 == 0


def _iban(match: re.Match[str]) -> bool:
    """The length of the country, and 97 divides the number with one left (ISO 7064)."""
    text = match.group().replace(" ", "")
    if _IBAN_LENGTH.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(c, 36)) for c in text[4:] + text[:4])) % 97 == 1


def _phone(match: re.Match[str]) -> bool:
    """Seven to fifteen digits (E.164), and not all alike; the reserved 555-01xx is an example."""
    digits = re.sub(r"\D", "", match.group())
    return 8 <= len(digits) <= 15 and len(set(digits)) > 3 and not re.search(r"55501\d\d$", digits)


def _address(match: re.Match[str]) -> bool:
    """Not a version, not a mask, loopback, private or documentation range."""
    if _VERSION.search(match.string, max(0, match.start() - 12), match.start()):
        return False
    a, b, c, _ = (int(p) for p in match.group().split("."))
    if a in (0, 10, 127, 255) or a >= 224 or (a, b) in ((192, 168), (169, 254)) or (a == 172 and 16 <= b < 32):
        return False
    if any(len(p) > 1 and p[0] == "0" for p in match.group().split(".")):
        return False
    documented = (a, b, c) in ((192, 0, 2), (198, 51, 100), (203, 0, 113))
    return not documented and (a > 9 or (a, b) in ((8, 8), (1, 1), (9, 9)))


def _long_address(match: re.Match[str]) -> bool:
    return not match.group().lower().startswith(("2001:db8", "2001:0db8", "fe80", "fc", "fd", "0:0:0"))


_CHECKED: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], bool]], ...] = (
    ("IBAN", _IBAN, _iban),
    ("credit card", _NUMBER, _card),
    ("phone", _PHONE, _phone),
    ("IP address", _IP, _address),
    ("IP address", _IP6, _long_address),
)


def report(source: Source, context: Context) -> None:
    """One finding for each kind in a text: how many, and where the first one is. Values are never shown."""
    text = source.read(0, min(source.size, LARGEST)).decode("utf-8", "ignore")
    context.budget.spend_steps(len(text))
    places = find(text)
    for kind in dict.fromkeys(p[0] for p in places):
        of = [p for p in places if p[0] == kind]
        at = of[0][1] if text.isascii() else len(text[: of[0][1]].encode())
        count = f"{len(of)} places" if len(of) > 1 else "one place"
        context.report("SEC001" if kind in ACCESS else "SEC002", f"{kind}: {count}", source, offset=at)
    if source.size > LARGEST:
        context.report("SEC003", f"only the first {LARGEST:,} bytes were searched for secrets", source)
