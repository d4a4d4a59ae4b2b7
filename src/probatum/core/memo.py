"""MEMO: how much of an answer a model goes on with by itself, however far the answer has got.

Gu et al. 2024, P238 (arXiv 2409.11844), suffix mode. The answer is cut every few characters; at each cut the model goes
on greedily, and the share of what it says that stands in the rest of the answer (ROUGE-1 precision) is averaged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from probatum.core.overlap import Unit, rouge_1_precision, units
from probatum.core.target import Target

_TOKENS = 200  # generated after a cut at most, as in the paper


def memo_of(
    target: Target, prefixes: Sequence[str], answers: Sequence[str], *, step: int = 5, unit: Unit = "character"
) -> np.ndarray:
    """MEMO of every answer after its prefix, shape (n,); NaN of an answer without a unit.

    Parameters
    ----------
    step
        Characters from one cut to the next; the first cut is before the answer.
    unit
        What ROUGE counts.

    Notes
    -----
    The paper lets the model say 200 tokens and counts them all, so a short answer before a long afterthought scores
    low; here what is said is cut to as many units as the rest of the answer has. Equal prompts are asked once.
    """
    asked = []
    by_length: dict[int, dict[str, None]] = defaultdict(dict)
    for i, (prefix, answer) in enumerate(zip(prefixes, answers, strict=True)):
        for cut in range(0, len(answer), step):
            prompt, rest = prefix + answer[:cut], units(answer[cut:], unit)
            if rest:
                length = min(_TOKENS, 1 << (len(answer) - cut - 1).bit_length())
                by_length[length][prompt] = None
                asked.append((i, length, prompt, rest))
    said = {
        (length, prompt): text
        for length, prompts in by_length.items()
        for prompt, text in zip(prompts, target.generate([*prompts], max_new_tokens=length), strict=True)
    }
    total, cuts = np.zeros((2, len(answers)))
    for i, length, prompt, rest in asked:
        total[i] += rouge_1_precision(units(said[length, prompt], unit)[: len(rest)], rest)
        cuts[i] += 1
    return np.divide(total, cuts, out=np.full_like(total, np.nan), where=cuts > 0)
