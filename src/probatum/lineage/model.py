"""A model directory as lineage sees it: tensors by name, configuration and card. Nothing is loaded or run."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.core import cards
from probatum.core.errors import BadInput
from probatum.files.tensors import Weights, read_json
from probatum.lineage.sampled import Sampled

#: Bytes of one number, as safetensors names the types; F8 and sub-byte types cannot be read as numbers here.
SIZES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2,
    "U8": 1, "BOOL": 1,
}  # fmt: skip
_CARD_LIMIT = 1 << 20  #: bytes of a card that are read


@dataclass(frozen=True)
class Model:
    """A directory with safetensors; ``shapes`` leaves out what cannot be read as numbers (``unread`` says what)."""

    path: Path
    weights: Weights
    shapes: dict[str, tuple[int, ...]]
    unread: dict[str, str]
    config: dict[str, Any]

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.resolve().name or str(self.path)

    @functools.cached_property
    def card(self) -> dict[str, Any]:
        """The metadata at the head of README.md; empty where there is none."""
        return front_matter(self.path / "README.md")


def open_model(path: str | Path) -> Model:
    """Open a directory of safetensors, sharded or not.

    Raises
    ------
    BadInput
        No such directory, no safetensors in it, a shard that is missing, a tensor that is not as its header says.
    """
    path = Path(path)
    if not path.is_dir():
        raise BadInput(f"{path}: expected a model directory, but there is none here")
    weights = Sampled(weight_files(path))
    shapes, unread = {}, {}
    for name, shape in weights.shapes.items():
        dtype = weights.stored(name)
        if not all(isinstance(n, int) and n >= 0 for n in shape):
            raise BadInput(f"{path}: {name} has a shape that is not one: {list(shape)[:8]}")
        if dtype not in SIZES:
            unread[name] = dtype
        elif len(weights.raw(name)) != math.prod(shape) * SIZES[dtype]:
            raise BadInput(f"{path}: {name} is {list(shape)} of {dtype}, but its bytes are not as many; copy it again")
        else:
            shapes[name] = shape
    if not shapes:
        raise BadInput(f"{path}: its safetensors hold no tensor that can be read as numbers")
    config = path / "config.json"
    return Model(path, weights, shapes, unread, read_json(config) if config.is_file() else {})


def weight_files(path: Path) -> list[Path]:
    """The safetensors files of a directory: those that an index names, else all of them."""
    indices = sorted(path.glob("*.safetensors.index.json"))
    if not indices:
        if files := sorted(path.glob("*.safetensors")):
            return [path / "model.safetensors"] if path / "model.safetensors" in files else files
        others = [f.name for ending in ("*.bin", "*.pt", "*.pth", "*.gguf") for f in sorted(path.glob(ending))]
        hint = f" (it has {others[0]}; `probatum convert` makes safetensors of a torch pickle)" if others else ""
        raise BadInput(f"{path}: expected safetensors in this directory, found none{hint}")
    named = read_json(indices[0]).get("weight_map", {})
    names = sorted({str(n) for n in named.values()}) if isinstance(named, dict) else []
    if not names or any(Path(n).name != n for n in names):
        raise BadInput(f"{indices[0]}: expected a weight_map that names files of its directory")
    if missing := [n for n in names if not (path / n).is_file()]:
        raise BadInput(f"{path}: the index names {missing[0]}, which is not here")
    return [path / n for n in names]


def has_model(path: str | Path) -> bool:
    """Is this a directory that holds a model: safetensors, or a configuration?"""
    path = Path(path)
    return path.is_dir() and ((path / "config.json").is_file() or any(path.glob("*.safetensors")))


def base_models(card: dict[str, Any]) -> tuple[str, ...]:
    """Last parts of the names that a card gives as its base; empty where it gives none."""
    raw = card.get("base_model")
    names = [raw] if isinstance(raw, str) else raw if isinstance(raw, list) else []
    return tuple(n.rstrip("/").rpartition("/")[2] for n in names if isinstance(n, str) and n)


def front_matter(file: Path) -> dict[str, Any]:
    """The YAML block at the head of a card as a mapping; empty where there is none or it is not YAML."""
    if not file.is_file():
        return {}
    with file.open("rb") as stream:
        return cards.front_matter(stream.read(_CARD_LIMIT).decode("utf-8", "replace"))[0]
