"""From p-values to outcomes: how many probes were corrected together, and what the rule then says of each."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from probatum.core.data import Data, Members
from probatum.core.decision import decide
from probatum.core.draws import keyed
from probatum.core.estimate import Result, Truth
from probatum.core.finding import Finding
from probatum.core.scores import Scores
from probatum.runner import Pending


def decide_all(
    pending: Sequence[Pending],
    data: Mapping[str, Data],
    *,
    primary: Mapping[str, Sequence[str]] | None = None,
    scores: Mapping[str, tuple[Scores, Truth, Result]] | None = None,
    seed: int = 0,
) -> list[Finding]:
    """Correct for the number of tests, then apply the rule of `probatum.core.decision`.

    The declared primary probes of a dimension, one for each access, are corrected among themselves (Holm). The others
    are corrected within dimension and access: by max-T where they score the same labeled records, since attacks on one
    set of texts say much the same; by Holm where they do not.
    """
    adjusted = _adjusted(pending, primary or {}, scores or {}, seed)
    findings = []
    for i, p in enumerate(pending):
        if p.result is None:
            findings.append(p.finding)
            continue
        kind = next(iter(p.method.signature.data.values()), None)
        records = data.get(kind) if kind else None
        outcome, direction, reason = decide(
            p.result,
            adjusted[i][0] if i in adjusted else None,
            p.proof,
            measure=p.method.measure,
            blind=p.finding.blind_baseline,
            randomized=isinstance(records, Members) and records.randomized,
            responders=[c for c in p.finding.controls if c.kind == "null responder"],
            oracle=next((c for c in p.finding.controls if c.kind == "oracle"), None),
        )
        findings.append(
            dataclasses.replace(
                p.finding,
                outcome=outcome,
                direction=direction,
                reason="; ".join(filter(None, (reason, p.finding.reason))),
                adjusted_p_value=adjusted[i][0] if i in adjusted else None,
                adjusted_by=adjusted[i][1] if i in adjusted else "",
            )
        )
    return findings


def _adjusted(
    pending: Sequence[Pending],
    primary: Mapping[str, Sequence[str]],
    scores: Mapping[str, tuple[Scores, Truth, Result]],
    seed: int,
) -> dict[int, tuple[float, str]]:
    """Place in ``pending`` to (corrected p-value, how it was corrected)."""
    from probatum.statistics.metrics import auroc
    from probatum.statistics.tests import holm

    families: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for i, p in enumerate(pending):
        if p.result is None or p.result.p_value is None or p.method.measure:
            continue
        place: tuple[Any, ...]
        if p.method.name in primary.get(p.finding.dimension, ()):
            place = (p.finding.dimension, "primary")
        elif p.method.metric is auroc and p.finding.id in scores:
            place = (p.finding.dimension, p.finding.access, "max-T", next(iter(p.finding.data.values()), ""))
        else:
            place = (p.finding.dimension, p.finding.access)
        families[place].append(i)
    adjusted: dict[int, tuple[float, str]] = {}
    for place, members in families.items():
        raw = [float(pending[i].result.p_value) for i in members]  # type: ignore[union-attr, arg-type]
        joint = "max-T" in place and len(members) > 1
        values = _max_t([scores[pending[i].finding.id] for i in members], seed) if joint else holm(raw)
        among = f"{len(members)} {'primary ' if 'primary' in place else ''}probe{'s' if len(members) > 1 else ''}"
        how = f"{'max-T' if joint else 'Holm'}, {among}" if len(members) > 1 else "one probe, no correction"
        adjusted.update((i, (float(v), how)) for i, v in zip(members, values, strict=True))
    return adjusted


def _max_t(found: Sequence[tuple[Scores, Truth, Result]], seed: int) -> Sequence[float]:
    """Joint permutation over all records that any of the attacks scored."""
    from probatum.statistics.multiplicity import max_t

    ids = sorted({name for scores, _, _ in found for name in scores.ids})
    place = {name: i for i, name in enumerate(ids)}
    label, cluster = np.zeros(len(ids), bool), np.array(ids, dtype=object)
    columns = []
    for scores, truth, _ in found:
        where = np.array([place[name] for name in scores.ids], dtype=int)
        column = np.full(len(ids), np.nan)
        column[where] = scores.values
        columns.append(column)
        label[where] = truth.label
        if truth.cluster is not None:
            cluster[where] = truth.cluster
    units = cluster if len(set(cluster)) < len(ids) else None
    return max_t(columns, label, cluster=units, rng=keyed(seed, "max-T"))  # type: ignore[return-value]
