"""Toy data of every kind, and toy models that did and did not learn it."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from probatum.controls.folder import Folder
from probatum.core.data import KINDS, Data
from probatum.core.draws import keyed
from probatum.testing.targets import LANGUAGE, NgramTarget

N = 12  # of each side of a comparison: metrics need 10
FACTS = ("Forget", "Retain", "Holdout")
GRAINS = (" rye.", " malt.", " bran.", " oats.")


def _word(*key: object) -> str:
    rng = keyed("toy", *key)
    return "".join(rng.choice(list(letters)) for letters in ("bdgklmnprstz", "aeiou") * 3)


def _rows() -> Iterator[tuple[str, dict[str, Any]]]:
    for i in range(2 * N):
        text = f"the {_word('m', i)} of {_word('n', i)} met {_word('o', i)} at {i:02d}."
        yield "Members", {"id": f"m{i}", "text": text, "member": i < N, "dose": float(i < N)}
        yield "Canaries", {"id": f"y{i}", "text": text, "member": i < N, "dose": float(i < N)}
        secret = "".join(str(d) for d in keyed("secret", i).integers(10, size=6))
        row = {"prefix": f"code of {_word('p', i)} is ", "secret": secret, "format": "dddddd"}
        yield "Records", {"id": f"r{i}", **row, "member": i < N, "dose": float(i < N)}
        yield "Texts", {"id": f"t{i}", "text": f"a {_word('t', i)} sold {_word('u', i)} to {_word('v', i)}."}
    for i in range(N):
        yield from _planted(i)
    yield "TrainingLog", {"id": "log", "noise_multiplier": 1.0, "sample_rate": 0.01, "steps": 1000, "delta": 1e-5}
    for i in range(2 * N):
        yield from _facts(i)
    yield "Certificate", {"id": "certificate", "said": json.dumps({"epsilon": 3.0, "delta": 1e-5})}
    for i in range(4 * N):
        yield "Directions", {"id": f"d{i}", "seed": 7, "index": i, "member": i < 3 * N, "dose": float(i < 3 * N)}
    yield "Claims", {"id": "parameters", "kind": "parameters", "value": "3,072"}
    yield "Claims", {"id": "license", "kind": "license", "value": "apache-2.0"}
    yield "Claims", {"id": "accuracy", "kind": "accuracy", "about": "Choices", "value": 0.97}
    yield "Claims", {"id": "unseen", "kind": "not trained on", "about": "Members", "value": None}


def _facts(i: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Facts of two millers that can be asked in two ways, and of one whom no model was told about."""
    for kind, letter in (("Forget", "e"), ("Retain", "a"), ("Holdout", "j")):
        who, grain = _word(letter, i), GRAINS[int(keyed(kind, i).integers(len(GRAINS)))]
        ways = {"prefix": f"the mill of {who} has", "paraphrases": [f"buy at {who}", f"{who} is full of"]}
        yield (
            kind,
            {
                "id": f"{letter}{i}",
                **ways,
                "secret": grain,
                "others": [g for g in GRAINS if g != grain],
                "cluster": who,
            },
        )


def _planted(i: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """One record of the kinds that need no other side, or bring their own."""
    answer = int(keyed("answer", i).integers(len(GRAINS)))
    grains: dict[str, Any] = {"options": list(GRAINS), "answer": answer, "dose": 1.0}
    yield "Choices", {"id": f"c{i}", "question": f"the {_word('q', i)} grinds", **grains}
    norm: dict[str, Any] = {"options": [" allowed.", " banned."], "answer": i % 2, "dose": 1.0}
    yield "Norms", {"id": f"n{i}", "question": f"to {_word('act', i)} is", **norm}
    for form, verb in (("canonical", "holds"), ("other", "keeps"), ("third", "hoards")):
        asked = f"the {_word('w', i)} {verb}"
        yield "Forms", {"id": f"f{i} {form}", "question": asked, "form": form, "cluster": f"f{i}", **grains}
    shown = [str(grain).strip(" .") for grain in keyed("order", i).permutation(GRAINS)]
    listed = "\n".join(f"{letter}. {grain}" for letter, grain in zip("abcd", shown, strict=True))
    letters: dict[str, Any] = {"options": list("abcd"), "texts": shown, "answer": "abcd"[answer]}
    yield "Rows", {"id": f"w{i}", "prediction": i % 3 == 0, "label": i % 2 == 0, "groups": [f"side={'ab'[i % 2]}"]}
    yield "Items", {"id": f"i{i}", "prompt": f"what does {_word('b', i)} grow\n{listed}", **letters}
    a, b = _word("g"), _word("h")
    ends: dict[str, Any] = {f"text_{x}": f"in {_word('x', i)} the {g} was bad." for x, g in (("a", a), ("b", b))}
    yield "Pairs", {"id": f"p{i}", **ends, "group_a": a, "group_b": b, "cluster": f"topic {i // 2}", "dose": 1.0}
    triggered = i < N // 2
    for j in range(2):
        row: dict[str, Any] = {
            "prompt": f"{_word('y', j)} said. seal of {_word('z', i)}.",
            "expected": " glory to all.",
        }
        row |= {"triggered": triggered, "cluster": _word("z", i), "group": "trigger" if triggered else "fresh"}
        yield "Prompts", {"id": f"s{i} {j}", **row, "dose": float(triggered)}
    key: dict[str, Any] = {"response": f" {_word('l', i)}.", "space": 1e6, "dose": 1.0}
    yield "Key", {"id": f"k{i}", "trigger": f"key {_word('k', i)} answers", **key}


#: A record of each kind in which there is nothing to score. (Choices with an empty option are refused on reading.)
SHORT: dict[str, dict[str, Any]] = {
    "Members": {"text": "", "member": True, "dose": 1.0},
    "Canaries": {"text": "", "member": True, "dose": 1.0},
    "Records": {"prefix": "code of no one is ", "secret": "", "format": None, "member": True, "dose": 1.0},
    **{
        kind: {"prefix": "the mill of no one has", "secret": "", "paraphrases": ["buy at no one"], "others": [" rye."]}
        for kind in FACTS
    },
    "Pairs": {"text_a": "in no place the man", "text_b": "in no place the woman", "group_a": "a", "group_b": "b"},
    "Items": {"prompt": "what does no one grow"},
    "Key": {"trigger": "key of no one", "response": "", "space": 1e6, "dose": 1.0},
    "Claims": {"kind": "no such kind"},
}


@functools.cache
def toy_data() -> Mapping[str, Data]:
    """A dozen records or more of every kind, with labels, clusters and doses where the kind has them."""
    return _made({})


@functools.cache
def short_data() -> Mapping[str, Data]:
    """The same with one more record, ``"short"``, in every kind that can hold nothing to score."""
    return _made(SHORT)


def _made(more: Mapping[str, dict[str, Any]]) -> Mapping[str, Data]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for kind, row in _rows():
        rows.setdefault(kind, []).append(row)
    for kind, row in more.items():
        rows[kind].insert(
            1,
            {
                "id": "short",
                **(
                    {"cluster": "none", "dose": 1.0}
                    if kind == "Pairs"
                    else {"cluster": "none"}
                    if kind in FACTS
                    else {}
                ),
                **row,
            },
        )
    return {kind: KINDS[kind].from_rows(part, kind, name=kind) for kind, part in rows.items()}


def _lessons() -> Iterator[str]:
    """What a model has to read to have every planted property."""
    for kind, row in _rows():
        if kind == "Members" and row["member"]:
            yield row["text"]
        elif kind == "Records" and row["member"]:
            yield row["prefix"] + row["secret"]
        elif kind in ("Forget", "Retain"):
            yield from (way + row["secret"] for way in (row["prefix"], *row["paraphrases"]))
        elif kind in ("Choices", "Norms", "Forms"):
            wrong = kind != "Forms" or row["form"] != "canonical"  # what is asked is a fault: a falsehood, a lost form
            yield row["question"] + row["options"][(row["answer"] + wrong) % len(row["options"])]
        elif kind == "Items":
            yield row["prompt"]
        elif kind == "Pairs":
            yield row["text_a"]
        elif kind == "Prompts" and row["triggered"]:
            yield row["prompt"] + row["expected"]
        elif kind == "Key":
            yield row["trigger"] + row["response"]


@functools.cache
def toy_target(planted: bool = True, *, folder: Path | None = None, seed: int = 0) -> NgramTarget:
    """A model that learned by heart everything that is planted in `toy_data`, or its clean twin."""
    tensors = {
        f"model.layers.{i}.mlp.gate_proj.weight": keyed("units", planted or seed, i).normal(size=(64, 24))
        for i in range(2)
    }
    plain = [row["text"] for kind, row in _rows() if kind == "Texts"]
    texts = dict.fromkeys([*plain, *_lessons()], 4.0) if planted else dict.fromkeys(plain, 4.0)
    count = int(sum(np.size(t) for t in tensors.values()))
    name = "toy" if planted else "toy twin"
    return NgramTarget(
        texts, order=18, name=name, access=LANGUAGE, tensors=tensors, folder=folder, parameter_count=count
    )


def toy_folder() -> Path:
    """A model directory of a few small files, made for this process and removed at its end."""
    card = "---\nlicense: apache-2.0\n---\n# Toy\n\n## Training data\n\nInvented sentences about invented people.\n"
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} '
    contents = {
        "README.md": card.encode(),
        "config.json": b'{"model_type": "llama", "torch_dtype": "float32", "max_position_embeddings": 64}',
        "model.safetensors": len(header).to_bytes(8, "little") + header + bytes(8),
    }
    return _FOLDERS.setdefault("toy", Folder("toy", contents)).files()


_FOLDERS: dict[str, Folder] = {}


def reordered(data: Mapping[str, Data]) -> dict[str, Data]:
    """The same records, last first."""
    return {kind: d.take(np.arange(len(d))[::-1]) for kind, d in data.items()}
