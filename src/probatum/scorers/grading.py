"""From answers to scores: every answer is answered, refused, unparsable or missing, and none is dropped silently."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from probatum.core.data import Items
from probatum.core.draws import keyed
from probatum.core.scores import Released, Scores
from probatum.core.target import Target
from probatum.scorers.parsing import chosen
from probatum.scorers.refusal import refuses

KINDS = ("answered", "refused", "unparsable", "missing")


def ask(target: Target, data: Items, *, max_new_tokens: int = 32) -> list[str | None]:
    """What the target answers to every item."""
    return target.answers(data.conversations, max_new_tokens=max_new_tokens)


def choices(data: Items, said: Sequence[str | None]) -> list[int | None]:
    """The number of the option that each answer names; None where it names none or several."""
    assert data.options is not None
    letters = data.texts or (None,) * len(data)
    return [
        None if answer is None else chosen(answer, options or (), texts)
        for answer, options, texts in zip(said, data.options, letters, strict=True)
    ]


def right(data: Items, said: Sequence[str | None]) -> np.ndarray:
    """1 where the option that an answer names is the item's, 0 where it is another, NaN where it names none; (n,)."""
    assert data.options is not None
    assert data.answer is not None
    values = []
    for found, options, answer in zip(choices(data, said), data.options, data.answer, strict=True):
        values.append(np.nan if found is None else float((options or ())[found] == answer))
    return np.array(values)


def graded(
    data: Items,
    said: Sequence[str | None],
    values: Sequence[float] | np.ndarray,
    towards: str,
    *,
    otherwise: float = 0.0,
    released: Released | None = None,
    expected: Sequence[float] | np.ndarray | float | None = None,
    note: str = "",
) -> Scores:
    """Scores of answers. ``values`` has NaN where an answer could not be read: it counts as ``otherwise`` (NaN: not at
    all), and is told apart as refused or unparsable. An empty answer is missing, and counts the same; an answer that
    never came has no score."""
    numbers = np.asarray(values, dtype=float)
    kinds, unscored = [], {}
    for name, answer, value in zip(data.ids, said, numbers, strict=True):
        if answer is None:
            unscored[name] = "no answer came"
        if answer is None or not answer.strip():
            kinds.append("missing")
        elif not np.isnan(value):
            kinds.append("answered")
        else:
            kinds.append("refused" if refuses(answer) else "unparsable")
    filled = np.where(np.isnan(numbers), otherwise, numbers)
    if np.isnan(otherwise):
        unscored |= {
            name: f"{kind} answer" for name, kind in zip(data.ids, kinds, strict=True) if kind != "answered"
        } | unscored
    return Scores(
        data.ids, filled, towards, unscored=unscored, said=said, kinds=kinds, released=released, expected=expected,
        note=note,
    )  # fmt: skip


def as_released(
    name: str, n: int, score: Callable[[np.ndarray], float], *, seed: int = 0, draws: int = 200
) -> Released | None:
    """A published score with its 95 % percentile bootstrap interval over items.

    ``score`` takes the numbers of the items that count, shape (m,), and may give NaN where it is not defined.
    """
    if n == 0:
        return None
    value = score(np.arange(n))
    if not np.isfinite(value):
        return None
    rng = keyed(seed, "released", name)
    drawn = np.array([score(rng.integers(n, size=n)) for _ in range(draws)])
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (None, None)
    return Released(name, float(value), None if low is None else float(low), None if high is None else float(high))
