"""What a reader must know of a whole audit beside its findings: the texts, the reference, where limits come from."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence

import numpy as np

from probatum.core.access import Access
from probatum.core.data import Data, Members
from probatum.core.errors import ProbatumError
from probatum.core.finding import Finding
from probatum.core.near import near_duplicates
from probatum.core.target import Target
from probatum.runner import Pending, Runner

#: Texts of each side that are searched for near-duplicates; the search is linear, but texts may be long.
SEARCHED = 5000
ALPHA = 0.01


def remarks(runner: Runner, pending: Sequence[Pending], findings: Sequence[Finding], *, foreign: bool) -> list[str]:
    """All notes of an audit. ``foreign``: the limits were measured on another model than the one under audit."""
    return [
        *_windowed(pending, runner.subject, runner.data),
        *_shared(runner.data),
        *_reference(runner, findings),
        *(_limits(findings) if foreign else []),
    ]


def _windowed(pending: Sequence[Pending], subject: Target, records: Mapping[str, Data]) -> list[str]:
    """Whether texts were longer than what the model reads at once; counted from the evidence, cached or not."""
    context, members = getattr(subject, "context", None), records.get("Members")
    scored = [p for p in pending if p.result is not None and p.method.needs & (Access.LOGPROBS | Access.LOGITS)]
    ran = any("Members" in p.method.signature.data.values() for p in scored)
    if context is None or not isinstance(members, Members) or not ran:
        return []
    try:
        tokens = subject.token_statistics(members.texts).logprob.lengths
    except ProbatumError:  # a budget that is spent; what is known is in the findings
        return []
    n = int((tokens > context).sum())
    if not n:
        return []
    return [
        f"{n} of {len(members)} texts are longer than the context of {context} tokens; they were read in overlapping "
        "windows, each token scored once"
    ]


def doubted(runner: Runner, findings: Sequence[Finding], key: str = "") -> list[Finding]:
    """The findings, where "no evidence" reads "inconclusive" if the data could have shown nothing.

    Half of the nonmembers or more are near-duplicates of members, a reference that was used has seen the members, or
    the key of the canaries does not fit the training data (``key``: how).
    """
    if all(f.outcome != "no evidence" for f in findings):
        return list(findings)
    members, coins = runner.data.get("Members"), [d.digest[:12] for d in runner.data.values() if d.name == "canaries"]
    own = members.digest[:12] if isinstance(members, Members) else ""
    copies, outside = _copies(members) if isinstance(members, Members) else (0, 0)
    seen = bool(_reference(runner, findings))
    out = []
    for f in findings:
        why = ""
        if key and not set(coins).isdisjoint(f.data.values()):
            why = key
        elif own in f.data.values() and copies >= outside / 2 > 0:
            why = f"{copies} of {outside} nonmembers are near-duplicates of members"
        elif own in f.data.values() and seen and "reference" in f.roles:
            why = "the reference by itself finds the members likelier"
        if why and f.outcome == "no evidence":
            reason = "; ".join(filter(None, (f"nothing was found, but {why}", f.reason)))
            f = dataclasses.replace(f, outcome="inconclusive", direction=None, reason=reason)
        out.append(f)
    return out


@functools.lru_cache(maxsize=1)
def _copies(members: Members) -> tuple[int, int]:
    """Nonmembers that are members in all but name, and how many nonmembers were looked at."""
    if members.label is None:
        return 0, 0
    label = np.array(members.label)
    inside, outside = (members.take(np.flatnonzero(side)).limit(SEARCHED) for side in (label, ~label))
    return int(near_duplicates(outside.texts, inside.texts).sum()), len(outside)


def _shared(records: Mapping[str, Data]) -> list[str]:
    """Near-duplicates make every membership number look worse than it is."""
    members = records.get("Members")
    n, outside = _copies(members) if isinstance(members, Members) else (0, 0)
    if not n:
        return []
    return [
        f"{n} of {outside} nonmembers ({n / outside:.1%}) share at least half of a member's text or of their "
        "own; near-duplicates of what was trained on are no nonmembers, so membership is understated"
    ]


def _reference(runner: Runner, findings: Sequence[Finding]) -> list[str]:
    """A reference that finds the members likelier has probably seen them, and then hides what it should show."""
    members, reference = runner.data.get("Members"), runner.roles.get("reference")
    used = any("reference" in f.roles and f.estimate is not None for f in findings)
    if reference is None or not used or not isinstance(members, Members) or members.label is None:
        return []
    from probatum.statistics import roc
    from probatum.statistics.tests import mann_whitney

    try:
        logprob = reference.token_statistics(members.texts).logprob.mean()
    except ProbatumError:
        return []
    scored, label = ~np.isnan(logprob), np.array(members.label)
    own, other = logprob[scored & label], logprob[scored & ~label]
    if min(len(own), len(other)) < 10:
        return []
    auc, p = roc.delong(own, other)[0], mann_whitney(own, other).value
    if auc <= 0.5 or p > ALPHA:
        return []
    why = "it was trained on them" + ("" if members.randomized else ", the sets differ by themselves")
    return [
        f"the reference {reference.name} by itself finds the members likelier (AUROC {auc:.2f}, p = {p:.2g}): {why}, "
        "or chance has it so; attacks against a reference understate what this model learned"
    ]


def _limits(findings: Sequence[Finding]) -> list[str]:
    """On which model the limits were measured."""
    if not any(f.detection_limit for f in findings):
        return []
    return [
        "detection limits were measured on the specimen (0.25 M parameters), not on this model; --in-situ plants "
        "controls in a copy of it"
    ]
