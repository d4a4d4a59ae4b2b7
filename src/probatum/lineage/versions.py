"""Which version number a change deserves, and which changes nobody was told of.

The rule follows Ajibode et al. (P110, arXiv 2409.10472), who found 41 % of the changes of weights neither in a model's
name nor in its card: a new major version for what breaks a user (inputs, outputs, tokenizer, architecture, a license
that asks for more), a minor one for weights, a patch for the rest.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from probatum.lineage.documents import Change, _text
from probatum.lineage.licenses import duties, license_of
from probatum.lineage.model import front_matter

#: Areas whose change breaks a user.
BREAKING = ("architecture", "input and output", "tokenizer", "chat template")


class Version(NamedTuple):
    """The part of a version number that should grow, and why."""

    level: str  #: MAJOR, MINOR, PATCH, or "" where nothing differs
    reasons: tuple[str, ...]


def version(changes: list[Change], weights: str, a: Path, b: Path) -> Version:
    """P110's rule; ``weights``: equal, changed, unrelated, structure (other tensors) or unread."""
    areas = [area for area in BREAKING if any(c.area == area for c in changes)]
    reasons = [f"{area} changed" for area in areas]
    if weights == "structure":
        reasons.append("tensors were added, removed or reshaped")
    if said := _license(a, b):
        reasons.append(said)
    if reasons:
        return Version("MAJOR", tuple(reasons))
    if weights != "equal":
        why = {
            "changed": "weights changed",
            "unrelated": "weights changed; by their numbers this is another model, not another version",
            "unread": "weights could not be compared, so they count as changed",
        }
        return Version("MINOR", (why[weights],))
    rest = sorted({c.area for c in changes})
    return Version("PATCH", (f"only {', '.join(rest)} changed",)) if rest else Version("", ("nothing differs",))


def silent(changes: list[Change], weights: str, a: Path, b: Path) -> tuple[str, ...]:
    """What changed while neither the model's name nor its card did."""
    if _text(a / "README.md") != _text(b / "README.md") or name_of(a) != name_of(b):
        return ()
    found = ["weights"] if weights in ("changed", "unrelated", "structure") else []
    return tuple(found + [area for area in BREAKING if any(c.area == area for c in changes)])


def name_of(folder: Path) -> str:
    """What a card calls its model (its first heading), else the directory's name."""
    found = re.search(r"^#\s+(.+)$", _text(folder / "README.md"), re.MULTILINE)
    return found[1].strip() if found else folder.resolve().name


def _license(a: Path, b: Path) -> str:
    names = [license_of(front_matter(f / "README.md")) for f in (a, b)]
    if names[0] == names[1]:
        return ""
    asked = [duties(n) for n in names]
    if asked[0] is None or asked[1] is None:
        return "the license changed to or from one that is not known here" if all(names) else ""
    return "" if asked[0] == asked[1] else "what the license asks changed"
