"""Does a model's name say what changed, and does it say the truth? What should the next version be called?

P110 (arXiv 2409.10472): 40.87 % of the changes of weights show neither in the name nor in the documentation.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from probatum.core.errors import BadInput
from probatum.files.tensors import read_json
from probatum.lineage.model import open_model
from probatum.lineage.versions import Version, name_of
from probatum.scan.model_name import Name, renamed, split
from probatum.scan.name_claims import precision_holds, size_holds


@dataclass(frozen=True)
class Naming:
    """What the names of two versions say. ``old`` and ``new`` are the names, of the card's title or the directory."""

    old: str
    new: str
    parts: tuple[tuple[str, str, str], ...]  #: (kind, in the old name, in the new name) of the parts that differ
    signaled: bool | None  #: does the name say that something changed? None where nothing changed in the weights
    sentence: str
    false: tuple[str, ...]  #: what in a name does not hold, a sentence each
    proposal: str  #: the new name with the next version of the old one; "" where there is none to propose


def naming(a: Path, b: Path, weights: str, version: Version) -> Naming:
    """Compare the names of two directories, ``a`` the older.

    Parameters
    ----------
    weights
        equal, changed, unrelated, structure or unread, as `probatum.lineage.versions.version` takes it.
    """
    old, new = (split(_title(folder)) for folder in (a, b))
    parts = tuple(
        (kind, " ".join(mine), " ".join(theirs))
        for (kind, mine), theirs in zip(old.parts().items(), new.parts().values(), strict=True)
        if mine != theirs
    )
    changed = weights in ("changed", "unrelated", "structure")
    told = ", ".join(f"{kind} {mine or '–'} → {theirs or '–'}" for kind, mine, theirs in parts)
    if changed:
        sentence = f"the name says so ({told})" if parts else "weights changed, and no part of the name did"
    elif weights == "equal" and any(kind in ("size", "version", "precision", "method") for kind, _, _ in parts):
        sentence = f"the name changed ({told}), and the weights did not"
    else:
        sentence = f"the names differ in {told}" if parts else "the names are the same"
    own = [(name, f) for f, title in ((a, old), (b, new)) for name in (title, split(f.resolve().name))]
    false = [f"{name.text}: {said}" for name, folder in own for said in not_so(name, folder)]
    return Naming(
        old.text, new.text, parts, bool(parts) if changed else None, sentence, tuple(dict.fromkeys(false)),
        _proposal(old, new, version.level),
    )  # fmt: skip


def _title(folder: Path) -> str:
    """The name, as `versions.name_of` finds it, without "Model card for"."""
    name = name_of(folder)
    return re.sub(r"^model card\b(?: (?:for|of))?[ :]*", "", name, flags=re.IGNORECASE) or name


def _proposal(old: Name, new: Name, level: str) -> str:
    """The next version of the old name, unless the new name has a version of its own."""
    return "" if new.version and new.version != old.version else renamed(old, level)


def not_so(name: Name, folder: Path) -> list[str]:
    """What a name says of size and precision that the files of its directory contradict."""
    if not (name.parameters or name.precision):
        return []
    config = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    packed = "quantization_config" in config or "quantization" in config
    numbers = _numbers(folder)
    out = []
    adapter = (folder / "adapter_config.json").is_file()
    if size_holds(name, 0 if adapter else sum(numbers.values())) is False:
        out.append(f"says {', '.join(name.size)}, and the tensors hold {sum(numbers.values()):,} numbers")
    files = folder.iterdir() if folder.is_dir() else [folder]
    endings = {file.suffix[1:].lower() for file in files if file.is_file()}
    if precision_holds(name, numbers, packed=packed, endings=endings) is False:
        most = max(numbers, key=lambda d: numbers[d], default="of a type that is not read")
        out.append(f"says {', '.join(name.precision)}, and most numbers are {most}")
    return out


def _numbers(folder: Path) -> Counter[str]:
    """{type or scheme: how many parameters}; empty where none can be read."""
    out: Counter[str] = Counter()
    try:
        model = open_model(folder)
    except BadInput:
        return out
    for tensor, shape in model.shapes.items():
        out[model.weights.stored(tensor)] += math.prod(shape)
    return out
