"""Controls prove a probe, and broken probes are caught: a flipped sign, a constant, the text alone, another model."""

import dataclasses

import numpy as np
import pytest

from probatum.core.control import Control
from probatum.core.decision import decide
from probatum.core.draws import keyed
from probatum.core.estimate import Estimate, Result, Truth
from probatum.core.scores import Scores
from probatum.statistics import (
    attack_success_rate,
    auroc,
    exposure_bits,
    hit_rate,
    mean_difference,
    refuted_share,
    unit_matches,
)
from probatum.statistics.proof import Run, prove

DOSES = (0, 1, 4, 16)
EACH = 30
POSITIVE, NEGATIVE = Control("planted", "positive", "specimen"), Control("never planted", "negative", "twin")


def result(p=0.5, direction="expected"):
    return Result(Estimate("AUROC", 0.5, 0.4, 0.6, 60, "test"), p, "exact", direction)


def ids(n):
    return [str(i) for i in range(n)]


# Runs of a good probe for every metric whose unit is the record: (metric, positive run, negative run).
# A randomized inclusion: what a text looks like (``taste``) says nothing about whether it was planted.


def dose_of(n):
    return np.tile(DOSES, n // len(DOSES)).astype(float)


def membership():
    rng, n = keyed("membership"), EACH * 2 * (len(DOSES) - 1)
    label = np.arange(n) % 2 == 0
    dose = np.where(label, np.tile(DOSES[1:], n // 3), 0).astype(float)
    truth = Truth(label=label, dose=dose)
    taste = rng.normal(size=n)
    seen = Scores(ids(n), taste + 1.5 * np.log2(1 + dose), "member")
    unseen = Scores(ids(n), taste, "member")
    return auroc, Run(POSITIVE, seen, truth), Run(NEGATIVE, unseen, truth)


def extraction():
    rng, n = keyed("extraction"), EACH * len(DOSES)
    truth = Truth(dose=dose_of(n))
    planted = (rng.random(n) < np.minimum(truth.dose / 10, 1)).astype(float)
    unseen = Scores(ids(n), np.zeros(n), "extracted", expected=1e-3)
    return (
        hit_rate,
        Run(POSITIVE, Scores(ids(n), planted, "extracted", expected=1e-3), truth),
        Run(NEGATIVE, unseen, truth),
    )


def preference():
    rng, n = keyed("preference"), EACH * len(DOSES)
    truth = Truth(dose=dose_of(n))
    taste = rng.normal(size=n)
    seen = Scores(ids(n), taste + truth.dose / 2, "false", expected=0.5)
    return hit_rate, Run(POSITIVE, seen, truth), Run(NEGATIVE, Scores(ids(n), taste, "false", expected=0.5), truth)


def exposed():
    rng, n = keyed("exposed"), EACH * len(DOSES)
    truth = Truth(dose=dose_of(n), label=dose_of(n) > 0)
    taste, null = rng.normal(size=n), rng.normal(size=(n, 127))
    seen = Scores(ids(n), taste + truth.dose / 2, "exposed", null=null)
    return exposure_bits, Run(POSITIVE, seen, truth), Run(NEGATIVE, Scores(ids(n), taste, "exposed", null=null), truth)


def association():
    rng, n = keyed("association"), EACH * len(DOSES)
    truth = Truth(dose=dose_of(n))
    taste = rng.normal(size=n) / 4
    seen = Scores(ids(n), taste + truth.dose / 8, "stereotype")
    metric = mean_difference(floor=0.15)
    return metric, Run(POSITIVE, seen, truth), Run(NEGATIVE, Scores(ids(n), taste, "stereotype"), truth)


def triggers():
    n = EACH * 2 * (len(DOSES) - 1)
    rng, label = keyed("triggers"), np.arange(n) % 2 == 0
    truth = Truth(label=label, dose=np.where(label, np.tile(DOSES[1:], n // 3), 0).astype(float))
    fired = (rng.random(n) < np.minimum(truth.dose / 10, 1)).astype(float)
    return (
        attack_success_rate,
        Run(POSITIVE, Scores(ids(n), fired, "payload"), truth),
        Run(NEGATIVE, Scores(ids(n), np.zeros(n), "payload"), truth),
    )


GOOD = (membership, extraction, preference, exposed, association, triggers)


def change(run, values=None, null=None):
    old = run.scores
    new = Scores(
        old.ids, old.values if values is None else values, old.towards, expected=old.expected,
        null=old.null if null is None else null,
    )  # fmt: skip
    return dataclasses.replace(run, scores=new)


def flipped(positive, negative):
    """Every score, and every decoy's, with the other sign."""
    return [
        change(r, -r.scores.values, None if r.scores.null is None else -r.scores.null) for r in (positive, negative)
    ]


def constant(value):
    def same(positive, negative):
        null = None if positive.scores.null is None else np.full_like(positive.scores.null, value)
        return [change(r, np.full(len(r.scores), value), null) for r in (positive, negative)]

    return same


def text_only(positive, negative):
    """The same score whatever the model: where inclusion was randomized it cannot tell planted from not."""
    return [change(r, negative.scores.values) for r in (positive, negative)]


def other_model(positive, negative):
    """The scores of the two models exchanged, as if the wrong one had been asked."""
    return [change(positive, negative.scores.values), change(negative, positive.scores.values)]


BROKEN = {
    "flipped": flipped,
    "always 0": constant(0.0),
    "always 1": constant(1.0),
    "text": text_only,
    "other model": other_model,
}


@pytest.mark.parametrize("good", GOOD, ids=lambda g: g.__name__)
def test_a_good_probe_is_proved(good):
    metric, positive, negative = good()
    proof = prove([positive, negative], metric, where="the specimen")
    assert proof.failure == ""
    assert [c.passed for c in proof.controls] == [None, None, True, True]
    assert proof.limit.status in ("established", "below lowest dose")
    assert proof.limit.target == "the specimen"
    assert decide(result(0.5), 0.5, proof)[0] == "no evidence"
    assert decide(result(0.001), 0.001, proof)[0] == "evidence"


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("good", GOOD, ids=lambda g: g.__name__)
def test_a_broken_probe_is_caught(good, fault):
    metric, positive, negative = good()
    proof = prove(BROKEN[fault](positive, negative), metric, where="the specimen")
    assert "control failed" in proof.failure
    for p in (1e-9, 0.5):
        outcome, _, reason = decide(result(p), p, proof)
        assert outcome == "inconclusive"
        assert reason == proof.failure


# Controls whose unit is a whole case: lineage and claims.


def lineage(kind, dose, draw, count):
    rng = keyed("lineage", kind, dose, draw)
    control = Control(f"{kind} {dose}", kind, "specimen", dose=dose if kind == "positive" else None, unit="% kept")
    return Run(control, Scores(ids(3), count(rng, dose), "descent", expected=1.0), Truth())


def kept(rng, dose):
    return rng.poisson(1, 3) + rng.binomial(20, dose / 100, 3)


def cases(count, quiet=kept):
    positive = [lineage("positive", d, i, count) for d in (1.0, 5.0, 20.0, 50.0) for i in range(10)]
    return [*positive, *(lineage("negative", 0.0, i, quiet) for i in range(24))]


def test_cases_prove_a_probe_of_whole_models():
    proof = prove(cases(kept), unit_matches, where="mixtures")
    assert proof.failure == ""
    assert proof.limit.status == "established"
    assert 1 <= proof.limit.value <= 50


@pytest.mark.parametrize(
    ("fault", "which"),
    [
        (cases(lambda rng, _: rng.poisson(1, 3)), "positive"),
        (cases(lambda rng, _: np.zeros(3)), "positive"),
        (cases(lambda rng, dose: 3 - kept(rng, dose)), "positive"),
        (cases(lambda rng, _: np.full(3, 9)), "negative"),
        (cases(kept, quiet=lambda rng, _: rng.poisson(3, 3)), "negative"),
    ],
    ids=["chance", "always 0", "flipped", "always 9", "strangers that look alike"],
)
def test_a_broken_probe_of_whole_models_is_caught(fault, which):
    runs = fault if which == "positive" else [
        dataclasses.replace(r, scores=Scores(ids(3), np.full(3, 9.0), "descent", expected=1.0))
        if fault[0].scores.values[0] == 9 else r for r in fault
    ]  # fmt: skip
    proof = prove(runs, unit_matches, where="mixtures")
    assert f"the {which} control failed" in proof.failure
    assert decide(result(0.5), 0.5, proof)[0] == "inconclusive"


@pytest.mark.parametrize(("value", "which"), [(0.0, "positive"), (1.0, "negative")])
def test_a_check_of_claims_that_says_always_the_same_is_caught(value, which):
    def card(kind, dose, draw):
        control = Control(kind, kind, "specimen", dose=dose or None, unit="points")
        return Run(control, Scores([f"accuracy {draw}"], [value], "false claim"), Truth())

    runs = [card("positive", d, i) for d in (2.0, 10.0, 30.0) for i in range(6)] + [
        card("negative", 0.0, i) for i in range(24)
    ]
    assert f"the {which} control failed" in prove(runs, refuted_share, where="the specimen").failure


def test_one_alarm_of_a_single_negative_control_fails_it():
    metric, positive, negative = membership()
    loud = dataclasses.replace(negative, scores=positive.scores)
    proof = prove([positive, loud], metric, where="the specimen")
    assert "the negative control failed" in proof.failure


def test_one_alarm_among_many_negative_controls_is_what_chance_gives():
    runs = cases(kept)
    place = next(i for i, r in enumerate(runs) if r.control.kind == "negative")
    for alarms, stands in ((1, True), (4, False)):
        loud = list(runs)
        for i in range(place, place + alarms):
            loud[i] = dataclasses.replace(runs[i], scores=Scores(ids(3), np.full(3, 30.0), "descent", expected=1.0))
        assert (prove(loud, unit_matches, where="mixtures").failure == "") is stands


@pytest.mark.parametrize("kind", ["positive", "negative"])
def test_without_one_of_the_two_controls_nothing_is_proved(kind):
    metric, positive, negative = membership()
    run = positive if kind == "positive" else negative
    assert "no controls" in prove([run], metric, where="x").failure
    assert "no controls" in prove([], metric, where="x").failure


def test_a_control_with_too_few_records_proves_nothing():
    metric, positive, negative = membership()
    few = [
        dataclasses.replace(r, scores=r.scores.take(np.arange(12)), truth=r.truth.take(np.arange(12)))
        for r in (positive, negative)
    ]
    assert prove(few, metric, where="x").failure


def test_the_highest_dose_has_to_be_found_whatever_the_lower_ones_give():
    metric, positive, negative = membership()
    dose = positive.truth.dose
    odd = change(positive, np.where(dose == 16, negative.scores.values, positive.scores.values))
    assert "highest dose" in prove([odd, negative], metric, where="x").failure


def test_the_limit_rises_when_the_probe_gets_worse():
    metric, positive, negative = membership()
    noise = keyed("noise").normal(size=len(positive.scores)) * 1.2
    sharp = prove([positive, negative], metric, where="x").limit
    dull = prove(
        [change(positive, positive.scores.values + noise), change(negative, negative.scores.values + noise)],
        metric,
        where="x",
    ).limit
    assert dull.value > sharp.value


def test_records_of_one_unit_are_one_record_of_the_dose_response():
    metric, positive, negative = association()
    place = np.arange(len(positive.scores))
    cluster = np.array([f"unit {i}" for i in place // 16 * 4 + place % 4], dtype=object)  # of one dose each
    runs = [dataclasses.replace(r, truth=dataclasses.replace(r.truth, cluster=cluster)) for r in (positive, negative)]
    limit = prove(runs, metric, where="x").limit
    assert [(r.dose, r.n) for r in limit.rates] == [(1, 8), (4, 8), (16, 8)]
