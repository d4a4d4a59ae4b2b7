"""A model directory as lineage sees it: tensors by name, configuration and card. Nothing is loaded or run."""

from __future__ import annotations

import functools
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.core import cards
from probatum.core.errors import BadInput
from probatum.files.gguf import gguf
from probatum.files.quantized import Quantized, dequantized
from probatum.files.tensors import Weights, read_json
from probatum.lineage.weight_files import gguf_files, has_weights
from probatum.lineage.weight_files import weight_files as weight_files

#: Bytes of one number, as safetensors names the types; of FP8 and packed types `Quantized` knows.
SIZES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2,
    "U8": 1, "BOOL": 1,
}  # fmt: skip
_EIGHTHS = {"F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1}
#: Types whose numbers are counters, masks or codes; int8 is read as a number, up to its scale.
WHOLE = ("I64", "I32", "I16", "U64", "U32", "U16", "U8", "BOOL")
#: How tensors are called that hold codes, of whatever scheme: of whole numbers, they are no counters or masks.
_CODES = re.compile(r"(^|[._])(weight|qweight|weight_packed|weight\._\w+|W_q|blocks|packed|codes)$")
_CARD_LIMIT = 1 << 20  #: bytes of a card that are read


@dataclass(frozen=True)
class Model:
    """A directory with safetensors or a GGUF; ``shapes`` leaves out what is not read as numbers (``unread``: types).

    Quantized matrices stand under the names and shapes of their numbers, not of their codes.
    """

    path: Path
    weights: Quantized
    shapes: dict[str, tuple[int, ...]]
    unread: dict[str, str]
    config: dict[str, Any]

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.resolve().name or str(self.path)

    @property
    def scheme(self) -> str:
        """The schemes of its quantized matrices, such as ``nf4`` or ``Q4_K, Q6_K``, most numbers first; else empty."""
        counts: dict[str, int] = {}
        for name, shape in self.shapes.items():
            if self.quantized(name):
                scheme = self.weights.stored(name)
                counts[scheme] = counts.get(scheme, 0) + math.prod(shape)
        return ", ".join(sorted(counts, key=lambda s: (-counts[s], s)))

    def quantized(self, name: str) -> bool:
        """Is this tensor stored as codes of a scheme that is read?"""
        return self.weights.quantized(name) and self.weights.stored(name) not in ("F64", "F32", "F16", "BF16")

    def whole(self, name: str) -> bool:
        """Are its numbers counters or codes, which say nothing of descent?"""
        return self.weights.stored(name) in WHOLE

    @property
    def method(self) -> str:
        """What the configuration calls the way it was quantized; empty where it says nothing."""
        said = self.config.get("quantization_config")
        return str(said.get("quant_method", ""))[:40] if isinstance(said, dict) else ""

    @functools.cached_property
    def card(self) -> dict[str, Any]:
        """The metadata at the head of README.md; empty where there is none."""
        return front_matter(self.path / "README.md")


def open_model(path: str | Path) -> Model:
    """Open a directory of safetensors, sharded or not, or of one GGUF model (or a GGUF file itself).

    Raises
    ------
    BadInput
        No such directory, no safetensors in it, a shard that is missing, a tensor that is not as its header says, a
        quantized matrix without its scales.
    """
    path = Path(path)
    if not path.is_dir() and not (path.is_file() and path.suffix == ".gguf"):
        raise BadInput(f"{path}: expected a model directory, but there is none here")
    file = path / "config.json"
    config = read_json(file) if file.is_file() else {}
    files = gguf_files(path)
    if files and not (path.is_dir() and any(path.glob("*.safetensors"))):
        weights = gguf(files)
    else:
        store = Weights(weight_files(path))
        _check_sizes(path, store)
        try:
            weights = dequantized(store, config)
        except BadInput as error:
            raise BadInput(f"{path}: {error}") from error
    shapes, unread = {}, {}
    for name, shape in weights.shapes.items():
        kind = weights.stored(name)
        codes = kind in WHOLE and len(shape) > 1 and _CODES.search(name)
        if weights.quantized(name) or (kind in SIZES and not codes):
            shapes[name] = shape
        else:
            unread[name] = kind
    model = Model(path, weights, shapes, unread, config)
    if not any(not model.whole(name) for name in shapes):
        how = f"; its configuration says {model.method}, which is not read" if unread and model.method else ""
        raise BadInput(f"{path}: its files hold no tensor that can be read as numbers{how}")
    return model


def _check_sizes(path: Path, store: Weights) -> None:
    for name, shape in store.shapes.items():
        if not all(isinstance(n, int) and n >= 0 for n in shape):
            raise BadInput(f"{path}: {name} has a shape that is not one: {list(shape)[:8]}")
        dtype = store.stored(name)
        size = SIZES.get(dtype) or _EIGHTHS.get(dtype)
        if size and len(store.raw(name)) != math.prod(shape) * size:
            raise BadInput(f"{path}: {name} is {list(shape)} of {dtype}, but its bytes are not as many; copy it again")


def has_model(path: str | Path) -> bool:
    """Is this a GGUF file, or a directory that holds a model: weights that are read here, or a configuration?"""
    path = Path(path)
    return has_weights(path) or (path / "config.json").is_file()


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
