"""The recognizer of personal data and secrets: measured hits and false alarms on generated text."""

import random
import string

import pytest
from drive import rules, scan_bytes

from probatum.scan.secrets import ACCESS, find

LETTERS, DIGITS = string.ascii_letters, string.digits


def draw(rng, alphabet, n):
    """Characters of an alphabet, with a digit among them."""
    return "".join(rng.choice(alphabet) for _ in range(n - 1)) + rng.choice(
        [c for c in alphabet if c in DIGITS] or alphabet
    )


def card(rng):
    digits = [4, *(rng.randrange(10) for _ in range(14))]
    total = sum(d if n % 2 else sum(divmod(2 * d, 10)) for n, d in enumerate(digits))
    text = "".join(map(str, [*digits, -total % 10]))
    return rng.choice([text, " ".join(text[n : n + 4] for n in range(0, 16, 4))])


def iban(rng):
    account = draw(rng, DIGITS, 18)
    text = f"DE{98 - int(account + '131400') % 97:02d}{account}"
    return rng.choice([text, " ".join(text[n : n + 4] for n in range(0, 22, 4))])


def mail(rng):
    return f"{draw(rng, string.ascii_lowercase, 6)}.{draw(rng, string.ascii_lowercase, 5)}@mail-{rng.randrange(99)}.org"


def phone(rng):
    area, rest = rng.randrange(201, 989), rng.randrange(2_010_000, 9_990_000)
    return rng.choice(
        [
            f"+49 30 {rng.randrange(1_000_000, 9_999_999)}",
            f"+1-{area}-{str(rest)[:3]}-{str(rest)[3:]}",
            f"({area}) {str(rest)[:3]}-{str(rest)[3:]}",
        ]
    )


def address(rng):
    first = rng.choice([23, 54, 93, 131, 185, 203])
    return ".".join(map(str, [first, rng.randrange(1, 250), rng.randrange(1, 250), rng.randrange(1, 250)]))


MAKERS = {
    "e-mail": mail,
    "phone": phone,
    "IBAN": iban,
    "credit card": card,
    "IP address": address,
    "private key": lambda rng: f"-----BEGIN {rng.choice(['', 'RSA ', 'EC ', 'OPENSSH '])}PRIVATE KEY-----",
    "cloud key": lambda rng: rng.choice(
        ["AKIA" + draw(rng, string.ascii_uppercase + "234567", 16), "AIza" + draw(rng, LETTERS + DIGITS, 35)]
    ),
    "token": lambda rng: rng.choice(
        [
            "hf_" + draw(rng, LETTERS + DIGITS, 34),
            "ghp_" + draw(rng, LETTERS + DIGITS, 36),
            "glpat-" + draw(rng, LETTERS + DIGITS, 20),
            "sk-proj-" + draw(rng, LETTERS + DIGITS, 48),
        ]
    ),
    "password in an address": lambda rng: f"postgres://app:{draw(rng, LETTERS + DIGITS, 12)}@db.internal.net",
}


def wilson(hits, n, z=1.96):
    """95 % interval of a share."""
    p = hits / n
    middle, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


@pytest.mark.parametrize("kind", MAKERS)
def test_hit_rate(kind):
    rng, n, hits = random.Random(kind), 500, 0
    for _ in range(n):
        value = MAKERS[kind](rng)
        before = rng.choice(["", "see ", "value: ", "caf\xe9\t", "("])
        found = find(before + value + rng.choice(["", ".", ", ok", "\n", ")"]))
        hits += (kind, len(before), len(before) + len(value)) in found
    assert wilson(hits, n)[0] > 0.97, f"{kind}: {hits} of {n}"


def noise(rng):
    """Lines of model directories that look like secrets and are none."""
    hexa, base = "0123456789abcdef", LETTERS + DIGITS + "+/"
    return rng.choice(
        [
            draw(rng, hexa, 64),
            draw(rng, hexa, 40),
            draw(rng, base, 60),
            f"v{rng.randrange(9)}.{rng.randrange(99)}.0.1",
            f"{rng.random()}, {rng.random()}",
            f"{rng.getrandbits(60)}",
            f"2024-0{rng.randrange(1, 9)}-11T10:11:12.{rng.randrange(10**6)}Z",
            f"version 12.{rng.randrange(99)}.3.4",
            "AKIAIOSFODNN7EXAMPLE",
            "hf_" + "x" * 34,
            "sk-" + "your" * 10,
            "user@example.com",
            "git@github.com:a/b.git",
            "icon@2x.png",
            "https://user:password@host",
            "127.0.0.1:8080 192.168.0.1 10.0.0.1",
            f"{rng.getrandbits(64):020d}",
            f"loss 0.{rng.randrange(10**9)} step {rng.randrange(10**6)}",
            "@property @staticmethod",
            f"arXiv:{rng.randrange(1000, 2500)}.{rng.randrange(10000, 99999)}",
            f"doi 10.1145/{rng.randrange(10**7)}.{rng.randrange(10**7)}",
            f"ISBN 978-{rng.randrange(10)}-{rng.randrange(100, 999)}-{rng.randrange(10000, 99999)}-1",
            "-----BEGIN PUBLIC KEY-----",
            f"[{', '.join(str(rng.randrange(50000)) for _ in range(12))}]",
            f"{rng.randrange(10**4)}x{rng.randrange(10**4)} -> 1,000,000",
            "def f(a, b): return a @ b.T",
            f"id-{draw(rng, hexa, 8)}-{draw(rng, hexa, 4)}-{draw(rng, hexa, 12)}",
            " ".join(draw(rng, string.ascii_lowercase, rng.randrange(2, 9)) for _ in range(12)),
        ]
    )


def test_false_alarm_rate():
    rng, n = random.Random(7), 5000
    alarms = [line for line in (noise(rng) for _ in range(n)) if find(line)]
    assert wilson(len(alarms), n)[1] < 0.005, (len(alarms), alarms[:5])


def test_checksums_decide():
    rng = random.Random(8)
    for make, kind in ((card, "credit card"), (iban, "IBAN")):
        value = make(rng).replace(" ", "")
        wrong = value[:-1] + str((int(value[-1]) + 1) % 10)
        assert [p[0] for p in find(value)] == [kind]
        assert kind not in [p[0] for p in find(wrong)]


def test_messages_never_hold_the_value():
    rng = random.Random(9)
    for kind, make in MAKERS.items():
        value = make(rng)
        result = scan_bytes(f"notes\n{value}\n".encode(), "README.md")
        assert rules(result) == {"SEC001" if kind in ACCESS else "SEC002"}
        assert result.verdict == "proved inert"
        assert all(value not in f.message and f.offset == 6 for f in result.findings)


def test_json_and_code_are_searched():
    key = "hf_" + draw(random.Random(1), LETTERS + DIGITS, 34)
    assert "SEC001" in rules(scan_bytes(f'{{"token": "{key}"}}'.encode(), "config.json"))
    assert "SEC001" in rules(scan_bytes(f"TOKEN = '{key}'\n".encode(), "a.py"))


@pytest.mark.parametrize(
    "unit", ["a@", "1 ", "+1", "eyJa.", "A", "-----BEGIN ", "x://a:", "(1", "1.1.", "hf_", " ", "\u00e9@a."]
)
def test_long_repetitions_take_no_time(unit):
    import time

    start = time.process_time()
    find(unit * (200_000 // len(unit)))
    assert time.process_time() - start < 5
