"""What licenses ask of those who pass a model on, and whether a child's license still asks what its parent's did.

Names: the SPDX list (spdx.org/licenses) and the identifiers of Hugging Face's page "Licenses". Duties are read from the
license texts; which share-alike license may follow which, from gnu.org/licenses/license-list (GPL after LGPL and MPL,
AGPL 3 after GPL 3) and creativecommons.org/compatiblelicenses (GPL 3 after CC BY-SA 4). This is a first look, not
legal advice: it says which edges a person should read.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_NONE: frozenset[str] = frozenset()
_BY = frozenset({"credit"})
_NC, _ND = frozenset({"no commercial use"}), frozenset({"no derivatives"})
_CC = frozenset({"share alike (CC)"})
_MPL, _LGPL = frozenset({"share alike (MPL)"}), frozenset({"share alike (LGPL)", "share alike (MPL)"})
_GPL2 = _LGPL | {"share alike (GPL)"}
_GPL3 = _GPL2 | {"share alike (GPL 3)"} | _CC
_AGPL = _GPL3 | {"share over a network"}


def _use(family: str) -> frozenset[str]:
    """Limits of use that have to be passed on in the license's own words."""
    return _BY | {f"limits of use ({family})"}


#: {license, in lower case: duties}. From the freest to the most restrictive.
DUTIES: dict[str, frozenset[str]] = {
    **dict.fromkeys(("cc0-1.0", "unlicense", "wtfpl", "pddl", "pddl-1.0", "0bsd", "mit-0"), _NONE),
    **dict.fromkeys(
        ("mit", "apache-2.0", "bsd", "bsd-2-clause", "bsd-3-clause", "bsd-3-clause-clear", "isc", "zlib", "bsl-1.0",
         "afl-3.0", "artistic-2.0", "ecl-2.0", "ms-pl", "ncsa", "postgresql", "odc-by", "cdla-permissive-1.0",
         "cdla-permissive-2.0", "etalab-2.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "openmdw-1.0",
         "openmdw-1.1"), _BY),
    **dict.fromkeys(("mpl-2.0", "epl-1.0", "epl-2.0"), _BY | _MPL),
    **dict.fromkeys(("lgpl", "lgpl-2.1", "lgpl-3.0", "lgpl-lr"), _BY | _LGPL),
    **dict.fromkeys(("cc-by-sa-2.0", "cc-by-sa-3.0", "cc-by-sa-4.0"), _BY | _CC),
    **dict.fromkeys(("odbl", "odbl-1.0", "cdla-sharing-1.0"), _BY | {"share alike (data)"}),
    **dict.fromkeys(("gfdl", "gfdl-1.3"), _BY | {"share alike (GFDL)"}),
    **dict.fromkeys(("eupl-1.1", "eupl-1.2"), _BY | {"share alike (EUPL)"}),
    **dict.fromkeys(("osl-3.0",), _BY | {"share alike (OSL)", "share over a network"}),
    **dict.fromkeys(("gpl", "gpl-2.0"), _BY | _GPL2),
    **dict.fromkeys(("gpl-3.0",), _BY | _GPL3),
    **dict.fromkeys(("agpl", "agpl-3.0"), _BY | _AGPL),
    **dict.fromkeys(
        ("openrail", "openrail++", "creativeml-openrail-m", "bigscience-openrail-m", "bigcode-openrail-m",
         "bigscience-bloom-rail-1.0"), _use("RAIL")),
    **dict.fromkeys(("llama2", "llama3", "llama3.1", "llama3.2", "llama3.3", "llama4"), _use("Llama")),
    "gemma": _use("Gemma"),
    "deepseek": _use("DeepSeek"),
    "tii-falcon-llm": _use("Falcon"),
    **dict.fromkeys(("cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0"), _BY | _NC),
    **dict.fromkeys(("cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0"), _BY | _NC | _CC),
    **dict.fromkeys(("fair-noncommercial-research-license", "intel-research", "apple-amlr", "apple-ascl"), _BY | _NC),
    **dict.fromkeys(("cc-by-nd-4.0",), _BY | _ND),
    **dict.fromkeys(("cc-by-nc-nd-3.0", "cc-by-nc-nd-4.0"), _BY | _NC | _ND),
}  # fmt: skip


class Verdict(NamedTuple):
    """``conflict``, ``kept``, ``freer parent`` are never guessed: where a license is not in the table, ``unknown``."""

    verdict: str  #: "kept", "conflict" or "unknown"
    lost: tuple[str, ...]  #: duties of the parent that the child does not pass on
    sentence: str


def license_of(card: dict[str, Any]) -> tuple[str, ...]:
    """Licenses that a card names, in lower case; empty where it names none. ``other`` gives way to its name."""
    raw = card.get("license")
    names = [raw] if isinstance(raw, str) else raw if isinstance(raw, list) else []
    out = [_plain(str(n)) for n in names if str(n).strip()]
    if out == ["other"] and isinstance(card.get("license_name"), str) and _plain(card["license_name"]) in DUTIES:
        return (_plain(card["license_name"]),)
    return tuple(out)


def duties(names: tuple[str, ...]) -> frozenset[str] | None:
    """What all the licenses together ask; None where one of them is not known, or there is none."""
    if not names or any(n not in DUTIES for n in names):
        return None
    return frozenset().union(*(DUTIES[n] for n in names))


def judge(parent: tuple[str, ...], child: tuple[str, ...]) -> Verdict:
    """Does the child's license ask all that the parent's asks? Unknown licenses are unknown, never a conflict."""
    mine, theirs = duties(child), duties(parent)
    own, above = " and ".join(child) or "no license", " and ".join(parent) or "no license"
    if theirs is None or mine is None:
        which = above if theirs is None else own
        return Verdict("unknown", (), f"{which}: what it asks is not known here")
    if "no derivatives" in theirs:
        return Verdict("conflict", ("no derivatives",), f"{above} allows no derivatives")
    lost = tuple(sorted(theirs - mine))
    if lost:
        return Verdict("conflict", lost, f"{own} drops what {above} asks: {', '.join(lost)}")
    return Verdict("kept", (), f"{own} asks all that {above} asks")


def _plain(name: str) -> str:
    name = name.strip().lower()
    return re.sub(r"-(only|or-later)$|\+$(?<!openrail\+\+)", "", name)
