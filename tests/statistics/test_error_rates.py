"""The four error rates: what they count, what their intervals cover, and which cells are marked."""

from __future__ import annotations

import numpy as np
import pytest

import probatum as pb
from probatum.controls.decisions import Decider
from probatum.core.draws import keyed
from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.probes.fairness.error_rates import error_rates as probe
from probatum.statistics import TooFew
from probatum.statistics.error_rates import RATES, cells, error_rates, wilson

PLANTED = {"F": (0.3, 0.1), "M": (0.05, 0.2)}  # (false positive rate, false negative rate) of a sex


def result(decided, label, group=None, cluster=None):
    scores = Scores([str(i) for i in range(len(decided))], np.asarray(decided, float), "yes")
    return error_rates(scores, Truth(label=np.asarray(label, bool), group=group, cluster=cluster))


def test_the_four_rates_are_of_those_that_they_are_about():
    #           TP FN FN FP TN TN TN
    decided = [1, 0, 0, 1, 0, 0, 0]
    label = [1, 1, 1, 0, 0, 0, 0]
    found = result(decided, label)
    expected = {
        "false positive rate": (1 / 4, 4),
        "false negative rate": (2 / 3, 3),
        "false discovery rate": (1 / 2, 2),
        "false omission rate": (2 / 5, 5),
    }
    assert {name: (e.value, e.n) for name, e in found.breakdown.items()} == expected
    assert (found.estimate.value, found.estimate.n) == (3 / 7, 7)


def test_groups_are_looked_at_one_by_one_and_in_pairs():
    group = np.array([["s=F", "a=x", "r=1"], ["s=M", "a=x", "r=2"], ["s=F", "a=y", "r=1"]], dtype=object)
    names = [name for name, _ in cells(group, 3)]
    assert names[:7] == ["", "s=F", "s=M", "a=x", "a=y", "r=1", "r=2"]
    assert set(names[7:]) == {
        "s=F and a=x", "s=M and a=x", "s=F and a=y", "s=F and r=1", "s=M and r=2", "a=x and r=1", "a=x and r=2",
        "a=y and r=1",
    }  # fmt: skip
    assert all(at.any() for _, at in cells(group, 3)), "an empty pair has no cell"


def test_a_cell_without_records_of_a_kind_has_no_rate_of_them():
    found = result([1, 1], [1, 1]).breakdown
    assert set(found) == {"false negative rate", "false discovery rate"}


def test_few_records_are_marked():
    n = np.arange(59)
    found = result(n % 2, n < 29).breakdown
    assert found["false negative rate"].method == "Wilson; fewer than 30 records"
    assert found["false positive rate"].method == "Wilson"


def test_wilsons_limits_are_the_roots_of_the_score_equation():
    i = wilson(7, 50)
    for p in (i.low, i.high):
        assert abs(p - 0.14) == pytest.approx(1.959964 * (p * (1 - p) / 50) ** 0.5, rel=1e-5)
    assert wilson(0, 20).low == 0
    assert wilson(20, 20).high == 1


def test_planted_error_rates_lie_in_at_least_93_of_100_intervals():
    """1,000 draws of a table of two factors; every rate of every cell of 30 records or more, also of the pairs."""
    inside = {name: [0, 0] for name in RATES}
    for draw in range(1000):
        rng = keyed("coverage", draw)
        n = 400
        sex, age = rng.choice(["F", "M"], n), rng.choice(["old", "young"], n, p=[0.3, 0.7])
        label = rng.random(n) < 0.5
        fpr = np.where(sex == "F", PLANTED["F"][0], PLANTED["M"][0])
        fnr = np.where(sex == "F", PLANTED["F"][1], PLANTED["M"][1])
        decided = np.where(label, rng.random(n) >= fnr, rng.random(n) < fpr)
        group = np.column_stack([[f"sex={s}" for s in sex], [f"age={a}" for a in age]]).astype(object)
        for name, e in result(decided, label, group).breakdown.items():
            rate, _, cell = name.partition(", ")
            if e.n < 30 or "sex=" not in cell:
                continue
            false_yes, false_no = PLANTED[cell[4]]
            truth = {
                "false positive rate": false_yes,
                "false negative rate": false_no,
                "false discovery rate": false_yes / (false_yes + 1 - false_no),
                "false omission rate": false_no / (false_no + 1 - false_yes),
            }[rate]
            inside[rate][0] += e.low <= truth <= e.high
            inside[rate][1] += 1
    for name, (hits, total) in inside.items():
        assert total > 3000
        assert hits / total >= 0.93, (name, hits / total)


def test_records_of_one_person_are_one_unit():
    rng = keyed("units")
    person = np.repeat(np.arange(50), 8)
    wrong = np.repeat(rng.random(50) < 0.3, 8)
    label = np.tile([True, False] * 4, 50)
    alone, together = (
        result(label ^ wrong, label, cluster=c).estimate for c in (None, person.astype(str).astype(object))
    )
    assert (together.n, alone.n) == (50, 400)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_without_labels_nothing_is_wrong_and_nothing_is_right():
    with pytest.raises(TooFew, match="--label"):
        error_rates(Scores(["a"], [1.0], "yes"), Truth())


def test_the_probe_gives_back_what_a_decider_does_wrong():
    finding = pb.run(probe, Decider("often no", lambda *_: 0.0), _planted())
    assert finding.outcome == "measured"
    assert finding.estimate.value == 0.5
    assert finding.breakdown["false negative rate, group=a"].value == 1
    assert all(c.passed for c in finding.controls)


def _planted():
    from probatum.controls.decisions import people

    return people()


def test_a_metric_that_counts_wrongly_concludes_nothing(monkeypatch):
    import probatum.statistics.error_rates as module

    monkeypatch.setattr(module, "_rate", lambda *_: module.Estimate("error rate", 0.25, 0.2, 0.3, 10, "broken"))
    finding = pb.run(probe, Decider("no", lambda *_: 0.0), _planted())
    assert finding.outcome == "inconclusive"
