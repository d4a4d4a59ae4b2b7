"""The ledger of private releases: what was made of which data, with how much noise. Lines are only ever added.

Each line holds the digest of its own content and that of the line before, so an edited, removed or moved line is named.
What no file can show of itself is that its end was cut off, or that all of it was written anew: keep the digest of the
last line elsewhere (a certificate does), and give it as ``head``.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.core.data import digest_of
from probatum.core.errors import BadInput

FIRST = "0" * 64  #: the digest before the first line
POISSON = "poisson"  #: the only sampler that the accountant knows
_CHAIN = ("line", "when", "previous", "digest")
_STATED = ("unit", "relation", "sampler", "q", "sigma", "T", "delta", "data_digest")


@dataclass(frozen=True)
class Release:
    """One private training, or one phase of it: what it protects, its noise, and of which data it was."""

    what: str  #: the name of what was released
    unit: str  #: whose privacy: "record", or "user:COLUMN"
    relation: str  #: "add-or-remove-one" or "replace-one"
    sampler: str  #: "poisson"
    q: float  #: expected batch over the number of units
    sigma: float  #: standard deviation of the noise over the clip
    T: int  #: batches, empty ones too
    C: float | None  #: clip of one unit's gradient; epsilon does not depend on it
    delta: float
    data_digest: str
    certificate: str | None = None  #: digest of the certificate that it comes from
    when: str = ""  #: UTC, written by `spend`


def read_ledger(path: str | Path, *, head: str | None = None) -> list[Release]:
    """Every release of a ledger, in its order. Raises `BadInput`, and names the line that does not fit.

    ``head``: a digest that was noted earlier; a ledger in which no line has it was cut or written anew.
    """
    lines = _lines(Path(path))
    if head is not None and head not in {FIRST, *(line["digest"] for line in lines)}:
        raise BadInput(f"{path}: no line has the digest {head[:12]}…; lines were cut off, or the file was written anew")
    return [_release(line, f"{path}, line {i}") for i, line in enumerate(lines, 1)]


def ledger_head(path: str | Path) -> str:
    """The digest of the last line, to be kept elsewhere. Raises `BadInput` as `read_ledger`."""
    lines = _lines(Path(path))
    return str(lines[-1]["digest"]) if lines else FIRST


def spend(path: str | Path, releases: Sequence[Release]) -> str:
    """Add releases to a ledger, which is made if there is none; return the digest of its last line.

    All are written, or none. Raises `BadInput` where a release cannot be one, or its certificate is already in.
    """
    path = Path(path)
    if not releases:
        raise BadInput("there is no release to add")
    for release in releases:
        check_release(release)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+", encoding="utf-8") as handle:
            _lock(handle)
            lines = _lines(path)
            for i, line in enumerate(lines, 1):
                if line.get("certificate") and line["certificate"] in {r.certificate for r in releases}:
                    raise BadInput(f"{path}: this certificate is already in line {i}; a release counts once")
            previous = str(lines[-1]["digest"]) if lines else FIRST
            now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            added = ""
            for number, release in enumerate(releases, len(lines) + 1):
                line = {**dataclasses.asdict(release), "line": number, "previous": previous}
                line["when"] = release.when or now
                line["digest"] = previous = _digest(line)
                added += json.dumps(line, ensure_ascii=False) + "\n"
            handle.write(added)
            handle.flush()
            os.fsync(handle.fileno())
    except OSError as error:
        raise BadInput(f"{path}: cannot be written ({error.strerror or error})") from error
    return previous


def releases_of(certificate: Mapping[str, Any], *, what: str = "", source: str = "the certificate") -> list[Release]:
    """The releases that a certificate tells of: one, or one for each phase where q, sigma and T are lists.

    Raises `BadInput` where a field is missing or cannot be.
    """
    lacking = [
        k for k in ("unit", "relation", "sampler", "q", "sigma", "T", "delta", "data_digest") if k not in certificate
    ]
    if lacking:
        raise BadInput(f"{source}: '{lacking[0]}' is missing (present: {', '.join(map(str, certificate)) or 'none'})")
    many = [certificate[k] if isinstance(certificate[k], list) else [certificate[k]] for k in ("q", "sigma", "T")]
    if len({len(values) for values in many}) > 1 or not many[0]:
        raise BadInput(f"{source}: q, sigma and T must have one value for each phase")
    own = digest_of(json.dumps(certificate, sort_keys=True, ensure_ascii=False))
    same = {k: certificate[k] for k in ("unit", "relation", "sampler", "delta", "data_digest")}
    name = what or str(certificate.get("what") or "private training")
    found = [
        Release(what=name, q=q, sigma=sigma, T=steps, C=certificate.get("C"), certificate=own, **same)
        for q, sigma, steps in zip(*many, strict=True)
    ]
    for release in found:
        check_release(release, source)
    return found


def check_release(release: Release, source: str = "the release") -> None:
    """Raises `BadInput` where a field of a release cannot be one."""
    for name in ("what", "unit", "relation", "sampler", "data_digest"):
        value = getattr(release, name)
        if not isinstance(value, str) or not value.strip():
            raise BadInput(f"{source}: '{name}' must be a text that is not empty, got {value!r}")
    if release.relation not in ("add-or-remove-one", "replace-one"):
        raise BadInput(f"{source}: relation must be add-or-remove-one or replace-one, got '{release.relation}'")
    if release.sampler != POISSON:
        raise BadInput(
            f"{source}: sampler must be '{POISSON}', got '{release.sampler}'; batches that were shuffled or of a fixed "
            "size have another epsilon"
        )
    limits = {"q": (0.0, 1.0), "sigma": (0.0, math.inf), "T": (0.0, math.inf), "delta": (0.0, 1.0)}
    limits |= {} if release.C is None else {"C": (0.0, math.inf)}
    for name, (low, high) in limits.items():
        value = getattr(release, name)
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not (number and low < value and (value < high or (name == "q" and value == high))):
            top = ", at most 1" if name == "q" else ", below 1" if name == "delta" else ""
            raise BadInput(f"{source}: {name} must be a number above 0{top}, got {value!r}")
    if not float(release.T).is_integer():
        raise BadInput(f"{source}: T must be a whole number of steps, got {release.T!r}")


def _lines(path: Path) -> list[dict[str, Any]]:
    """The lines, after their chain was followed."""
    try:
        raw = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"{path}: no such ledger; `probatum account ledger {path} add` makes one") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read ({error})") from error
    lines: list[dict[str, Any]] = []
    previous = FIRST
    for number, text in enumerate(raw.splitlines(), 1):
        try:
            line = json.loads(text)
        except ValueError:
            line = None
        if not isinstance(line, dict) or any(key not in line for key in _CHAIN):
            raise BadInput(f"{path}, line {number}: not a line of a ledger; it was edited or cut")
        if line["digest"] != _digest(line):
            raise BadInput(f"{path}, line {number}: was edited; its digest is not that of its content")
        if line["previous"] != previous or line["line"] != number:
            raise BadInput(
                f"{path}, line {number}: does not follow the line before it; line {number - 1} was edited, or lines "
                "were removed, added or moved"
                if number > 1
                else f"{path}, line 1: is not the first line that was written; lines before it were removed"
            )
        previous = line["digest"]
        lines.append(line)
    return lines


def _release(line: Mapping[str, Any], source: str) -> Release:
    names = [f.name for f in dataclasses.fields(Release)]
    if lacking := [name for name in names if name not in line]:
        raise BadInput(f"{source}: '{lacking[0]}' is missing")
    release = Release(**{name: line[name] for name in names})
    check_release(release, source)
    return release


def _digest(line: Mapping[str, Any]) -> str:
    content = {key: value for key, value in line.items() if key != "digest"}
    return digest_of(json.dumps(content, sort_keys=True, ensure_ascii=False))


def _lock(handle: Any) -> None:
    """Two trainings that end at once write one after the other; the lock ends with the file's closing."""
    try:
        import fcntl
    except ImportError:  # Windows has none; there a second writer breaks the chain, which the next reader says
        return
    fcntl.flock(handle, fcntl.LOCK_EX)
