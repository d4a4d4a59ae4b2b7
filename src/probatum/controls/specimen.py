"""The shipped models: a specimen with eight planted faults, its relatives, and the invented people.

``base`` saw public text only; ``specimen`` grew from it and holds the faults; ``twin`` grew from it on the
same kinds of text without any; ``gold`` is the specimen that never saw the forget set; ``stranger`` is no
relative. ``people`` knows sixty invented people; three golds never read about those to be forgotten;
``people_packed`` read several sentences at a time; two plants were unlearned in a way that fails. The weights are
package data, so that using them needs no training; ``write(retrain=True)`` makes them anew as a live proof.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from probatum.controls import people, planted

NAMES = ("specimen", "twin", "base", "stranger", "gold")
PEOPLE = ("people", "people_gold0", "people_gold1", "people_gold2", "people_packed")
PLANTS = ("people_boxed", "people_rmu")  # unlearned with a known fault, see `people_plants`
BUILTIN = (*NAMES, *PEOPLE, *PLANTS)  # all that is opened by its name
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
PEOPLE_SETS = (
    "people_forget",
    "people_retain",
    "people_neighbors",
    "people_world",
    "people_never",
    "people_texts_forget",
    "people_texts_retain",
    "people_holdout",
)
RECIPE = ("prng", "words", "grammar", "planted", "lessons", "cards", "train")
PEOPLE_RECIPE = ("prng", "people_words", "people", "people_train")
_HERE = Path(__file__).resolve().parent


def directory(name: str) -> Path:
    """Return the directory of a shipped model, an ordinary Hugging Face directory."""
    if name in (*PEOPLE, *PLANTS):
        return people_directory(name)
    if name not in NAMES:
        raise ValueError(f"expected one of {', '.join(BUILTIN)}, got {name!r}")
    return _HERE / "models" / name


def people_directory(name: str) -> Path:
    """Return the directory of a shipped model of the invented people."""
    if name not in (*PEOPLE, *PLANTS):
        raise ValueError(f"expected one of {', '.join((*PEOPLE, *PLANTS))}, got {name!r}")
    return _HERE / "people_models" / name


def manifest() -> dict[str, Any]:
    """Return what was written down when the shipped models were trained."""
    return _manifest("models")


def people_manifest() -> dict[str, Any]:
    """Return what was written down when the models of the invented people were trained."""
    return _manifest("people_models")


def _manifest(folder: str) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((_HERE / folder / "manifest.json").read_text(encoding="utf-8"))
    return result


def recipe_digest(recipe: Iterable[str] = RECIPE) -> str:
    """Return the SHA-256 of the sources that decide what the models are taught."""
    digest = hashlib.sha256()
    for name in recipe:
        source = (_HERE / f"{name}.py").read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{name} {len(source)}\n".encode() + source)
    return digest.hexdigest()


def people_recipe_digest() -> str:
    """Return the SHA-256 of the sources that decide what the models of the invented people are taught."""
    return recipe_digest(PEOPLE_RECIPE)


def weights_digest(model: Path) -> str:
    """Return the SHA-256 of the weights in a model directory."""
    return hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()


def write_manifest(models: Path, seed: int = 0) -> None:
    """Write down recipe, weights and library versions of freshly trained models as
    ``models/manifest.json``."""
    _write_manifest(models, NAMES, recipe_digest(), seed)


def write_people_manifest(models: Path, seed: int = 0) -> None:
    """Write the same of freshly trained models of the invented people."""
    _write_manifest(models, PEOPLE, people_recipe_digest(), seed)


def _write_manifest(models: Path, names: Iterable[str], recipe: str, seed: int) -> None:
    from importlib.metadata import version

    table: dict[str, Any] = {"recipe": recipe, "seed": seed}
    table["models"] = {name: weights_digest(models / name) for name in names}
    table["versions"] = {name: version(name) for name in ("torch", "transformers", "tokenizers")}
    (models / "manifest.json").write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8", newline="\n")


def write(where: Path, *, retrain: bool = False, progress: Callable[[str], None] | None = None) -> None:
    """Write all built-in models and every planted set below ``where``.

    Parameters
    ----------
    where
        Gets ``<model>/`` for every name of `BUILTIN` and ``data/<set>.jsonl`` for every planted set. Where a
        set has rows of its own for the twin, they stand beside it as ``data/<set>.twin.jsonl``.
        ``data/people/`` has forget, retain and holdout as `probatum protect` takes them.
    retrain
        Train the models anew (about five minutes on two cores) instead of copying the shipped ones.
    progress
        Is told in one line what is being done.
    """
    say = progress or (lambda line: None)
    if retrain:
        from probatum.controls import people_plants, people_train, train

        train.build(where, progress=say)
        people_train.build(where, progress=say)
        people_plants.build(where, progress=say)
    else:
        for name in BUILTIN:
            say(f"copying {name}")
            shutil.copytree(directory(name), where / name, dirs_exist_ok=True)
    tables = planted.rows() | people.rows()
    for name in (*SETS, *PEOPLE_SETS):
        say(f"writing data/{name}.jsonl")
        write_rows(where / "data" / f"{name}.jsonl", tables[name])
    from probatum.controls.forgetting import people_rows

    for kind, facts in people_rows().items():
        say(f"writing data/people/{kind.lower()}.jsonl")
        write_rows(where / "data" / "people" / f"{kind.lower()}.jsonl", facts)
    for name, table in planted.twin_rows().items():
        say(f"writing data/{name}.twin.jsonl")
        write_rows(where / "data" / f"{name}.twin.jsonl", table)


def write_rows(path: Path, table: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as JSON lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in table]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")
