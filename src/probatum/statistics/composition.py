"""What several releases over the same data cost together: one epsilon, composed exactly, and what a budget has left."""

from collections.abc import Sequence
from typing import NamedTuple

from probatum.core.errors import BadInput
from probatum.core.releases import Release
from probatum.statistics.accounting import Phase, Relation
from probatum.statistics.guarantee import checked_delta, checked_relation, epsilon_at


class Remaining(NamedTuple):
    """Of one data set: the releases so far, the epsilon they add up to, and what the budget has left, 0 at least."""

    releases: int
    spent: float
    left: float


def phases(releases: Sequence[Release]) -> list[Phase]:
    """The phases of releases, for the accountant."""
    return [Phase(float(r.sigma), float(r.q), int(r.T)) for r in releases]


def compose(releases: Sequence[Release], delta: float, *, relation: Relation | None = None) -> float:
    """Return one upper bound of epsilon at ``delta`` for all releases together; 0 for none.

    They must be of one data set and one unit. ``relation``: needed where the releases state different ones; noise and
    sampling fix the bound of either. Raises `BadInput`.
    """
    checked_delta(delta)
    if not releases:
        return 0.0
    if len(data := {r.data_digest for r in releases}) > 1:
        raise BadInput(f"{len(data)} data sets: releases of different data are composed each by itself; name one")
    if len(units := sorted({r.unit for r in releases})) > 1:
        raise BadInput(
            f"the releases protect different units ({', '.join(units)}); there is no one epsilon for all of them"
        )
    return epsilon_at(phases(releases), delta, relation_of(releases, relation))


def remaining(
    ledger: Sequence[Release],
    data_digest: str,
    delta: float,
    *,
    budget_epsilon: float,
    relation: Relation | None = None,
) -> Remaining:
    """Return what is spent of a budget by the releases over one data set, and what is left.

    What is left may be spent by any further release of so much pure epsilon; of a private training more fits, since
    noise composes better than epsilons add: ask `afford`. Raises `BadInput` as `compose`.
    """
    _budget(budget_epsilon)
    own = [r for r in ledger if r.data_digest == data_digest]
    spent = compose(own, delta, relation=relation)
    return Remaining(len(own), spent, max(0.0, budget_epsilon - spent))


def afford(
    ledger: Sequence[Release],
    planned: Sequence[Release],
    delta: float,
    *,
    budget_epsilon: float,
    relation: Relation | None = None,
) -> float:
    """Return the epsilon of all releases over the data of ``planned`` with these added, if the budget allows them.

    To be asked before a training starts. Raises `BadInput` where it does not, with what is spent, needed and allowed.
    """
    _budget(budget_epsilon)
    if not planned:
        raise BadInput("nothing is planned")
    own = [r for r in ledger if r.data_digest == planned[0].data_digest]
    after = compose([*own, *planned], delta, relation=relation)
    if after > budget_epsilon:
        known = relation_of([*own, *planned], relation)
        spent = compose(own, delta, relation=known)
        state = "is spent" if spent >= budget_epsilon else "does not suffice"
        earlier = f"{len(own)} earlier release{'s' if len(own) != 1 else ''} took {spent:.4g}"
        raise BadInput(
            f"the budget of epsilon {budget_epsilon:g} for data {planned[0].data_digest[:12]} {state}: {earlier}, and "
            f"with this one it would be {after:.4g} at delta {delta:g}; nothing was trained"
        )
    return after


def relation_of(releases: Sequence[Release], relation: Relation | None) -> Relation:
    """The relation that was asked for, or else the one that all releases state. Raises `BadInput` where they differ."""
    if relation is not None:
        return checked_relation(relation)
    stated = sorted({r.relation for r in releases})
    if len(stated) > 1:
        raise BadInput(f"the releases state different relations ({', '.join(stated)}); say which to compose them under")
    return checked_relation(stated[0])


def _budget(epsilon: float) -> None:
    if not epsilon > 0:
        raise BadInput(f"a budget must be above 0, got {epsilon:g}")
