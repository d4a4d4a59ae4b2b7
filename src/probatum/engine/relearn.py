"""A short fine-tuning on what was forgotten, or on a part of it, and what comes back: an attack on a repair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from probatum.core.errors import NotOffered, ProbatumError
from probatum.core.target import Target
from probatum.engine.answers import Answers
from probatum.engine.tuning import read_back, schedule, stepper


def recalled(model: Any, answers: Answers) -> np.ndarray:
    """Where greedy decoding writes the whole answer, boolean, shape (n,).

    It does if and only if each token of it is the likeliest after the true ones.
    """
    told = zip(read_back(model, answers.rows), answers.counted, strict=True)
    return np.array([likeliest[marks[1:]].all() for (_, likeliest), marks in told], bool)


def relearned(
    target: Target,
    taught: Answers,
    asked: Sequence[Answers],
    *,
    steps: Sequence[int],
    learning_rate: float,
    batch_size: int,
    rng: np.random.Generator,
) -> list[list[np.ndarray]] | None:
    """Fine-tune a copy on whole texts at a constant rate, and see what is `recalled` of each of ``asked`` on the way.

    Returns
    -------
    list or None
        ``[i][j]``: boolean array, of ``asked[j]`` after ``steps[i]`` (ascending); None where the loss ended as no
        number: this rate wrecks the model.
    """
    found = []
    rows = schedule(len(taught), batch_size, max(steps), rng)
    with target.module() as model:
        step = stepper(model, learning_rate=learning_rate, warmup=1)
        if 0 in steps:
            found.append([recalled(model, a) for a in asked])
        for n, batch in enumerate(rows, 1):
            try:
                step([taught.rows[i] for i in batch])
            except NotOffered:  # memory ran out, which says nothing of the rate
                raise
            except ProbatumError:
                return None
            if n in steps:
                found.append([recalled(model, a) for a in asked])
    return found
