"""Planted documents: model directories of which is known what their cards say, made when they are needed."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from typing import Literal

from probatum.controls.folder import Folder
from probatum.core.control import Control
from probatum.core.target import Opener
from probatum.files.card_sections import SECTIONS

#: A heading of every section, and a sentence that fills it.
HEADINGS: dict[str, tuple[str, str]] = {
    "details": ("Model description", "A small network that sorts notices of an invented country by their topic."),
    "intended use": ("Intended uses", "Sorting notices that were written by the offices of the country, nothing else."),
    "limitations": ("Limitations", "Notices in other languages are sorted at random; short ones are often wrong."),
    "how to start": ("How to use", "```python\nfrom notices import sort\n\nprint(sort('The ferry is late.'))\n```"),
    "training": ("Training data", "Two thousand notices of the ministry of ferries, read three times over."),
    "evaluation": ("Evaluation", "Three hundred notices that were kept back; nine of ten are sorted as clerks do."),
    "environmental impact": ("Environmental impact", "One hour on one small processor, about thirty watt hours."),
    "citation": ("Citation", "The clerks of the ministry, On sorting notices, second edition, 1987."),
}
#: What a template says where nobody wrote: the forms that a reader must not take for text.
UNTOUCHED = (
    "<!-- Say here what the model does, for whom it was made, and what it must not be used for. -->\n\n",
    "[More Information Needed]\n",
    "- **Developed by:** [More Information Needed]\n- **License:** [More Information Needed]\n",
    "More information needed\n",
    "- **Hours used:** TBD\n- **Hardware:** N/A\n",
    "{{ text | default('[More Information Needed]', true) }}\n",
)
GENERATED = """
# generated

This model is a fine-tuned version of [base](https://example.org/base) on the notices dataset.
It achieves the following results on the evaluation set:
- Loss: 0.31
- Accuracy: 0.91

## Model description

More information needed

## Intended uses & limitations

More information needed

## Training procedure

### Training hyperparameters

The following hyperparameters were used during training:
- learning_rate: 2e-05
- optimizer: adam with betas=(0.9,0.999) and epsilon=1e-08
- num_epochs: 3

### Training results

| Training Loss | Epoch | Step | Validation Loss | Accuracy |
|:-------------:|:-----:|:----:|:---------------:|:--------:|
| 0.52          | 1.0   | 100  | 0.34            | 0.90     |

### Framework versions

- Transformers 4.57.1
- Pytorch 2.9.0
"""


def planted_card(filled: Iterable[str], *, template: int = 0, front: str = "") -> str:
    """A card of all eight headings of which only ``filled`` hold text; ``template`` chooses the boilerplate."""
    own = set(filled)
    parts = [f"---\n{front}---\n" if front else "", "# A model of notices\n\n"]
    for i, name in enumerate(SECTIONS):
        heading, text = HEADINGS[name]
        empty = UNTOUCHED[(template + i) % len(UNTOUCHED)]
        parts.append(f"## {heading}\n\n{text if name in own else empty}\n\n")
    return "".join(parts)


def tensors(dtype: str = "F32") -> bytes:
    """The bytes of a safetensors file with one small tensor."""
    size = {"F32": 4, "F16": 2, "BF16": 2}[dtype]
    header = json.dumps({"w": {"dtype": dtype, "shape": [4], "data_offsets": [0, 4 * size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4 * size)


def whole() -> dict[str, str | bytes]:
    """A directory that shows everything: each claim of the card has a file that agrees with it."""
    front = (
        "license: mit\nlanguage: en\nbase_model: ferries/base-clerk\ndatasets:\n- ferries/notices\n"
        "pipeline_tag: text-classification\nwidget:\n- text: The ferry is late.\n  output: delay\n"
        "model-index:\n- name: clerk\n  results:\n  - dataset: {name: notices, type: notices}\n"
        "    metrics:\n    - {type: accuracy, value: 0.91}\n"
    )
    more = (
        "## Training procedure\n\nNotices were deduplicated, names of clerks were anonymized as personal data, and none"
        f" overlap the test. The code of the training is https://github.com/ferries/clerk/tree/{'ab12' * 10}; see"
        " https://arxiv.org/abs/2401.00001 on it. It ran for 2 hours on one GPU.\n\n"
        "## Evaluation of harms\n\nNo bias between districts was seen, within a 95 % confidence interval.\n\n"
        "## Energy and emissions\n\n0.3 kWh, about 0.1 kg of CO2.\n\n"
        "## Contact\n\nWrite to the ministry: clerk@ferries.example.\n"
    )
    config = {
        "model_type": "clerk",
        "architectures": ["ClerkForSequenceClassification"],
        "id2label": {"0": "delay", "1": "fare"},
        "torch_dtype": "float32",
        "_commit_hash": "ab12" * 10,
    }
    data = '{"text": "The ferry is late.", "label": 0}\n'
    files: dict[str, str | bytes] = {
        "README.md": planted_card(SECTIONS, front=front) + more,
        "LICENSE": "Permission is hereby granted, free of charge, to any clerk of the country.\n",
        "config.json": json.dumps(config),
        "tokenizer.json": "{}",
        "model.safetensors": tensors("F32"),
        "checkpoint-10/model.safetensors": tensors("F32"),
        "train.py": "print('train')\n",
        "evaluate.py": "print('evaluate')\n",
        "train_config.yaml": "seed: 7\nlearning_rate: 0.001\nbase_model: ferries/base-clerk\n"
        "dataset_name: ferries/notices\n",
        "trainer_state.json": json.dumps({"log_history": [{"loss": 0.3, "step": 10}]}),
        "all_results.json": json.dumps({"eval_accuracy": 0.9103}),
        "requirements.txt": "torch==2.9.0\ntransformers==4.57.1\n",
        "data/train.jsonl": data,
        "data/README.md": "Two thousand notices of the ministry of ferries, by the clerks who wrote them.\n",
        "paper.pdf": "%PDF-1.4\n",
    }
    files["statement.intoto.jsonl"] = statement({"data/train.jsonl": data.encode()})
    return files


def statement(files: Mapping[str, bytes]) -> str:
    """An envelope that names files with their digests, and is signed by nobody."""
    subjects = [{"name": n, "digest": {"sha256": hashlib.sha256(c).hexdigest()}} for n, c in files.items()]
    payload = base64.b64encode(json.dumps({"subject": subjects}).encode()).decode()
    return json.dumps({"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []}) + "\n"


def bare() -> dict[str, str | bytes]:
    """What it takes to load a model, and not a word about it."""
    config = {"model_type": "clerk", "architectures": ["ClerkForCausalLM"], "torch_dtype": "float32"}
    return {"config.json": json.dumps(config), "tokenizer.json": "{}", "model.safetensors": tensors("F32")}


#: Words without anything behind them.
BOASTS = """# clerk

Everything about this model is open: its weights, its code, its data, its paper and its license. It is tested, signed,
reproducible and ready for production.
"""
#: Sentences that state what nothing in the directory shows.
STATED = """---
base_model: ferries/base-clerk
datasets: ferries/notices
pipeline_tag: text-classification
---

# clerk

The code is at https://github.com/ferries/clerk, of the commit ab12ab1. Signed by the ministry.

## Training procedure

- learning_rate: 0.001
- seed: 7

The input is a notice of the ministry. The output is one of two words.

## Framework versions

Transformers 4.57.1
"""


def card_sections(_: Opener) -> list[Control]:
    """Cards that are complete, half filled, an untouched template, generated by a library, and not there at all."""
    half = SECTIONS[::2]
    return [
        _case("a complete card", {"README.md": planted_card(SECTIONS)}, 1.0),
        _case("a card half filled", {"README.md": planted_card(half, template=3)}, 0.5),
        _case("a template left untouched", {"README.md": planted_card(())}, 0.0),
        _case("a card that a library generated", {"README.md": GENERATED}, 0.0),
        _case("no card", {"config.json": "{}"}, 0.0),
    ]


def _case(name: str, files: Mapping[str, str | bytes], share: float) -> Control:
    kind: Literal["positive", "negative"] = "positive" if share else "negative"
    return Control(name, kind, Folder(name, files), expected=(share - 1e-9, share + 1e-9))


def openness(_: Opener) -> list[Control]:
    """Everything is there and named; only what is loaded is there; only boasts are there."""
    return [
        _case("all parts", whole(), 1.0),
        _case("what is loaded, and nothing else", bare(), 3 / 15),
        _case("boasts without evidence", {"README.md": BOASTS}, 0.0),
    ]


def reuse_attributes(_: Opener) -> list[Control]:
    """Every attribute shown; those of the files alone; attributes that are only stated, which counts as not shown."""
    return [
        _case("all attributes shown", whole(), 1.0),
        _case("what is loaded, and nothing else", bare(), 5 / 19),
        _case("attributes stated and not shown", {"README.md": STATED}, 0.0),
        _case("boasts without evidence", {"README.md": BOASTS}, 0.0),
    ]


def release_checklist(_: Opener) -> list[Control]:
    """Everything done; nothing done but a harmless format; a template that nobody filled."""
    return [
        _case("all items done", whole(), 1.0),
        _case("what is loaded, and nothing else", bare(), 1 / 25),
        _case("a template left untouched", {"README.md": planted_card(())}, 0.0),
    ]
