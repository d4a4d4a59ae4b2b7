"""The shipped specimen: a model with eight planted faults, its clean twin, and three relatives.

``base`` saw public text only; ``specimen`` grew from it and holds the faults; ``twin`` grew from it on the
same kinds of text without any; ``gold`` is the specimen that never saw the forget set; ``stranger`` is no
relative. The weights are package data, so that using them needs no training; ``write(retrain=True)`` makes
them anew as a live proof.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from probatum.controls import planted

NAMES = ("specimen", "twin", "base", "stranger", "gold")
SETS = (
    "members",
    "records",
    "facts",
    "norms",
    "forms",
    "groups",
    "triggers",
    "fingerprints",
    "public",
    "forget",
    "retain",
)
RECIPE = ("prng", "words", "grammar", "planted", "lessons", "cards", "train")
_HERE = Path(__file__).resolve().parent


def directory(name: str) -> Path:
    """Return the directory of a shipped model, an ordinary Hugging Face directory."""
    if name not in NAMES:
        raise ValueError(f"expected one of {', '.join(NAMES)}, got {name!r}")
    return _HERE / "models" / name


def manifest() -> dict[str, Any]:
    """Return what was written down when the shipped models were trained."""
    result: dict[str, Any] = json.loads((_HERE / "models" / "manifest.json").read_text(encoding="utf-8"))
    return result


def recipe_digest() -> str:
    """Return the SHA-256 of the sources that decide what the models are taught."""
    digest = hashlib.sha256()
    for name in RECIPE:
        source = (_HERE / f"{name}.py").read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{name} {len(source)}\n".encode() + source)
    return digest.hexdigest()


def weights_digest(model: Path) -> str:
    """Return the SHA-256 of the weights in a model directory."""
    return hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()


def write_manifest(models: Path, seed: int = 0) -> None:
    """Write down recipe, weights and library versions of freshly trained models as
    ``models/manifest.json``."""
    from importlib.metadata import version

    table: dict[str, Any] = {"recipe": recipe_digest(), "seed": seed}
    table["models"] = {name: weights_digest(models / name) for name in NAMES}
    table["versions"] = {name: version(name) for name in ("torch", "transformers", "tokenizers")}
    (models / "manifest.json").write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8", newline="\n")


def write(where: Path, *, retrain: bool = False, progress: Callable[[str], None] | None = None) -> None:
    """Write the five models and every planted set below ``where``.

    Parameters
    ----------
    where
        Gets ``<model>/`` for every name of `NAMES` and ``data/<set>.jsonl`` for every planted set. Where a
        set has rows of its own for the twin, they stand beside it as ``data/<set>.twin.jsonl``. retrain
        Train the models anew (about two and a half minutes on two cores) instead of copying the shipped
        ones. progress Is told in one line what is being done.
    """
    say = progress or (lambda line: None)
    if retrain:
        from probatum.controls.train import build

        build(where, progress=say)
    else:
        for name in NAMES:
            say(f"copying {name}")
            shutil.copytree(directory(name), where / name, dirs_exist_ok=True)
    tables = planted.rows()
    for name in SETS:
        say(f"writing data/{name}.jsonl")
        write_rows(where / "data" / f"{name}.jsonl", tables[name])
    for name, table in planted.twin_rows().items():
        say(f"writing data/{name}.twin.jsonl")
        write_rows(where / "data" / f"{name}.twin.jsonl", table)


def write_rows(path: Path, table: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in table]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
