"""The five words in their order: what failed, what differs by itself, what was found, what would have been missed."""

import dataclasses
import itertools

import pytest

from probatum.core.decision import ALPHA, Proof, decide
from probatum.core.estimate import Estimate, Result
from probatum.core.finding import OUTCOMES, BlindView, ControlView, EstimateView, LimitView

RESULT = Result(Estimate("AUROC", 0.7, 0.6, 0.8, 100, "DeLong"), 0.001, "exact")
REVERSED = dataclasses.replace(RESULT, direction="reversed")
VIEW = EstimateView("AUROC", 0.9, 0.8, 0.95, 0.95, 100, "confidence", "DeLong")
LIMIT = LimitView(4.0, 2.0, 8.0, "exposures", "the specimen", "established")
PROOF = Proof(limit=LIMIT)
BLIND = BlindView("words", VIEW, 0.001, 0.02, -0.05, 0.09)


def limit(status, value=4.0, reason=""):
    return Proof(limit=dataclasses.replace(LIMIT, status=status, value=value, reason=reason))


def responder(passed):
    return ControlView("null responder", "longest", None, None, VIEW, 0.001, passed)


def test_evidence_is_significance_after_correction():
    assert decide(RESULT, ALPHA, PROOF) == ("evidence", "expected", "")
    assert decide(RESULT, ALPHA + 1e-9, PROOF)[0] == "no evidence"


def test_the_corrected_p_value_decides_and_not_the_raw_one():
    assert decide(RESULT, 0.2, PROOF)[0] == "no evidence"


def test_the_wrong_way_round_is_evidence_with_its_direction():
    assert decide(REVERSED, 0.001, PROOF) == ("evidence", "reversed", "")


def test_a_control_that_failed_comes_before_everything():
    failed = Proof(limit=LIMIT, failure="the positive control failed")
    for p, measure, blind in itertools.product((0.001, 0.5, None), (True, False), (None, BLIND)):
        assert decide(RESULT, p, failed, measure=measure, blind=blind) == (
            "inconclusive",
            None,
            "the positive control failed",
        )


def test_a_measure_is_measured_whatever_its_p_value():
    for p in (None, 0.001, 0.9):
        assert decide(RESULT, p, PROOF, measure=True) == ("measured", None, "")


def test_without_a_p_value_nothing_is_concluded():
    outcome, _, reason = decide(RESULT, None, PROOF)
    assert outcome == "inconclusive"
    assert "chance is not known" in reason


@pytest.mark.parametrize("p", [0.001, 0.5])
def test_sets_that_differ_by_themselves_come_before_evidence(p):
    outcome, _, reason = decide(RESULT, p, PROOF, blind=BLIND)
    assert outcome == "inconclusive"
    assert "words, which never sees the model, separates them with AUROC 0.90" in reason
    assert "membership is not identifiable" in reason


def test_a_probe_must_beat_the_blind_baseline_even_where_that_shows_nothing_by_itself():
    blind = dataclasses.replace(BLIND, p_value=0.2)
    outcome, _, reason = decide(RESULT, 0.001, PROOF, blind=blind)
    assert outcome == "inconclusive"
    assert "does not do clearly better than a blind baseline" in reason
    assert decide(RESULT, 0.5, PROOF, blind=blind)[0] == "no evidence"


@pytest.mark.parametrize(
    ("changes", "randomized"),
    [({"difference_low": 0.01}, False), ({}, True)],
    ids=["the probe does clearly better", "a coin decided"],
)
def test_a_blind_baseline_that_is_beaten_or_beside_the_point_changes_nothing(changes, randomized):
    blind = dataclasses.replace(BLIND, **changes)
    assert decide(RESULT, 0.001, PROOF, blind=blind, randomized=randomized)[0] == "evidence"


def test_what_a_responder_does_who_knows_nothing_is_no_evidence():
    outcome, _, reason = decide(RESULT, 0.001, PROOF, responders=[responder(True), responder(False)])
    assert outcome == "inconclusive"
    assert "longest" in reason
    assert decide(RESULT, 0.001, PROOF, responders=[responder(True)])[0] == "evidence"


def test_responders_matter_only_where_something_was_found_in_the_same_direction():
    assert decide(RESULT, 0.5, PROOF, responders=[responder(False)])[0] == "no evidence"
    assert decide(REVERSED, 0.001, PROOF, responders=[responder(False)])[0] == "evidence"


@pytest.mark.parametrize(
    ("proof", "outcome", "word"),
    [
        (limit("established"), "no evidence", ""),
        (limit("below lowest dose"), "no evidence", ""),
        (limit("above highest dose", 128.0), "inconclusive", "misses even the highest planted dose, 128 exposures"),
        (limit("not established", None, "12 blanks"), "inconclusive", "12 blanks"),
        (Proof(), "inconclusive", "no planted doses"),
    ],
)
def test_no_evidence_needs_a_limit_that_says_what_would_have_been_missed(proof, outcome, word):
    found, _, reason = decide(RESULT, 0.5, proof)
    assert found == outcome
    assert word in reason
    assert bool(reason) == (outcome == "inconclusive")


def test_a_limit_out_of_reach_does_not_take_back_what_was_found():
    assert decide(RESULT, 0.001, limit("above highest dose"))[0] == "evidence"


def test_every_answer_is_one_of_the_five_words_and_inconclusive_has_a_reason():
    proofs = (PROOF, Proof(), limit("above highest dose"), limit("not established", None), Proof(failure="x"))
    grid = itertools.product(
        (RESULT, REVERSED), (None, 0.001, 0.5), proofs, (True, False), (None, BLIND), (True, False)
    )
    for result, p, proof, measure, blind, randomized in grid:
        outcome, direction, reason = decide(result, p, proof, measure=measure, blind=blind, randomized=randomized)
        assert outcome in OUTCOMES
        assert (outcome == "inconclusive") == bool(reason)
        assert (outcome == "evidence") == (direction is not None)
