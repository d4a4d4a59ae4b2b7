"""Accounting for private training: an epsilon by every accountant, what it means, and the ledger of a project."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from probatum.core.errors import BadInput
from probatum.core.releases import Release, ledger_head, read_ledger, releases_of, spend
from probatum.statistics.accounting import Phase, Relation
from probatum.statistics.certificate import recheck
from probatum.statistics.composition import afford, compose, relation_of, remaining
from probatum.statistics.guarantee import checked, checked_delta, checked_relation, epsilon_at, guarantee, solve

__all__ = [
    "Phase",
    "Release",
    "account",
    "afford",
    "balances",
    "compose",
    "epsilon_at",
    "guarantee",
    "ledger_head",
    "read_ledger",
    "recheck",
    "releases_of",
    "remaining",
    "solve",
    "spend",
]

#: Two accountants agree whose bounds differ by less than this share: both round up, on different grids.
AGREEMENT = 2e-3


def account(
    phases: Sequence[Phase],
    delta: float,
    relation: Relation = "add-or-remove-one",
    *,
    n: int | None = None,
    peer: bool = True,
) -> dict[str, Any]:
    """Return what a training with clipped and noised gradients guarantees, by each accountant, and what it means.

    Parameters
    ----------
    phases
        Noise multiplier, sampling rate and steps of each part of the training.
    n
        The number of units, if known; a delta of 1/n or more is refused.
    peer
        Ask dp-accounting, too, where it is installed (extra ``dp``).

    Returns
    -------
    dict
        JSON types. ``epsilon`` has a row for each accountant with ``kind`` "upper bound" or "estimate"; only the first
        is the guarantee. ``risk`` holds bounds on every attack. Epsilons that are infinite are None.

    Raises
    ------
    BadInput
        A number cannot be one of a training.
    """
    from probatum.statistics.edgeworth import edgeworth_epsilon
    from probatum.statistics.privacy_risk import CLOSED_FORM, risk
    from probatum.statistics.rdp import rdp_epsilon

    checked_delta(delta, n)
    relation = checked_relation(relation)
    merged = checked(phases)
    if not merged:
        raise BadInput("there is no training to account for; give sigma, q and steps")
    bound = epsilon_at(merged, delta, relation)
    renyi, order = rdp_epsilon(merged, delta, relation)
    upper = "upper bound"
    rows: list[dict[str, Any]] = [
        {"accountant": "PLD", "epsilon": _finite(bound), "kind": upper, "guarantee": True},
        {"accountant": "RDP", "epsilon": _finite(renyi), "kind": upper, "guarantee": False, "order": order},
        {
            "accountant": "Edgeworth",
            "epsilon": _finite(edgeworth_epsilon(merged, delta, relation=relation)),
            "kind": "estimate",
            "guarantee": False,
            "order": 3,
        },
    ]
    if peer:
        rows.append(_dp_accounting(merged, delta, relation, bound))
    found = risk(merged, relation)
    return {
        "phases": [{"sigma": p.noise_multiplier, "q": p.sample_rate, "steps": p.steps} for p in merged],
        "delta": float(delta),
        "relation": relation,
        "n": n,
        "epsilon": rows,
        "risk": {
            "total_variation": found.total_variation,
            "bayes_security": found.bayes_security,
            "accuracy": found.accuracy,
            "tpr_at_fpr": {f"{fpr:g}": tpr for fpr, tpr in found.tpr_at_fpr.items()},
            "closed_form": {"bayes_security": found.closed_form, "kind": "estimate", "note": CLOSED_FORM},
        },
    }


def balances(
    ledger: Sequence[Release],
    *,
    delta: float | None = None,
    budget_epsilon: float | None = None,
    relation: Relation | None = None,
) -> list[dict[str, Any]]:
    """Return for each data set and unit of a ledger its releases, composed to one (epsilon, delta), and what is left.

    ``delta``: the smallest that its releases state, if None. ``left`` and ``within`` are None without a budget; where
    releases over one data set protect different units, no budget covers both, and ``within`` is False.
    """
    if budget_epsilon is not None and not budget_epsilon > 0:
        raise BadInput(f"a budget must be above 0, got {budget_epsilon:g}")
    found = []
    for data, unit in dict.fromkeys((r.data_digest, r.unit) for r in ledger):
        own = [r for r in ledger if r.data_digest == data and r.unit == unit]
        others = sorted({r.unit for r in ledger if r.data_digest == data} - {unit})
        at = min(r.delta for r in own) if delta is None else delta
        epsilon = compose(own, at, relation=relation)
        left = within = None
        if budget_epsilon is not None:
            left, within = max(0.0, budget_epsilon - epsilon), epsilon <= budget_epsilon and not others
        found.append(
            {
                "data_digest": data,
                "unit": unit,
                "relation": relation_of(own, relation),
                "releases": len(own),
                "names": list(dict.fromkeys(r.what for r in own)),
                "delta": at,
                "epsilon": _finite(epsilon),
                "budget": budget_epsilon,
                "left": left,
                "within": within,
                "other_units": others,
            }
        )
    return found


def _dp_accounting(phases: Sequence[Phase], delta: float, relation: Relation, bound: float) -> dict[str, Any]:
    """The same by dp-accounting's PLD, where it is installed and knows the relation."""
    row: dict[str, Any] = {
        "accountant": "dp-accounting PLD",
        "epsilon": None,
        "kind": "upper bound",
        "guarantee": False,
    }
    sampled = any(p.sample_rate < 1 for p in phases)
    if relation == "replace-one" and sampled:
        return {**row, "not_run": "dp-accounting has no replace-one with sampling"}
    try:
        from importlib.metadata import version

        from dp_accounting.pld import privacy_loss_distribution as pld
    except ImportError:
        return {**row, "not_run": "dp-accounting is not installed: pip install 'probatum[dp]'"}
    apart = 2.0 if relation == "replace-one" else 1.0
    whole = None
    for p in phases:
        grid = {"value_discretization_interval": 1e-4, "use_connect_dots": True, "sampling_prob": p.sample_rate}
        part = pld.from_gaussian_mechanism(p.noise_multiplier / apart, **grid).self_compose(p.steps)
        whole = part if whole is None else whole.compose(part)
    assert whole is not None
    epsilon = float(whole.get_epsilon_for_delta(delta))
    agrees: bool | None = None
    if math.isfinite(bound) and math.isfinite(epsilon):
        agrees = abs(epsilon - bound) <= AGREEMENT * max(bound, 0.05)
    return {**row, "epsilon": _finite(epsilon), "version": version("dp-accounting"), "agrees": agrees}


def _finite(x: float) -> float | None:
    return float(x) if math.isfinite(x) else None
