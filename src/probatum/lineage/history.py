"""How models change: which kinds of commits, in which order, what they depend on, and which nobody was told of.

P173 (arXiv 2411.09645) read 200,000 commits of 50,000 models so; P110 (arXiv 2409.10472) found 40.87 % of the changes
of weights neither in a name nor in the documentation, over 52,227 models: a number to stand beside, not a norm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.lineage.commits import NAMES, Commit, category_of, file_category, read_commits, touched
from probatum.lineage.popularity import read_popularity
from probatum.scan.model_name import split
from probatum.statistics.bayesian_network import bayesian_network
from probatum.statistics.intervals import bootstrap, clopper_pearson

PUBLISHED = 0.4087  #: P110's share of changes of weights that were not signaled
LEAST = 10  #: repositories below which nothing is said of what differs between them
TIERS = {"previous": 0, "popularity": 0, "collaborators": 0, "category": 1}


@dataclass(frozen=True)
class History:
    """What `probatum history` found. Rows have name, count, n, rate, low, high."""

    repositories: tuple[str, ...]
    commits: int
    shares: tuple[dict[str, Any], ...]
    transitions: tuple[
        dict[str, Any], ...
    ]  #: before, after, count, n (of the commits after ``before``), rate, low, high
    edges: tuple[dict[str, Any], ...]  #: parent, child, gain in BIC
    bic: dict[str, float]
    unsignaled: dict[str, Any]  #: changes of weights without a word in the same commit
    never_signaled: dict[str, Any]  #: nor until the next change of weights
    notes: tuple[str, ...]


def history(paths: Sequence[str | Path], *, popularity: Path | None = None) -> History:
    """Read the histories of several model repositories as one body.

    Parameters
    ----------
    paths
        Git checkouts, or logs that `git_log.COMMAND` wrote.
    popularity
        CSV with the columns model,downloads (or likes); models are the names of the paths.
    """
    places = [Path(p) for p in paths]
    names = [p.resolve().name.removesuffix(".log").removesuffix(".git") for p in places]
    if twice := [n for n, count in Counter(names).items() if count > 1]:
        raise BadInput(f"two of the histories are called {twice[0]}")
    logs = [read_commits(p) for p in places]
    kinds = [[category_of(c) for c in log] for log in logs]
    owner = np.repeat(np.arange(len(logs)), [len(log) for log in logs])
    flat = np.array([k for own in kinds for k in own])
    shares = [rate(name, flat == name, owner) for name in NAMES]
    silent = [unsignaled(log) for log in logs]
    own = np.repeat(np.arange(len(logs)), [len(s) for s in silent])
    table = np.array([row for s in silent for row in s], dtype=bool).reshape(-1, 2)
    variables, notes = _variables(names, logs, kinds, popularity)
    edges, bic = _learn(variables, notes)
    if 1 < len(logs) < LEAST:
        notes.append(
            f"{len(logs)} repositories: intervals count commits as independent; from {LEAST} on, repositories."
        )
    return History(
        tuple(names), len(flat), tuple(sorted(shares, key=lambda r: -r["count"])), tuple(_transitions(kinds)),
        tuple(edges), bic, rate("in the same commit", table[:, 0], own),
        rate("until the next change", table[:, 1], own), tuple(notes),
    )  # fmt: skip


def unsignaled(log: Sequence[Commit]) -> list[tuple[bool, bool]]:
    """(not in the same commit, nor until the next change) of every commit that changes weights which were there before.

    A change is signaled by a touched document (README.md or another), or by weights under a new name whose version,
    size, precision or method is another one.
    """
    seen: set[str] = set()
    known: set[tuple[tuple[str, ...], ...]] = set()
    changes: list[tuple[bool, bool]] = []
    for commit in log:
        weights = {f for f in commit.files if file_category(f) == "parameters"}
        told = "documentation" in touched(commit) or any(_said(f) not in known for f in weights - seen)
        if weights & seen:
            changes.append((not told, not told))
        elif told and changes:
            changes[-1] = (changes[-1][0], False)
        known |= {_said(f) for f in weights - seen}
        seen |= weights
    return changes


def rate(name: str, hits: np.ndarray, owner: np.ndarray) -> dict[str, Any]:
    """A share with its interval: exact, and where there are enough repositories no narrower than by resampling them."""
    if not len(hits):
        return {"name": name, "count": 0, "n": 0, "rate": None, "low": None, "high": None}
    found = clopper_pearson(int(hits.sum()), len(hits))
    low, high = found.low, found.high
    if len(np.unique(owner)) >= LEAST:
        drawn = bootstrap(hits.astype(float), np.mean, rng=keyed("history", name), clusters=owner)
        low, high = min(low, drawn.low), max(high, drawn.high)
    return {"name": name, "count": int(hits.sum()), "n": len(hits), "rate": found.value, "low": low, "high": high}


def _said(file: str) -> tuple[tuple[str, ...], ...]:
    name = split(file)
    return name.version, name.size, name.precision, name.method


def _transitions(kinds: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    flows = Counter(pair for own in kinds for pair in pairwise(own))
    totals: Counter[str] = Counter()
    for (before, _), count in flows.items():
        totals[before] += count
    out = []
    for (before, after), count in sorted(flows.items(), key=lambda f: (-f[1], f[0])):
        found = clopper_pearson(count, totals[before])
        out.append({
            "before": before, "after": after, "count": count, "n": totals[before], "rate": found.value,
            "low": found.low, "high": found.high,
        })  # fmt: skip
    return out


def _variables(
    names: Sequence[str], logs: Sequence[Sequence[Commit]], kinds: Sequence[Sequence[str]], file: Path | None
) -> tuple[dict[str, list[str]], list[str]]:
    """One row for every commit that has one before it; a variable that cannot say anything is left out, with a note."""
    notes: list[str] = []
    lengths = [max(0, len(own) - 1) for own in kinds]
    out = {
        "category": [k for own in kinds for k in own[1:]],
        "previous": [k for own in kinds for k in own[:-1]],
    }
    per: dict[str, list[str]] = {"collaborators": [_crowd(log) for log in logs]}
    if file is not None:
        found = read_popularity(file, names)
        counts: Mapping[str, float] = found.get("downloads") or found["likes"]
        middle = float(np.median(list(counts.values())))
        per["popularity"] = ["?" if n not in counts else "more" if counts[n] > middle else "less" for n in names]
    for name, values in per.items():
        if len(names) < LEAST:
            notes.append(f"{name}: not established (fewer than {LEAST} repositories)")
        elif len(set(values)) < 2:
            notes.append(f"{name}: the same for all repositories")
        else:
            out[name] = [v for v, n in zip(values, lengths, strict=True) for _ in range(n)]
            notes.append(
                f"{name} belongs to a repository, not to a commit: its edges rest on {len(names)} repositories."
            )
    return out, notes


def _crowd(log: Sequence[Commit]) -> str:
    authors = len({c.author for c in log})
    return "one" if authors == 1 else "two or three" if authors < 4 else "more"


def _learn(variables: Mapping[str, list[str]], notes: list[str]) -> tuple[list[dict[str, Any]], dict[str, float]]:
    if len(variables["category"]) < 2:
        notes.append("network: not established (fewer than 3 commits)")
        return [], {}
    found = bayesian_network(variables, tiers={k: TIERS[k] for k in variables})
    edges = [{"parent": a, "child": b, "gain": gain} for a, b, gain in found.edges]
    return edges, {"learned": found.bic, "without edges": found.empty}
