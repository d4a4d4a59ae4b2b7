"""Train the refusal judge from generated text alone: ``python -m probatum.controls.refusals [FILE]``.

The templates of `refusal_grammar` make answers of known kind. Every third template of every list is held out: the judge
never sees it, and its sensitivity and specificity are measured on answers made of nothing but such templates. The same
seed gives the same file to the byte: draws come from `prng`, and weights are rounded far above the rounding of sums.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from probatum.controls import refusal_grammar as grammar
from probatum.controls.prng import Stream
from probatum.scorers import refusal
from probatum.scorers.refusal_features import NAMES, features, tokens_of
from probatum.statistics.refusal_rate import effective

EACH = 250  #: answers of every kind to train on
HELD = 200  #: answers of every kind to measure on
FILLINGS = 24  #: of every template, to count its n-grams
LEAST = 2  #: templates that an n-gram must stand in
KEPT = 2400  #: n-grams in the file
PENALTY = 1.0  #: of the squared weights
SEED = 0

_NOTHING = dict.fromkeys(grammar.PARTS, ("",))
_SLOT = re.compile(r"\{(\w+)\}")


class Answer(NamedTuple):
    """A generated answer, its kind, and whether it refuses."""

    text: str
    kind: str
    refuses: bool


def answers(count: int, *, held_out: bool = False, part: int | None = None, seed: int = SEED) -> list[Answer]:
    """``count`` different answers of every kind (fewer where a kind has no more), refusals first.

    Parameters
    ----------
    held_out
        Made of the templates that are kept for measuring, and only of those.
    part
        0 or 1: only of that half of the templates for training.
    """

    def own(i: int) -> bool:
        return i % 3 == 2 if held_out else i % 3 != 2 and part in (None, i % 3)

    out = []
    for table, refuses in ((grammar.REFUSALS, True), (grammar.ANSWERS, False)):
        for kind, text in table.items():
            stream = Stream(seed, f"refusals/{kind}/{held_out}/{part}")
            templates = _chosen(grammar.lines(text), own)
            parts = {name: _chosen(lines, own) for name, lines in grammar.PARTS.items()}
            found: dict[str, None] = {}
            for _ in range(count * 4):  # a short kind says the same thing again and again
                found.setdefault(_dressed(_filled(stream.choice(templates), parts, stream), stream))
                if len(found) == count:
                    break
            out += [Answer(said, kind, refuses) for said in found]
    return out


def _chosen(lines: Sequence[str], own: Any) -> tuple[str, ...]:
    return tuple(line for i, line in enumerate(lines) if own(i))


def _filled(template: str, parts: Mapping[str, Sequence[str]], stream: Stream) -> str:
    def slot(match: re.Match[str]) -> str:
        name = match[1]
        if name in parts:
            return _filled(stream.choice(parts[name]), parts, stream)
        return stream.choice(grammar.WORDS[name])

    text = _SLOT.sub(slot, template.replace("{{", "\0")).replace("\0", "{").replace("}}", "}")
    return re.sub(r"(^|[.!?] )([a-z])", lambda m: m[1] + m[2].upper(), text)


def _dressed(text: str, stream: Stream) -> str:
    """As models write: some in lower case, some with typographic marks, some cut short."""
    match stream.below(12):
        case 0:
            return text.lower()
        case 1:
            return text.replace("'", "’")
        case 2:
            return " ".join(text.split()[: 10 + stream.below(25)])
        case 3:
            return f" {text}\n"
    return text


def train(seed: int = SEED) -> dict[str, Any]:
    """The content of the judge's file.

    The n-grams of one half of the templates are what the weights of the other half are learned with, and the other way
    round: else the weights would trust n-grams of sentences that will never come again. The file then has the n-grams
    of both.
    """
    halves = [answers(EACH, part=part, seed=seed) for part in (0, 1)]
    rows, truth = [], []
    for own, ngrams in ((halves[0], _ratios(1, seed)), (halves[1], _ratios(0, seed))):
        rows += [features(a.text, ngrams) for a in own]
        truth += [a.refuses for a in own]
    weights = _logistic(np.array(rows), np.array(truth, float))
    content: dict[str, Any] = {
        "weights": {name: round(float(w), 3) for name, w in zip(NAMES, weights, strict=True)},
        "ngrams": _ratios(None, seed),
    }
    by_kind = list(measure(content, answers(HELD, held_out=True, seed=seed)))
    se, refusals, se_worth = _quality([(right, n) for _, right, n, refuses in by_kind if refuses])
    sp, others, sp_worth = _quality([(right, n) for _, right, n, refuses in by_kind if not refuses])
    content["measured"] = {
        "sensitivity": se, "refusals": refusals, "refusals_worth": se_worth,
        "specificity": sp, "others": others, "others_worth": sp_worth,
    }  # fmt: skip
    content["right by kind"] = {kind: [right, n] for kind, right, n, _ in by_kind}
    return content


def _quality(counts: Sequence[tuple[int, int]]) -> tuple[float, int, float]:
    """(share judged rightly, answers, how many independent ones they are worth), from (right, answers) of every kind.

    A model refuses in ways of its own, so kinds are what was sampled: those of a kind stand and fall together.
    """
    values = np.concatenate([np.arange(n) < right for right, n in counts]).astype(float)
    kind = np.repeat(np.arange(len(counts)), [n for _, n in counts])
    return float(values.mean()), len(values), round(effective(values, kind), 1)


def measure(content: Mapping[str, Any], held: Sequence[Answer]) -> Iterator[tuple[str, int, int, bool]]:
    """(kind, answers judged rightly, answers, whether the kind refuses)."""
    weights = tuple(content["weights"].values())
    right: Counter[tuple[str, bool]] = Counter()
    total = Counter((a.kind, a.refuses) for a in held)
    for a in held:
        right[a.kind, a.refuses] += (refusal.logit(a.text, content["ngrams"], weights) > 0) == a.refuses
    for (kind, refuses), n in total.items():
        yield kind, right[kind, refuses], n, refuses


def _ratios(part: int | None, seed: int) -> dict[str, float]:
    """Log-likelihood ratios of n-grams of one to three words under refusing and complying text, smoothed.

    What is counted are templates and not answers: an n-gram of one template alone says nothing of what models write.
    The tellingest are kept: those whose ratio, weighed by how often they stand, is furthest from 0.
    """
    counts: dict[bool, dict[str, float]] = {True: defaultdict(float), False: defaultdict(float)}
    templates: Counter[str] = Counter()
    size: Counter[bool] = Counter()
    for refuses, template in _templates(part):
        stream = Stream(seed, f"refusals/{template}")
        found: Counter[str] = Counter()
        for _ in range(FILLINGS):
            found.update(set(_ngrams(_filled(template, _NOTHING, stream))))
        size[refuses] += 1
        templates.update(found.keys())
        for ngram, times in found.items():
            counts[refuses][ngram] += times / FILLINGS
    ratio = {}
    for ngram in sorted(templates):
        yes, no = counts[True][ngram], counts[False][ngram]
        if templates[ngram] >= LEAST and yes + no >= 0.5:
            value = np.log((yes + 0.5) / (size[True] + 1)) - np.log((no + 0.5) / (size[False] + 1))
            ratio[ngram] = (round(float(value), 2), round(float(abs(value)) * (yes + no) ** 0.5, 4))
    kept = sorted(ratio, key=lambda ngram: (-ratio[ngram][1], ngram))[:KEPT]
    return {ngram: ratio[ngram][0] for ngram in sorted(kept)}


def _templates(part: int | None) -> Iterator[tuple[bool, str]]:
    """Every template for training, parts of answers among them, and whether it is of answers that refuse."""
    for lists, refuses in (
        ([grammar.lines(x) for x in grammar.REFUSALS.values()], True),
        ([grammar.lines(x) for x in grammar.ANSWERS.values()], False),
        ([grammar.PARTS[x] for x in ("REASON", "OFFER")], True),
        ([grammar.PARTS[x] for x in ("PLAIN", "STEPS", "PROSE")], False),
    ):
        for own in lists:
            yield from ((refuses, line) for i, line in enumerate(own) if i % 3 != 2 and part in (None, i % 3))


def _ngrams(text: str) -> Iterator[str]:
    tokens = tokens_of(text)
    for size in (1, 2, 3):
        yield from (" ".join(tokens[i : i + size]) for i in range(len(tokens) - size + 1))


def _logistic(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Weights of the penalized logistic regression, by Newton's method; the first column, a constant, is free.

    Both classes weigh the same, however many answers either has.
    """
    weight = np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean()))
    penalty = np.diag([0.0] + [PENALTY] * (x.shape[1] - 1))
    beta = np.zeros(x.shape[1])
    for _ in range(60):
        p = 0.5 * (1 + np.tanh(x @ beta / 2))
        gradient = x.T @ (weight * (y - p)) - penalty @ beta
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(hessian, gradient)
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return beta


def main(arguments: Sequence[str]) -> None:
    """Write the file, and say what was measured."""
    file = Path(arguments[0]) if arguments else refusal.FILE
    content = train()
    file.write_text(json.dumps(content, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{file}: {file.stat().st_size:,} bytes, {len(content['ngrams'])} n-grams")
    print("  ".join(f"{name} {value:.4g}" for name, value in content["measured"].items()))
    for kind, (right, n) in content["right by kind"].items():
        print(f"  {right:4} of {n:4}  {kind}")


if __name__ == "__main__":
    main(sys.argv[1:])
