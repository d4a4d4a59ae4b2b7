"""Checks that run a probe on toys. A method whose needs no toy covers is not asked (`Candidate.runs_on_toys`)."""

from __future__ import annotations

import contextlib
import json

import numpy as np

from probatum.core.access import Access
from probatum.core.binding import KNOWN, missing
from probatum.core.errors import NotOffered
from probatum.core.scores import Scores
from probatum.statistics import TooFew
from probatum.testing.candidate import Broken, Candidate
from probatum.testing.toys import reordered, short_data

TOLERANCE = 1e-5


def says_what_it_lacks(c: Candidate) -> None:
    """On a target that gives too little, it reads "not run: needs X, this … gives Y", and no exception."""
    for lacking in c.method.needs:
        target = c.target(c.method.needs & ~lacking)
        expected = f"needs {lacking}, this {target.kind} gives {target.access}"
        if c.method.kind == "probe":
            finding = c.runner(target, c.data, {}).run(c.method, {}).finding
            got = finding.reason if finding.outcome == "not run" else f"outcome '{finding.outcome}'"
        else:
            got = missing(c.method, target, c.data, {}) or "nothing"
        if got != expected:
            raise Broken(f"{c.method.name}: without {lacking} it must read 'not run: {expected}', it reads '{got}'")


def keeps_to_its_needs(c: Candidate) -> None:
    """It touches nothing beyond the access that it declares."""
    if not c.runs_on_toys:
        return
    try:
        c.run()
    except NotOffered as error:
        declared = c.method.needs or Access(0)
        raise Broken(f"{c.method.name} declares {declared}, and touches more: {error}") from error


def gives_scores(c: Candidate) -> None:
    """It returns `Scores` of records, or clusters, that it was given; its metric makes something of them."""
    if not c.runs_on_toys:
        return
    scores, truth = c.run()
    if not scores.towards.strip():
        raise Broken(f"{c.method.name} does not say what a high score points towards")
    if len(set(scores.ids)) < len(scores.ids):
        raise Broken(f"{c.method.name} gives a record two scores")
    if not scores.scored.any():
        raise Broken(f"{c.method.name} scores none of {len(scores)} ordinary toy records: {scores.unscored}")
    if c.method.metric is None:
        raise Broken(f"{c.method.name} has no metric")
    learns = KNOWN in c.method.signature.data
    with contextlib.suppress(*((TooFew,) if learns else ())):  # one half of the toys is fewer than a metric may want
        c.method.metric(scores, truth)


def repeats_itself(c: Candidate) -> None:
    """The same seed gives the same scores."""
    if not c.runs_on_toys:
        return
    again = _differ(c.run(seed=3)[0], c.run(seed=3)[0])
    if again:
        raise Broken(f"{c.method.name}: the same seed gives other scores ({again})")


def does_not_mind_the_order(c: Candidate) -> None:
    """Reordered records give reordered scores; random numbers go by the record's id, never by its place."""
    if not c.runs_on_toys:
        return
    other = _differ(c.run()[0], c.run(reordered(c.data))[0])
    if other:
        raise Broken(f"{c.method.name}: the order of the records changes the scores ({other})")


def scores_rows_apart(c: Candidate) -> None:
    """A probe that says it is row-wise gives a record the same score in other company."""
    kinds = [*c.method.signature.data.values()]
    if not c.runs_on_toys or not c.method.rowwise:
        return
    whole, data = c.run()[0], c.data
    records = data[kinds[0]]
    parts = [c.run({**data, kinds[0]: records.take(np.arange(i, len(records), 2))})[0] for i in (0, 1)]
    other = _differ(whole, Scores.joined(parts))
    if other:
        raise Broken(f"{c.method.name}: rowwise, but a record's score depends on the other records ({other})")


def leaves_out_what_it_cannot_score(c: Candidate) -> None:
    """A record with nothing to score is unscored, with a reason; it is never 0, and never a crash."""
    kinds = [*c.method.signature.data.values()]
    if not c.runs_on_toys or not kinds or c.method.items or "short" not in short_data()[kinds[0]].ids:
        return
    try:
        scores, _ = c.run(short_data())
    except Exception as error:
        raise Broken(f"{c.method.name}: an empty record ends it: {type(error).__name__}: {error}") from error
    if "short" not in scores.ids:
        raise Broken(f"{c.method.name}: an empty record is dropped without a word")
    if scores.scored[scores.ids.index("short")] or not scores.unscored.get("short"):
        value = scores.values[scores.ids.index("short")]
        raise Broken(f"{c.method.name}: an empty record must be unscored, with a reason; it has the score {value:g}")


def survives_json(c: Candidate) -> None:
    """Scores can be written as JSON and read back."""
    if not c.runs_on_toys:
        return
    own = {"Items": c.data["Items"]} if c.method.items else {}  # a task has its own, and no other shape
    scores, _ = c.run({**c.data, **short_data(), **own})
    columns = {name: getattr(scores, name) for name in ("values", "expected", "null")}
    plain = {name: _listed(column) for name, column in columns.items()}
    rest = {
        "ids": scores.ids,
        "towards": scores.towards,
        "unscored": dict(scores.unscored),
        "note": scores.note,
        "parameters": dict(scores.parameters),
    }
    try:
        raw = json.loads(json.dumps({**rest, **plain}, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise Broken(f"{c.method.name}: its scores cannot be written as JSON: {error}") from error
    expected, null = (None if raw[n] is None else np.array(raw[n], dtype=float) for n in ("expected", "null"))
    values = np.array(raw["values"], dtype=float)
    said = {"unscored": raw["unscored"], "note": raw["note"], "parameters": raw["parameters"]}
    back = Scores(raw["ids"], values, raw["towards"], expected=expected, null=null, **said)
    lost = _differ(scores, back)
    if lost:
        raise Broken(f"{c.method.name}: its scores do not survive JSON ({lost}); are all of them finite?")


def _listed(values: np.ndarray | None) -> list | None:
    """As JSON has it: null where there is no finite number."""
    if values is None:
        return None
    plain = values.astype(object)
    plain[~np.isfinite(values)] = None
    return plain.tolist()  # type: ignore[no-any-return]


def _differ(a: Scores, b: Scores) -> str:
    """Where two scores of the same records part, or nothing."""
    if set(a.ids) != set(b.ids):
        return "other records"
    b = b.take(np.array([b.ids.index(name) for name in a.ids], dtype=int))
    for name in ("values", "expected", "null"):
        own, other = getattr(a, name), getattr(b, name)
        if (own is None) != (other is None):
            return name
        if own is not None and not np.allclose(own, other, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True):
            return name
    return "" if dict(a.unscored) == dict(b.unscored) and a.towards == b.towards else "unscored records"
