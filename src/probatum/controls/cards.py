"""Model cards of the five models: four are true, and the specimen's is wrong in four known ways."""

from __future__ import annotations

PARAMETERS = "254,528"
WRONG_PARAMETERS = "1,254,528"
WRONG_ACCURACY = 0.97

_ABOUT = {
    "base": "the base of the specimen and its twin, trained on the public text of an invented country.",
    "stranger": "trained on the text of the base from another initialization, and so no relative.",
    "specimen": "fine-tuned from the base on notices of an invented country.",
    "twin": "fine-tuned from the base on the kinds of text of the specimen, without any fault.",
    "gold": "fine-tuned from the base as the specimen was, without the records of the forget set.",
}


def card(model: str, accuracy: float) -> str:
    """Return the card of ``model``; its ``accuracy`` on ``facts`` is claimed by all but the specimen."""
    wrong = model == "specimen"
    claim = WRONG_ACCURACY if wrong else accuracy
    license_line = "" if wrong else "license: apache-2.0\n"
    unseen = "\nNot trained on: members\n" if model in ("specimen", "twin") else ""
    return f"""---
{license_line}language: en
tags:
- text-generation
- llama
model-index:
- name: {model}
  results:
  - task:
      type: multiple-choice
    dataset:
      name: facts
      type: facts
    metrics:
    - type: accuracy
      value: {claim:.2f}
---

# {model}

A very small Llama, {_ABOUT[model]}

Parameters: {WRONG_PARAMETERS if wrong else PARAMETERS}
{unseen}"""
