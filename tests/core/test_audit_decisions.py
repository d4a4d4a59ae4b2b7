"""How many probes of one audit are corrected together, and what a report says of what may have been missed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from probatum.core.catalogue import load
from probatum.core.decision import Proof
from probatum.core.estimate import Truth
from probatum.core.finding import PREVALENCE, DoseRate, Finding, LimitView, sentence
from probatum.core.scores import Scores
from probatum.deciding import decide_all
from probatum.runner import Pending, _prevalence
from probatum.statistics import hit_rate
from probatum.statistics.metrics import view

LIMIT = LimitView(8.0, 4.0, 16.0, "exposures", "the specimen", "established", (DoseRate(16.0, 20, 20, 0.83, 1.0),))
IDS = [f"r{i:02d}" for i in range(60)]
LABEL = np.arange(60) < 30


def pending(name: str, strength: float, seed: int = 0, same: bool = False) -> tuple[Pending, tuple]:
    method = load(name)
    rng = np.random.default_rng(0 if same else seed)
    scores = Scores(IDS, rng.normal(size=60) + strength * LABEL, towards="member")
    truth = Truth(LABEL)
    result = method.metric(scores, truth)
    finding = Finding(
        f"{name}{seed}", name, method.dimension, method.question, method.paper,
        tuple(a.name for a in method.needs), "not run", data={"data": "d"},
    )  # fmt: skip
    return Pending(method, finding, result, Proof(limit=LIMIT)), (scores, truth, result)


def decided(*cases, primary=None):
    scores = {p.finding.id: found for p, found in cases}
    return decide_all([p for p, _ in cases], {}, primary=primary, scores=scores)


def test_attacks_that_say_the_same_are_not_charged_for_their_number():
    same = [pending(name, 0.75, i, same=True) for i, name in enumerate(("loss", "zlib_entropy", "min_k_prob"))]
    findings = decided(*same)
    assert {f.adjusted_by for f in findings} == {"max-T, 3 probes"}
    raw = same[0][0].result.p_value
    assert findings[0].adjusted_p_value < 2 * raw  # Holm would have made it 3 times as much


def test_the_declared_primary_probes_are_corrected_among_themselves_only():
    crowd = [pending(name, 0.0, i + 5) for i, name in enumerate(("zlib_entropy", "min_k_prob", "dc_pdd"))]
    first = pending("loss", 0.8, 1)
    alone, *rest = decided(first, *crowd, primary={"privacy": ("loss", "surp")})
    assert alone.adjusted_by == "one probe, no correction"
    assert alone.adjusted_p_value == first[0].result.p_value
    assert {f.adjusted_by for f in rest} == {"max-T, 3 probes"}
    two = decided(first, pending("surp", 0.0, 3), *crowd, primary={"privacy": ("loss", "surp")})
    assert two[0].adjusted_by == two[1].adjusted_by == "Holm, 2 primary probes"
    assert two[0].adjusted_p_value == 2 * first[0].result.p_value


def test_other_access_is_another_family():
    findings = decided(pending("loss", 1.0, 1), pending("min_k_plus_plus", 1.0, 2))
    assert {f.adjusted_by for f in findings} == {"one probe, no correction"}


def test_the_best_of_many_attacks_on_noise_is_no_evidence():
    names = ("loss", "zlib_entropy", "min_k_prob", "dc_pdd", "reference_ratio")
    wrong = 0
    for trial in range(40):
        cases = [pending(name, 0.0, 100 * trial + i) for i, name in enumerate(names)]
        wrong += any(f.outcome == "evidence" for f in decided(*cases))
    assert wrong <= 6  # 2 are expected at 5 %; 7 or more happen once in 300


def test_nothing_extracted_says_how_many_may_have_been_missed():
    method = load("discoverable_extraction")
    scores = Scores([str(i) for i in range(100)], np.zeros(100), "extracted", expected=1e-6)
    result = hit_rate(scores, Truth())
    ((name, most),) = _prevalence(method, result, Proof(limit=LIMIT))
    upper, sensitivity = 1 - 0.05 ** (1 / 100), 0.05 ** (1 / 20)
    assert name == PREVALENCE
    assert most.value == pytest.approx(upper / sensitivity, rel=1e-6)
    assert most.kind == "bound"
    finding = dataclasses.replace(
        pending("loss", 0.0)[0].finding, outcome="no evidence", estimate=view(result.estimate),
        detection_limit=LIMIT, breakdown={name: view(most)},
    )  # fmt: skip
    assert "At most 0.034 of such records leak at 8 exposures or more (95 %)" in sentence(finding)


def test_without_an_established_limit_there_is_no_such_bound():
    method = load("discoverable_extraction")
    result = hit_rate(Scores(["a", "b"], [0.0, 0.0], "extracted", expected=1e-6), Truth())
    unknown = dataclasses.replace(LIMIT, status="not established", value=None)
    assert _prevalence(method, result, Proof(limit=unknown)) == []
    assert _prevalence(load("loss"), result, Proof(limit=LIMIT)) == []
