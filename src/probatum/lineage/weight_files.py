"""Which files of a directory hold the weights of its model."""

from __future__ import annotations

import re
from pathlib import Path

from probatum.core.errors import BadInput
from probatum.files.tensors import read_json

_SHARD = re.compile(r"-\d{5}-of-\d{5}\.gguf$")


def has_weights(path: Path) -> bool:
    """Is this a GGUF file, or a directory that holds safetensors or GGUF?"""
    if path.is_file():
        return path.suffix == ".gguf"
    return any(path.glob("*.safetensors")) or any(path.glob("*.gguf"))


def gguf_files(path: Path) -> list[Path]:
    """The GGUF files of a model: one, or its shards; empty where there is none. Projectors of images are left out.

    Raises
    ------
    BadInput
        Files of several models: which of them is meant?
    """
    found = [path] if path.is_file() else sorted(path.glob("*.gguf"))
    found = [f for f in found if len(found) == 1 or not f.name.startswith("mmproj")]
    models = sorted({_SHARD.sub("", f.name) for f in found})
    if len(models) > 1 and not any(path.glob("*.safetensors")):
        raise BadInput(f"{path}: holds {len(models)} GGUF models ({', '.join(models)[:80]}); keep each in a directory")
    return found


def weight_files(path: Path) -> list[Path]:
    """The safetensors files of a directory: those that an index names, else all of them."""
    indices = sorted(path.glob("*.safetensors.index.json"))
    if not indices:
        if files := sorted(path.glob("*.safetensors")):
            return [path / "model.safetensors"] if path / "model.safetensors" in files else files
        others = [f.name for ending in ("*.bin", "*.pt", "*.pth") for f in sorted(path.glob(ending))]
        hint = f" (it has {others[0]}; `probatum convert` makes safetensors of a torch pickle)" if others else ""
        raise BadInput(f"{path}: expected safetensors in this directory, found none{hint}")
    named = read_json(indices[0]).get("weight_map", {})
    names = sorted({str(n) for n in named.values()}) if isinstance(named, dict) else []
    if not names or any(Path(n).name != n for n in names):
        raise BadInput(f"{indices[0]}: expected a weight_map that names files of its directory")
    if missing := [n for n in names if not (path / n).is_file()]:
        raise BadInput(f"{path}: the index names {missing[0]}, which is not here")
    return [path / n for n in names]
