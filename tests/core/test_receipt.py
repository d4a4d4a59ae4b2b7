"""What a receipt concludes: the gate first, then what is still known, what lies beyond gold, what is lost."""

import dataclasses

import pytest

from probatum.core.finding import EstimateView
from probatum.core.receipt import ReceiptLine, judged, verdict_of


def estimate(value, error=0.02):
    return EstimateView(
        "recall", value, value - 1.96 * error, value + 1.96 * error, 0.95, 100, "confidence", "bootstrap"
    )


def line(probe, part, better, before, after, low, high):
    """A measure with three golds in the middle of the band."""
    golds = (estimate((low + high) / 2),) * 3
    p, first = 0.5 if low <= after <= high else 1e-6, None if before is None else estimate(before)
    return ReceiptLine(
        probe, {}, part, "recall", better, first, estimate(after), golds, low, high, p, "not established"
    )


def lines(**changes):
    """A perfect repair, but for the lines that ``changes`` replace."""
    good = {
        "gate": line("retained_knowledge", "gate", "high", 1.0, 1.0, 0.96, 1.0),
        "asked": line("rephrased_extraction", "forgotten", "low", 1.0, 0.04, 0.0, 0.1),
        "rank": line("rank_anomaly", "forgotten", "gold", 0.0, 0.5, 0.42, 0.58),
        "kept": line("specificity", "kept", "low", 0.0, 0.01, 0.0, 0.02),
    }
    return list({**good, **changes}.values())


def conclude(given, **options):
    adjusted = {i: x.p_value for i, x in enumerate(given)}
    return verdict_of(judged(given, adjusted), **{"golds": 3, "knows": (), "original": True, **options})


def test_a_repair_within_every_band_is_like_gold():
    found = conclude(lines())
    assert found.verdict == "like gold"
    assert {x.verdict for x in found.lines} == {"like gold"}
    assert found.compared == "3 golds"


def test_a_model_that_lost_what_it_was_to_keep_shows_nothing():
    """Single metrics pass collapsed models; here they are void, whatever they read."""
    found = conclude(lines(gate=line("retained_knowledge", "gate", "high", 1.0, 0.08, 0.96, 1.0)))
    assert found.verdict == "void"
    assert {x.verdict for x in found.lines if x.part == "forgotten"} == {"void"}
    assert "retained_knowledge" in found.sentence


def test_the_untouched_model_still_knows():
    found = conclude(lines(
        asked=line("rephrased_extraction", "forgotten", "low", 1.0, 1.0, 0.0, 0.1),
        rank=line("rank_anomaly", "forgotten", "gold", 0.0, 0.0, 0.42, 0.58),
    ))  # fmt: skip
    assert found.verdict == "still known"
    assert "rephrased_extraction, rank_anomaly" in found.sentence


def test_beyond_gold_on_the_far_side_is_over_unlearned():
    found = conclude(lines(rank=line("rank_anomaly", "forgotten", "gold", 0.0, 0.93, 0.42, 0.58)))
    assert found.verdict == "over-unlearned"
    assert "trace" in found.sentence


def test_less_than_gold_where_low_is_good_is_no_fault():
    assert (
        conclude(lines(asked=line("rephrased_extraction", "forgotten", "low", 1.0, 0.0, 0.05, 0.15))).verdict
        == "like gold"
    )


def test_a_price_is_named():
    found = conclude(lines(kept=line("specificity", "kept", "low", 0.0, 0.4, 0.0, 0.02)))
    assert found.verdict == "lost"
    assert "specificity" in found.sentence


def test_what_was_never_learned_cannot_be_removed():
    """A forget set that the model never knew: not a success."""
    found = conclude(lines(
        asked=line("rephrased_extraction", "forgotten", "low", 0.05, 0.04, 0.0, 0.1),
        rank=line("rank_anomaly", "forgotten", "gold", 0.5, 0.5, 0.42, 0.58),
    ))  # fmt: skip
    assert found.verdict == "nothing to remove"


def test_a_gold_that_knows_the_forgotten_is_no_gold():
    found = conclude(lines(), knows=["./g1"])
    assert found.verdict == "not established"
    assert "./g1 is no gold" in found.sentence


@pytest.mark.parametrize(
    ("golds", "words"), [(1, "1 gold: with so few"), (2, "2 golds: with so few"), (0, "never taught")]
)
def test_fewer_than_three_golds_say_what_cannot_be_known(golds, words):
    assert words in conclude(lines(), golds=golds).compared


def test_a_line_that_was_not_measured_concludes_nothing():
    bare = dataclasses.replace(lines()[1], after=None, low=None, high=None, p_value=None)
    found = judged([bare], {})
    assert found[0].verdict == "not established"
