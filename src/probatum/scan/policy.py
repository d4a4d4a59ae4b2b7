"""A policy: what this intake accepts although the scanner does not call it inert, and what it insists on.

name = "intake"

[[allow]]                              # each one stands for a decision of yours, so it has a reason
path = "scalers/*.pkl"                 # "*" also crosses folders; without it, every file
verdict = "executes unknown code"      # or rules = ["PKL001", "PKL002"]
sha256 = ["9f86d081…"]                 # only these very files; without it, whatever lies there
reason = "our own scalers, read on 2 May"

[require]
files = ["README.md", "LICENSE*"]      # each must be there
formats = ["safetensors", "json", "text"]   # nothing else may be

What is dangerous cannot be allowed. Every relaxation is named in the output.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from probatum.scan.finding import DANGEROUS, INERT, NOT_COVERED, UNKNOWN_CODE, quote, worst
from probatum.scan.rules import RULES
from probatum.scan.tree import BadPath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from probatum.scan.exports.places import Places
    from probatum.scan.finding import FileResult, Finding, Result

RELAXABLE = (UNKNOWN_CODE, NOT_COVERED)


class BadPolicy(BadPath):
    """A policy that cannot be applied as it is written; ``args[0]`` is the sentence."""


class Allow:
    """One relaxation. ``number`` counts from 1, in the order of the file."""

    __slots__ = ("number", "path", "reason", "rules", "sha256", "verdict")

    def __init__(
        self, number: int, reason: str, path: str = "*", verdict: str = "", rules: tuple[str, ...] = (),
        sha256: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.number, self.reason, self.path, self.verdict = number, reason, path, verdict
        self.rules, self.sha256 = rules, sha256

    def fits(self, path: str, digest: str, finding: Finding) -> bool:
        """``path`` is relative to what was scanned; ``digest`` is "" where the file was not hashed."""
        if finding.verdict not in RELAXABLE or not fnmatchcase(path, self.path):
            return False
        if self.sha256 and digest not in self.sha256:
            return False
        return finding.rule in self.rules or finding.verdict == self.verdict


class Policy:
    """What `read` gives. ``hashes``: must the files be hashed to apply it?"""

    __slots__ = ("allow", "files", "formats", "name")

    def __init__(
        self, name: str, allow: tuple[Allow, ...] = (), files: tuple[str, ...] = (), formats: tuple[str, ...] = ()
    ) -> None:
        self.name, self.allow, self.files, self.formats = name, allow, files, formats

    @property
    def hashes(self) -> bool:
        return any(a.sha256 for a in self.allow)


class Judged:
    """A result under a policy: ``relaxed`` are (file, finding, allow), ``failed`` sentences, ``unused`` sentences."""

    __slots__ = ("_allowed", "failed", "name", "relaxed", "result", "unused")

    def __init__(self, policy: Policy, result: Result, places: Places, digests: Mapping[str, str]) -> None:
        self.name, self.result = policy.name, result
        self.relaxed: list[tuple[FileResult, Finding, Allow]] = []
        for file in result.files:
            below, digest = places.below(file.path), digests.get(file.path, "")
            for finding in file.findings:
                allow = next((a for a in policy.allow if a.fits(below, digest, finding)), None)
                if allow is not None:
                    self.relaxed.append((file, finding, allow))
        self._allowed = {id(finding): allow for _, finding, allow in self.relaxed}
        used = {allow.number for _, _, allow in self.relaxed}
        self.unused = [f"relaxation {a.number} ({a.reason}) fits nothing" for a in policy.allow if a.number not in used]
        self.failed = list(_missing(policy, result, places))

    def allows(self, finding: Finding) -> Allow | None:
        """The relaxation that lets this finding pass."""
        return self._allowed.get(id(finding))

    def verdict(self, file: FileResult) -> str:
        """The worst of what was not relaxed."""
        return worst(f.verdict for f in file.findings if self.allows(f) is None)

    @property
    def passed(self) -> bool:
        return not self.failed and all(self.verdict(file) == INERT for file in self.result.files)

    def to_json(self) -> dict[str, Any]:
        from probatum.scan.finding import printable

        return {
            "name": self.name,
            "passed": self.passed,
            "relaxed": [
                {
                    "path": printable(file.path),
                    "rule": finding.rule,
                    "verdict": finding.verdict,
                    "member": printable(finding.member),
                    "message": finding.message,
                    "relaxation": allow.number,
                    "reason": allow.reason,
                }
                for file, finding, allow in self.relaxed
            ],
            "failed": self.failed,
            "unused": self.unused,
        }

    def lines(self) -> Iterator[str]:
        """For a terminal: the outcome, then everything that was relaxed, then what is missing or fits nothing."""
        from probatum.scan.finding import printable

        yield f"policy {quote(self.name)}: {'within' if self.passed else 'over'}"
        for file, finding, allow in self.relaxed:
            what = f"{printable(file.path)}  {finding.rule} {finding.verdict}: {finding.message}"
            yield f"    relaxed: {what}  [{allow.reason}]"
        for sentence in self.failed:
            yield f"    required: {sentence}"
        for sentence in self.unused:
            yield f"    unused: {sentence}"


def _missing(policy: Policy, result: Result, places: Places) -> Iterator[str]:
    """What is required and not there. A link that leads out, a folder or a pipe is no file that is there."""
    there = [places.below(f.path) for f in result.files if f.format not in ("directory", "special file", "link")]
    for pattern in policy.files:
        if not any(fnmatchcase(path, pattern) for path in there):
            yield f"no file fits {quote(pattern)}"
    if policy.formats:
        for file in result.files:
            if file.format not in policy.formats and not file.format.startswith(("directory", "link", "empty")):
                yield f"{quote(places.below(file.path))} is {file.format}, which is not among the formats allowed"


def read(path: str) -> Policy:
    """From a TOML file. Raises `BadPolicy` with the fault."""
    import os
    import tomllib

    try:
        with open(path, "rb") as file:
            raw = tomllib.load(file)
    except OSError as error:
        raise BadPolicy(f"cannot read the policy {quote(path)}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPolicy(f"{quote(path)} is not a TOML file ({quote(str(error))})") from None
    try:
        stem = os.path.splitext(os.path.basename(path))[0]
        _keys(raw, ("name", "allow", "require"), "a policy")
        require, allow = raw.get("require", {}), raw.get("allow", [])
        if not isinstance(require, dict):
            raise BadPolicy("expected [require] as one table")
        if not isinstance(allow, list) or not all(isinstance(a, dict) for a in allow):
            raise BadPolicy("expected every relaxation as a table of its own: [[allow]]")
        _keys(require, ("files", "formats"), "[require]")
        entries = tuple(_allow(n, a) for n, a in enumerate(allow, 1))
        files, formats = _texts(require, "files"), _texts(require, "formats")
        return Policy(_text(raw, "name") or stem, entries, files, formats)
    except BadPolicy as bad:
        raise BadPolicy(f"{quote(path)}: {bad.args[0]}") from None


def _allow(number: int, raw: dict[str, Any]) -> Allow:
    _keys(raw, ("path", "verdict", "rules", "sha256", "reason"), "a relaxation")
    which, verdict, rules = f"relaxation {number}", _text(raw, "verdict"), _texts(raw, "rules")
    if not _text(raw, "reason").strip():
        raise BadPolicy(f'{which} has no reason; write reason = "…"')
    if bool(verdict) == bool(rules):
        raise BadPolicy(f'{which} names either rules = ["PKL001"] or verdict = "executes unknown code"')
    if verdict and verdict not in RELAXABLE:
        raise BadPolicy(f"{which}: the verdict {quote(verdict)} cannot be relaxed, only {' and '.join(RELAXABLE)}")
    for rule in rules:
        if rule not in RULES:
            raise BadPolicy(f"{which}: no rule is called {quote(rule)}")
        if RULES[rule].verdict == DANGEROUS:
            raise BadPolicy(f"{which}: {rule} is dangerous, which no policy can relax")
        if RULES[rule].verdict == INERT:
            raise BadPolicy(f"{which}: {rule} is a note, which needs no relaxing")
    digests = tuple(d.lower() for d in _texts(raw, "sha256"))
    if any(len(d) != 64 or not set(d) <= set("0123456789abcdef") for d in digests):
        raise BadPolicy(f"{which}: a sha256 has 64 hexadecimal digits")
    from probatum.scan.finding import printable

    path = _text(raw, "path") or "*"
    return Allow(number, printable(_text(raw, "reason").strip()), path, verdict, rules, digests)


def _keys(raw: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in raw:
        if key not in known:
            raise BadPolicy(f"{where} has no key {quote(key)}; it has {', '.join(known)}")


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key, "")
    if not isinstance(value, str):
        raise BadPolicy(f"{key} must be a text")
    return value


def _texts(raw: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts; one text stands for a list of one. An empty list would allow or require nothing, so: a fault."""
    value = raw.get(key)
    if value is None:
        return ()
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not value or not all(isinstance(v, str) and v for v in value):
        raise BadPolicy(f"{key} must be a list of texts, at least one")
    return tuple(value)
