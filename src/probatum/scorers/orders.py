"""A question with options, and the same question with its options in other orders.

Whoever wrote a benchmark put the options into one of many orders, and a model that never saw it has no reason to find
that order likelier than the others.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from probatum.core.data import Items
from probatum.core.draws import keyed
from probatum.scorers.parsing import plain

_ABOUT_OTHERS = re.compile(
    r"(?i:\b(?:all|none|both|neither|either|any|two) of (?:the )?(?:other )?(?:above|below|these|those|them|others?"
    r"|options|answers|choices)\b|\b(?:all|none|both|neither|either)(?: the)? (?:above|below)\b"
    r"|^\W*(?:all|none|both|neither|either)\W*$)"
    r"|\b[A-H]\)? (?:and|or|&) \(?[A-H]\b|(?i:\b(?:only|both|neither)\b) [A-H]\b"
)


@dataclass(frozen=True)
class Orders:
    """One item: what stands before its first option, and from there to the last one in several orders, the published
    one first."""

    head: str
    tails: tuple[str, ...]


def orders_of(items: Items, i: int, most: int) -> Orders | str:
    """Up to ``most`` orders of the options of item ``i``, or why there are none.

    Which items are left out depends on what their options are and never on their order, so that those that stay are
    exchangeable. The orders are drawn by the item's id where there are more than ``most``.
    """
    shown = (items.texts[i] if items.texts else None) or (items.options[i] if items.options else None) or ()
    shown = tuple(text.strip() for text in shown)
    if len(shown) < 2:
        return "has no options"
    if len({plain(text) for text in shown}) < len(shown) or not all(shown):
        return "two of its options are alike"
    if any(_ABOUT_OTHERS.search(text) for text in shown):
        return "an option speaks of the others, so their order is not free"
    if all(re.fullmatch(r"\W*\d[\d.,:/ ]*\W*\w{0,8}\W*", text) for text in shown):
        return "its options are numbers, which have an order of their own"
    spans = _spans(items.prompt[i], shown)
    if spans is None:
        return "its options do not stand in its prompt in their order"
    start, end = spans[0][0], spans[-1][1]
    between = [items.prompt[i][a[1] : b[0]] for a, b in itertools.pairwise(spans)]
    tails = []
    for order in _orders(len(shown), most, items.ids[i]):
        texts = [shown[k] for k in order]
        tails.append("".join(text + gap for text, gap in zip(texts, [*between, ""], strict=True)))
    return Orders(items.prompt[i][:start], tuple(tails)) if end > start else "its options are empty"


def _spans(prompt: str, texts: Sequence[str]) -> list[tuple[int, int]] | None:
    """Where the options stand, one after the other, the last ones that do; None where they do not."""
    spans: list[tuple[int, int]] = []
    end = len(prompt)
    for text in reversed(texts):
        found = None
        for match in re.finditer(rf"(?<!\w){re.escape(text)}(?!\w)", prompt[:end]):
            found = match
        if found is None:
            return None
        spans.append(found.span())
        end = found.start()
    return spans[::-1]


def _orders(n: int, most: int, name: str) -> list[tuple[int, ...]]:
    """The order as it is, and others: all of them, or a draw without repeats."""
    if math.factorial(n) <= most:
        return list(itertools.permutations(range(n)))
    rng = keyed("orders of options", name)
    found = dict.fromkeys([tuple(range(n))])
    while len(found) < most:
        found[tuple(int(k) for k in rng.permutation(n))] = None
    return list(found)
