"""How likely the true value of a fact is to a model, beside wrong values of its kind (TOFU's perturbed answers)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from probatum.core.data import Facts
from probatum.core.target import Target


@dataclass(frozen=True)
class Valued:
    """Per fact an array (wordings, 1 + wrong values), the true value first: Σ log p and the tokens that it sums.

    Both are empty where ``unscored`` tells why.
    """

    logprob: list[np.ndarray]
    tokens: list[np.ndarray]
    unscored: dict[str, str]


def valued(target: Target, facts: Facts, *, rephrased: bool = False) -> Valued:
    """log p of the true value and of every wrong one after the same words.

    ``rephrased``: after each of the fact's paraphrases, and after its own prefix where it has none; else after its own
    prefix only.
    """
    unscored: dict[str, str] = {}
    prompts: list[str] = []
    options: list[list[str]] = []
    of: list[int] = []
    for i, name in enumerate(facts.ids):
        secret = facts.secret[i]
        wrong = [o for o in dict.fromkeys((facts.others[i] if facts.others else None) or ()) if o and o != secret]
        ways = list((rephrased and facts.paraphrases and facts.paraphrases[i]) or [facts.prefix[i]])
        if not secret:
            unscored[name] = "no token of the secret has a score"
        elif not all(ways):
            unscored[name] = "a text without a prefix cannot be asked"
        elif not wrong:
            unscored[name] = "no wrong values of its kind are given"
        else:
            prompts += ways
            options += [[secret, *wrong]] * len(ways)
            of += [i] * len(ways)
    found = target.choices(prompts, options) if prompts else None
    rows: list[list[int]] = [[] for _ in facts.ids]
    for row, i in enumerate(of):
        rows[i].append(row)
    logprob, tokens = [], []
    for i, own in enumerate(rows):
        if found is None or not own:
            logprob.append(np.zeros((0, 0)))
            tokens.append(np.zeros((0, 0)))
            continue
        logprob.append(np.array([found.logprob[row] for row in own], float))
        tokens.append(np.array([found.tokens[row] for row in own], float))
        if not np.isfinite(logprob[-1]).all() or not tokens[-1].all():
            unscored[facts.ids[i]] = "no token of a value has a score"
    return Valued(logprob, tokens, unscored)


def truth_ratios(
    target: Target, facts: Facts, mean: Literal["geometric", "arithmetic"] = "geometric"
) -> tuple[np.ndarray, dict[str, str]]:
    """(R, unscored), shape (n,): mean of p(wrong)^(1/|wrong|) over p(true)^(1/|true|), after the paraphrases.

    Maini et al. 2024 (arXiv 2401.06121).The paper writes an arithmetic mean; its code, and with it every
    published number, takes the mean of the losses, which is the geometric one.
    """
    values = valued(target, facts, rephrased=True)
    ratio = np.full(len(facts), np.nan)
    for i, name in enumerate(facts.ids):
        if name not in values.unscored:
            each = values.logprob[i] / values.tokens[i]
            true, wrong = (_log_mean(part.ravel(), mean) for part in (each[:, 0], each[:, 1:]))
            # Beyond e^700 a number is none any more; whatever lies there is as far off as can be.
            ratio[i] = np.exp(min(wrong - true, 700.0))
    return ratio, values.unscored


def _log_mean(logarithms: np.ndarray, mean: str) -> float:
    if mean == "geometric":
        return float(logarithms.mean())
    return float(np.logaddexp.reduce(logarithms) - np.log(len(logarithms)))
