"""Benchmark n-grams: does the model foretell the items as they were published, and not when they are written otherwise?

Xu et al. 2024 (P082, arXiv 2404.18824), n-gram accuracy: from K points of an item the next n tokens, foretold exactly.
A reference of the same item says how much of that is mere language: the paper's paraphrases where the items bring them,
else the item with its options in other orders, which are as good as the published one.
"""

from collections.abc import Sequence

import numpy as np

from probatum import Access, BadInput, Items, Scores, Target, probe
from probatum.core.target import TokenStatistics
from probatum.scorers.orders import Orders, orders_of
from probatum.statistics.exchangeability import beyond_references


@probe(
    paper="P082 arXiv:2404.18824",
    question="Does the model foretell these items better as they were published than written otherwise?",
    needs=Access.LOGPROBS,
    metric=beyond_references,
    control="contamination",
)
def benchmark_ngrams(target: Target, data: Items, *, n: int = 5, starts: int = 5, orders: int = 24) -> Scores:
    """Score an item by how many of ``starts`` n-grams of its published form are foretold, beside its references.

    Parameters
    ----------
    n
        Tokens that must follow greedily, all of them.
    starts
        Points from which is foretold, evenly over what differs; of a whole text the first two tokens are given.
    orders
        Orders of the options that are compared, the published one among them.

    Raises
    ------
    BadInput
        An option below 1, or fewer than two orders.

    Notes
    -----
    Greedy decoding writes an n-gram exactly if each of its tokens is the likeliest after the true ones before it, so
    one pass over the text tells. Paraphrases are forms "paraphrase …" of a cluster whose original has the form
    "original"; the test takes them as written as well as it, which a careful reader should doubt.
    """
    if min(n, starts) < 1 or orders < 2:
        raise BadInput(f"benchmark_ngrams needs n and starts of 1 or more and 2 orders, got {n}, {starts}, {orders}")
    texts = [_forms(data, i, orders) for i in range(len(data))]
    flat = [pair for row in texts if not isinstance(row, str) for pair in row]
    tokens = target.token_statistics([tail for _, tail in flat], prefixes=[head for head, _ in flat])
    hits = iter(_foretold(tokens, [head for head, _ in flat], n, starts))
    table = np.full((len(data), max((len(row) for row in texts if not isinstance(row, str)), default=2)), np.nan)
    reasons = {}
    for i, row in enumerate(texts):
        if isinstance(row, str):
            reasons[data.ids[i]] = row
            continue
        table[i, : len(row)] = [next(hits) for _ in row]
        if np.isnan(table[i, : len(row)]).any():
            reasons[data.ids[i]] = f"a form is shorter than {n} tokens"
    return Scores(
        data.ids, table[:, 0], "foretold", null=table[:, 1:], unscored=reasons, parameters={"starts": float(starts)}
    )


def _forms(data: Items, i: int, orders: int) -> list[tuple[str, str]] | str:
    """(what is given, what is foretold) of the published form and then of its references, or why there are none."""
    form, cluster = data.form or ("",) * len(data), data.cluster or data.ids
    if (form[i] or "").startswith("paraphrase"):
        return "a paraphrase: its original is scored"
    same = [k for k, name in enumerate(cluster) if name == cluster[i] and (form[k] or "").startswith("paraphrase")]
    if form[i] == "original" and same:
        return [("", data.prompt[k]) for k in (i, *same)]
    found = orders_of(data, i, orders)
    return [(found.head, tail) for tail in found.tails] if isinstance(found, Orders) else found


def _foretold(tokens: TokenStatistics, heads: Sequence[str], n: int, starts: int) -> list[float]:
    """Per text, how many of ``starts`` n-grams are foretold; NaN for a text of fewer tokens."""
    found = []
    for ids, likeliest, head in zip(tokens.id, tokens.argmax, heads, strict=True):
        right = np.r_[0, np.cumsum(ids == likeliest)]
        last = len(ids) - n
        if last < 0:
            found.append(np.nan)
            continue
        begin = np.rint(np.linspace(0 if head else min(2, last), last, starts)).astype(int)
        found.append(float((right[begin + n] - right[begin] == n).sum()))
    return found
