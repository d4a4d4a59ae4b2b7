"""Option order: does the model find the published order of the options likelier than other orders?

Ni et al. 2024 (P077, arXiv 2409.01790). Who never saw a multiple-choice item has no reason to prefer the order in which
its options were published; the paper asks how often that order is the likeliest of all. Here the ranks of all items are
combined, and their distribution under no contamination is exact.
"""

import numpy as np

from probatum import Access, BadInput, Items, Scores, Target, probe
from probatum.scorers.orders import Orders, orders_of
from probatum.statistics.exchangeability import published_order


@probe(
    paper="P077 arXiv:2409.01790",
    question="Was the model trained on these items in the order in which their options were published?",
    needs=Access.LOGPROBS,
    metric=published_order,
    control="contamination",
)
def option_order(target: Target, data: Items, *, reference: Target | None = None, orders: int = 24) -> Scores:
    """Score an item by the log-probability of its options in the published order, beside that in the other orders.

    Parameters
    ----------
    orders
        Orders of each item that are compared, the published one among them; all where there are fewer.

    Raises
    ------
    BadInput
        Fewer than two orders.

    Notes
    -----
    Exact if the authors of the items drew the order of the options. Where they followed a habit (the shortest first),
    any model that knows the habit prefers it: then give a reference that cannot have seen the items, whose
    log-probability is subtracted. Items are left out whose options are numbers, or speak of each other.
    """
    if orders < 2:
        raise BadInput(f"option_order compares at least 2 orders, got {orders}")
    found = [orders_of(data, i, orders) for i in range(len(data))]
    forms = [(i, o) for i, o in enumerate(found) if isinstance(o, Orders)]
    heads = [o.head for _, o in forms for _ in o.tails]
    tails = [tail for _, o in forms for tail in o.tails]
    logprob = _logprob(target, heads, tails)
    if reference is not None:
        logprob = logprob - _logprob(reference, heads, tails)
    most = max((len(o.tails) for _, o in forms), default=2)
    table = np.full((len(data), most), np.nan)
    at = 0
    for i, o in forms:
        table[i, : len(o.tails)] = logprob[at : at + len(o.tails)]
        at += len(o.tails)
    reasons = {name: why for name, why in zip(data.ids, found, strict=True) if isinstance(why, str)}
    silent = {data.ids[i]: "no likelihood came" for i, _ in forms if np.isnan(table[i, 0])}
    return Scores(data.ids, table[:, 0], "published order", null=table[:, 1:], unscored=reasons | silent)


def _logprob(target: Target, heads: list[str], tails: list[str]) -> np.ndarray:
    """Of every tail after its head, in nats; NaN where none came."""
    tokens = target.token_statistics(tails, prefixes=heads).logprob
    return np.where(tokens.lengths > 0, tokens.sum(), np.nan)
