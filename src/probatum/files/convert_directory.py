"""A model directory whose weights are PyTorch pickles, one or in shards, written anew with safetensors."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from probatum.core.errors import BadInput
from probatum.files.convert import Converted, Step, convert
from probatum.files.tensors import read_json
from probatum.scan import scan
from probatum.scan.finding import INERT, VERDICTS, printable, quote

#: What stands beside weights and is copied: configuration, tokenizer, card, license. Programs are not.
COPIED = re.compile(
    r"[^.].*\.(json|jsonl|txt|md|model|spm|bpe|tiktoken|jinja|yaml|yml)|(LICENSE|LICENCE|NOTICE|COPYING|README|USE_POLICY).*",
    re.IGNORECASE,
)
#: Checkpoints of a training run that are no weights.
TRAINING = re.compile(
    r"(training_args|optimizer|scheduler|scaler|rng_state|random_states|trainer_state).*", re.IGNORECASE
)
WEIGHTS = (".bin", ".pt", ".pth", ".ckpt", ".pkl")


@dataclass
class Directory:
    """What became of a model directory: files written, files copied, what the scan says of those, files left."""

    files: list[Converted]
    copied: list[str]
    remarks: list[str]
    left: list[str]


def convert_directory(
    source: Path, out: Path, *, once: bool = False, force: bool = False, step: Step | None = None
) -> Directory:
    """Write the weights of a model directory as safetensors into ``out``, beside its configuration and tokenizer.

    A new directory appears only when all of it is written. Raises BadInput as `convert` does, and where it is not
    clear which files are the weights.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())) and not force:
        raise BadInput(f"{out}: exists and is not empty; choose another place or say --force")
    index, shards = _shards(source)
    if out.exists() and any(out.iterdir()):
        return _fill(source, out, index, shards, once, force, step)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        partial.mkdir(parents=True)
        done = _fill(source, partial, index, shards, once, force, step)
        os.replace(partial, out)
    except OSError as error:
        raise BadInput(f"{out}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for file in done.files:
        file.out = out / file.out.name
    return done


def _fill(
    source: Path,
    out: Path,
    index: dict[str, str] | None,
    shards: list[Path],
    once: bool,
    force: bool,
    step: Step | None,
) -> Directory:
    files: list[Converted] = []
    weight_map: dict[str, str] = {}
    names = [_name(shard.name) if index else "model.safetensors" for shard in shards]
    if len(set(names)) < len(names):
        raise BadInput(f"{source}: two shards differ only in their ending; rename one")
    for shard, name in zip(shards, names, strict=True):
        files.append(convert(shard, out / name, once=once, force=force, step=step))
        for tensor in files[-1].digests:
            if weight_map.setdefault(tensor, name) != name:
                raise BadInput(f"{source}: {quote(tensor)} stands in two shards")
    if index:
        missing = sorted(set(index) - {t for done in files for t in (*done.digests, *done.tied)})
        if missing:
            raise BadInput(f"{source}: the index names {quote(missing[0])}, which no shard holds")
        whole = {"metadata": {"total_size": sum(f.size for f in files)}, "weight_map": dict(sorted(weight_map.items()))}
        (out / "model.safetensors.index.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    copied, left = _copy(source, out, {shard.name for shard in shards})
    return Directory(files, copied, _remarks([out / name for name in copied]), left)


def _shards(source: Path) -> tuple[dict[str, str] | None, list[Path]]:
    """The weight map of the index, if there is one, and the files."""
    indices = sorted(source.glob("*.bin.index.json"))
    if indices:
        weight_map = read_json(indices[0]).get("weight_map")
        if not isinstance(weight_map, dict) or not weight_map:
            raise BadInput(f"{indices[0]}: has no weight_map")
        names = sorted({str(name) for name in weight_map.values()})
        for name in names:
            if Path(name).name != name or not (source / name).is_file():
                raise BadInput(f"{indices[0]}: names {quote(name)}, which is no file of this directory")
        return weight_map, [source / name for name in names]
    found = sorted(
        p for p in source.iterdir() if p.suffix in WEIGHTS and not TRAINING.fullmatch(p.name) and p.is_file()
    )
    preferred = [p for p in found if p.name == "pytorch_model.bin"] or found
    if len(preferred) != 1:
        what = f"found {', '.join(quote(p.name) for p in preferred[:5])}" if preferred else "found none"
        raise BadInput(
            f"{source}: expected one PyTorch checkpoint or an index of shards, {what}; convert files one by one"
        )
    return None, preferred


def _name(shard: str) -> str:
    stem = shard.rpartition(".")[0]
    return stem.replace("pytorch_model", "model") + ".safetensors"


def _copy(source: Path, out: Path, used: set[str]) -> tuple[list[str], list[str]]:
    """Copy what a model needs beside its weights. Links that lead out are left, but for a hub cache's own blobs."""
    copied, left = [], []
    blobs = source.resolve().parent.parent / "blobs"
    for file in sorted(source.iterdir()):
        if file.name in used or file.name.endswith((".bin.index.json", ".safetensors.index.json")):
            continue
        target = file.resolve()
        inside = target.is_relative_to(source.resolve()) or target.parent == blobs
        if file.is_file() and inside and COPIED.fullmatch(file.name):
            shutil.copyfile(target, out / file.name)
            copied.append(file.name)
        else:
            left.append(file.name)
    return copied, left


def _remarks(files: list[Path]) -> list[str]:
    """What the scan says of the copies that it does not prove inert."""
    out = []
    for result in scan(files).files if files else ():
        if result.verdict != INERT:
            worst = max(result.findings, key=lambda f: VERDICTS.index(f.verdict))
            out.append(f"{printable(Path(result.path).name)}: {result.verdict}: {worst.message} [{worst.rule}]")
    return out
