"""A guest is a measure with exact intervals, null responders and an oracle; no harness is needed to say so."""

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from probatum.bridges.guest import Guest, Run, aggregated, among, bounded, kinds_of, mean
from probatum.bridges.guest_report import report_of
from probatum.core.access import Access
from probatum.core.errors import BadInput
from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.reports import write
from probatum.targets import open_target


def run(values, name="accuracy", cluster=None, said=None):
    ids = [f"s{i}" for i in range(len(values))]
    kinds = None if said is None else kinds_of(said, values)
    why = {i: "error: it broke" for i, v in zip(ids, values, strict=True) if np.isnan(v)}
    return Run(Scores(ids, values, "right", said=said, kinds=kinds, unscored=why), Truth(cluster=cluster), mean(name))


def guest(mine, others, **given):
    prompts = {name: f"question {name}" for name in mine.scores.ids}
    return Guest("inspect/t/match", "Is it right?", "task t of Inspect", mine, others, prompts, Access.TEXT, **given)


def finding(g, **given):
    (found,) = report_of([g], open_target("specimen"), **given).findings
    return found


def test_zero_of_n_has_its_exact_upper_bound():
    f = finding(guest(run([0.0] * 20), {"constant": run([1.0] * 10 + [0.0] * 10), "oracle": run([1.0] * 20)}))
    assert f.outcome == "measured"
    assert (f.estimate.value, f.estimate.low) == (0, 0)
    assert f.estimate.high == pytest.approx(1 - 0.025 ** (1 / 20))
    assert {c.target: (c.kind, c.estimate.value) for c in f.controls} == {
        "constant": ("null responder", 0.5),
        "oracle": ("oracle", 1.0),
    }


def test_epochs_of_a_sample_are_one_unit():
    cluster = np.repeat([str(i) for i in range(10)], 4)
    e = run([1.0] * 20 + [0.0] * 20, cluster=cluster).result.estimate
    assert e.n == 10
    assert e.high - e.low > 0.4  # of 40 independent ones it would be 0.32


def test_grades_beyond_one_get_a_t_interval():
    values = np.array([1.0, 3, 5, 7, 8, 2])
    e = run(values, name="grade").result.estimate
    low, high = stats.t.interval(0.95, 5, values.mean(), stats.sem(values))
    assert (e.value, e.low, e.high) == pytest.approx((values.mean(), low, high))


def test_an_aggregation_is_bootstrapped_and_gets_no_width_that_it_has_not():
    values = [float(i % 7) for i in range(60)]
    scores = Scores([f"s{i}" for i in range(60)], values, "right")
    median = aggregated("median", lambda index: float(np.median([values[i] for i in index])))
    e = median(scores, Truth()).estimate
    assert e.low < e.value == 3 < e.high
    same = aggregated("mcc", lambda index: 0.0)(scores, Truth()).estimate
    assert (same.value, same.low, same.high) == (0, None, None)


def test_an_oracle_below_the_full_mark_makes_the_finding_inconclusive():
    f = finding(guest(run([0.0, 1.0]), {"echo": run([0.0, 0.0]), "oracle": run([0.0, 0.0])}, hint="name the form"))
    assert f.outcome == "inconclusive"
    assert "even an oracle" in f.reason
    assert "name the form" in f.reason


def test_without_null_responders_the_finding_says_so():
    assert "chance is not known" in finding(guest(run([0.0, 1.0]), {})).reason


def test_what_was_not_scored_is_counted_and_nothing_scored_is_no_zero():
    said = ["a", "I'm sorry, but I can't help with that.", None, "b"]
    f = finding(guest(run([1.0, 0.0, float("nan"), float("nan")], said=said), {"echo": run([0.0] * 4)}))
    assert f.answers == {"answered": 1, "refused": 1, "unparsable": 1, "missing": 1}
    assert f.unscored == {"error: it broke": 2}
    none = finding(guest(run([float("nan")] * 3), {}))
    assert (none.outcome, none.estimate) == ("inconclusive", None)
    assert "it broke" in none.reason


def test_samples_are_masked_unless_they_are_asked_for(tmp_path):
    g = guest(run([0.0, 1.0], said=["no", "yes"]), {"echo": run([0.0, 0.0])})
    hidden, shown = finding(g), finding(g, reveal=True)
    assert "question" not in hidden.samples[0].text
    assert shown.samples[0].text == "question s0 → no"
    report = report_of([g], open_target("specimen"), out=tmp_path)
    write(report, tmp_path / "again")
    rows = json.loads((tmp_path / "scores.json").read_text())["scores"][hidden.id]
    assert rows["values"] == [0, 1]


def test_the_unknown_is_refused_in_a_sentence():
    with pytest.raises(BadInput, match="no dimension is called 'wit'"):
        finding(guest(run([1.0]), {}), dimension="wit")


def test_what_null_responders_choose_from():
    assert among(["b", "a", "b", "c"]) == ("b", "a", "c")
    assert not bounded([run([0.0, 2.0])])
    assert bounded([run([0.0, 1.0]), run([float("nan")])])


@pytest.mark.parametrize(("bridge", "package"), [("inspect", "inspect_ai"), ("lmeval", "lm_eval")])
def test_a_bridge_without_its_package_says_what_to_install(bridge, package):
    code = (
        f"import sys; sys.modules['{package}'] = None\n"
        f"try:\n    import probatum.bridges.{bridge}\nexcept ImportError as error:\n    print(error)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == f"this needs the package {package}; install it with: pip install 'probatum[{bridge}]'"
