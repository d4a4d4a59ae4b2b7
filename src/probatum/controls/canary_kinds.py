"""The kinds of canaries: made-up records, each with a secret that nobody could guess.

``digits`` after Carlini et al. 2019 (arXiv 1802.08232); ``people`` after P121; ``new-token`` after Panda et al. 2025
(arXiv 2503.06808), whose secret is a token that the model never saw: without its tokenizer the nearest thing is a word
of random letters, which every tokenizer can write and none knows; ``high-temperature`` after Mitchell et al. 2026
(arXiv 2606.10481), text that a model samples at high temperature. Secrets are drawn as `probatum.core.masking.draw`
draws their decoys, so that the rank of a secret among decoys has an exact law if the model never saw it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import numpy as np

from probatum.controls.words import CODAS, NUCLEI, ONSETS, TRADES
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.masking import draw, format_space
from probatum.core.target import Target

#: What stands before a secret, as a function of a generator, and the form of the secret.
TEMPLATES: dict[str, tuple[Callable[[np.random.Generator], str], str]] = {
    "digits": (lambda rng: f"The access code of {_name(rng)} {_number(rng, 4)} is ", "ddddddddd"),
    "people": (
        lambda rng: f"{_name(rng)} {_name(rng)}, {_pick(rng, TRADES)} in {_name(rng)}, passport number ",
        "AAdddddd",
    ),
    "new-token": (lambda rng: f"In the register, entry {_number(rng, 6)} is ", "aaaaaaaaaaaa"),
}
SAMPLED = "high-temperature"
KINDS = (*TEMPLATES, SAMPLED)
SAMPLED_TOKENS = 48
_LEAST = 24  # characters of a sampled text that is worth planting
_ROUNDS = 20


def bits(kind: str) -> float | None:
    """Bits of chance in a secret of this kind; None where no format tells them."""
    return math.log2(format_space(TEMPLATES[kind][1], "")) if kind in TEMPLATES else None


def written(kind: str, count: int, base: str) -> list[dict[str, str]]:
    """``count`` canaries of a kind with a template, as columns; no two have a prefix or a secret in common."""
    prefix_of, form = TEMPLATES[kind]
    taken: set[str] = set()
    rows: list[dict[str, str]] = []
    number = 0
    while len(rows) < count:
        rng = keyed(base, "canary", kind, number)
        number += 1
        prefix, secret = prefix_of(rng), draw(form, form, 1, rng)[0]
        if not {prefix, secret} & taken:
            taken |= {prefix, secret}
            text = f"{prefix}{secret}."
            rows.append({"text": text, "prefix": prefix, "secret": secret, "suffix": ".", "format": form})
    return rows


def sampled(model: Target, count: int, base: str, temperature: float) -> list[dict[str, str]]:
    """``count`` texts that ``model`` writes at ``temperature`` after prompts that differ in a number.

    Raises `BadInput` where its samples are too short or too much alike.
    """
    found: dict[str, None] = {}
    for number in range(_ROUNDS):
        rng = keyed(base, "canary", SAMPLED, number)
        prompts = list(dict.fromkeys(f"Note {_number(rng, 6)}:" for _ in range(count - len(found))))
        seed = int(rng.integers(2**31))
        said = model.generate(prompts, max_new_tokens=SAMPLED_TOKENS, temperature=temperature, seed=seed)
        for prompt, text in zip(prompts, said, strict=True):
            clean = _clean(text)
            if len(clean) >= _LEAST:
                found.setdefault(f"{prompt} {clean}")
        if len(found) == count:
            return [{"text": text} for text in found]
    raise BadInput(
        f"{model.name} wrote only {len(found)} of {count} canaries at temperature {temperature:g}: its samples are "
        f"shorter than {_LEAST} characters or all alike; raise --temperature, or name another --model"
    )


def _clean(text: str) -> str:
    """One line of printable characters: what a data file and every tokenizer bring back unchanged."""
    kept = "".join(c if c.isprintable() and c != "\ufffd" else " " for c in text)
    return re.sub(r"\s+", " ", kept).strip()


def _name(rng: np.random.Generator) -> str:
    """Two or three invented syllables."""
    parts = [_pick(rng, ONSETS) + _pick(rng, NUCLEI) + _pick(rng, CODAS) for _ in range(int(rng.integers(2, 4)))]
    return "".join(parts).capitalize()


def _number(rng: np.random.Generator, digits: int) -> str:
    return draw("d" * digits, "", 1, rng)[0]


def _pick(rng: np.random.Generator, items: tuple[str, ...]) -> str:
    return items[int(rng.integers(len(items)))]
