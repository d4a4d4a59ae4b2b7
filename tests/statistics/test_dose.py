"""The detection limit on simulated dose-response, where the truth is known."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import binom

from probatum.statistics.dose import TREND, detection_limit

DOSES = np.array([1, 2, 4, 8, 16, 32.0])


def logit(p):
    return np.log(p / (1 - p))


def experiment(rng, true, slope, *, per_dose=30, blanks=300, doses=DOSES):
    """Scores whose chance to pass 0, the 95 % quantile of the blanks, is logistic in log2(dose) and .8 at ``true``."""
    dose = np.repeat(doses, per_dose)
    score = logit(0.8) + slope * np.log2(dose / true) + rng.logistic(size=len(dose))
    return dose, score, logit(0.05) + rng.logistic(size=blanks)


def flat(rng, rate, *, per_dose=20, blanks=200):
    dose = np.repeat(DOSES, per_dose)
    return dose, logit(rate) + rng.logistic(size=len(dose)), logit(0.05) + rng.logistic(size=blanks)


@pytest.mark.parametrize(("true", "slope"), [(4, 1.5), (8, 1.5), (10, 3), (8, 6), (5, 40)])
def test_the_interval_covers_the_true_limit(true, slope):
    rng, covered, ratios = np.random.default_rng(1), 0, []
    for _ in range(150):
        limit = detection_limit(*experiment(rng, true, slope), rng=rng, draws=200)
        assert limit.status == "established"
        assert limit.low <= limit.value <= limit.high
        covered += limit.low <= true <= limit.high
        ratios.append(limit.value / true)
    assert covered / 150 >= 0.90  # 95 % less 2.8 standard errors of 150 runs
    if slope < 10:  # a limit between two doses with nothing in between is known to the gap only
        assert np.median(ratios) == pytest.approx(1, abs=0.12)


def test_with_two_doses_the_fit_adds_half_a_record_to_each_cell():
    # Firth's penalty on a saturated 2 x 2 table: 2 of 20 and 19 of 20 become 2.5/21 and 19.5/21
    score = np.r_[[9.0] * 2, [-9.0] * 18, [9.0] * 19, [-9.0]]
    limit = detection_limit(np.repeat([1, 4], 20), score, np.linspace(-1, 1, 50), rng=np.random.default_rng(0))
    low, high = logit(2.5 / 21), logit(19.5 / 21)
    assert limit.value == pytest.approx(4 ** ((logit(0.8) - low) / (high - low)))


def test_more_records_give_a_narrower_interval():
    few = detection_limit(*experiment(np.random.default_rng(2), 6, 1.5, per_dose=15), rng=np.random.default_rng(3))
    many = detection_limit(*experiment(np.random.default_rng(2), 6, 1.5, per_dose=400), rng=np.random.default_rng(3))
    assert np.log(many.high / many.low) < 0.5 * np.log(few.high / few.low)


@pytest.mark.parametrize("rate", [0.02, 0.05, 0.3, 0.5, 0.7, 0.8])
def test_a_flat_response_establishes_nothing(rate):
    rng = np.random.default_rng(4)
    seen = Counter(detection_limit(*flat(rng, rate), rng=rng, draws=20).status for _ in range(120))
    assert seen["established"] <= binom.ppf(0.999, 120, TREND)  # the trend test is all that a flat response can pass
    if rate <= 0.5:  # above, chance may lift the whole response over the power
        assert "below lowest dose" not in seen


def test_a_falling_response_establishes_nothing():
    dose, score, blanks = experiment(np.random.default_rng(5), 8, 1.5)
    limit = detection_limit(33 - dose, score, blanks, rng=np.random.default_rng(6))
    assert (limit.status, limit.reason) == ("not established", "detection falls as the dose rises")
    assert np.isnan([limit.value, limit.low, limit.high]).all()


def test_a_response_that_levels_off_below_the_power_establishes_nothing():
    dose = np.repeat(DOSES, 60)
    score = np.where(np.arange(360) % 60 < np.where(dose >= 4, 39, 0), 5.0, -5.0)  # 65 % from dose 4 on
    limit = detection_limit(dose, score, np.linspace(-1, 1, 100), rng=np.random.default_rng(7))
    assert limit.status in ("not established", "above highest dose")
    assert [r.detected for r in limit.rates] == [0, 0, 39, 39, 39, 39]


def test_perfect_separation_is_finite_and_as_wide_as_the_gap():
    dose = np.repeat(DOSES, 20)
    with np.errstate(all="raise", under="ignore"):
        limit = detection_limit(
            dose, np.where(dose >= 8, 9.0, -9.0), np.linspace(-1, 1, 50), rng=np.random.default_rng(8)
        )
    assert limit.status == "established"
    assert 4 < limit.value < 8
    assert limit.low <= 4
    assert limit.high >= 8


def test_outside_the_tested_doses_the_end_is_reported():
    rng = np.random.default_rng(9)
    low = detection_limit(*experiment(rng, 0.1, 1.5), rng=rng)
    assert (low.status, low.value, low.low) == ("below lowest dose", 1.0, 1.0)
    high = detection_limit(*experiment(rng, 500, 1.5), rng=rng)
    assert (high.status, high.value, high.high) == ("above highest dose", 32.0, 32.0)
    dose = np.repeat(DOSES, 20)
    for score, status in [(9.0, "below lowest dose"), (-9.0, "above highest dose")]:
        limit = detection_limit(dose, np.full(120, score), np.linspace(-1, 1, 50), rng=rng)
        assert limit.status == status
        assert np.isfinite([limit.value, limit.low, limit.high]).all()


def test_ties_with_the_threshold_are_not_detections():
    dose, blanks = np.repeat(DOSES, 20), np.r_[np.zeros(90), np.ones(10)]
    limit = detection_limit(dose, np.ones(120), blanks, rng=np.random.default_rng(10))
    assert limit.threshold == 1.0
    assert sum(r.detected for r in limit.rates) == 0


def test_the_threshold_keeps_the_false_alarm_rate_on_new_blanks():
    rng, dose = np.random.default_rng(11), np.repeat(DOSES, 20)
    thresholds = [detection_limit(dose, dose, rng.random(100), rng=rng, draws=2).threshold for _ in range(400)]
    assert np.mean(thresholds) >= 0.95 - 3 * 0.0215 / 400**0.5  # .0215: sd of the 96th of 100


def test_the_rates_carry_exact_limits():
    limit = detection_limit([1] * 10 + [2] * 10, [0] * 10 + [9] * 10, np.zeros(20), rng=np.random.default_rng(12))
    assert limit.rates[0][:3] == (1.0, 0, 10)
    assert limit.rates[1][:3] == (2.0, 10, 10)
    assert limit.rates[1].low == pytest.approx(0.025**0.1)
    assert limit.n == 20


@pytest.mark.parametrize(
    ("dose", "blanks", "reason"),
    [
        (DOSES, 100, "6 records at 6 doses"),
        (np.repeat(4.0, 100), 100, "100 records at 1 doses"),
        (np.repeat(DOSES, 20), 19, "19 blanks, where alpha = 0.05 needs 20"),
        (np.repeat(DOSES, 20), 0, "0 blanks"),
        ([], 100, "0 records"),
    ],
)
def test_too_little_data_is_said_to_be(dose, blanks, reason):
    limit = detection_limit(dose, np.asarray(dose) * 1.0, np.arange(blanks) / 100, rng=np.random.default_rng(13))
    assert limit.status == "not established"
    assert reason in limit.reason


def test_the_order_of_the_records_does_not_matter():
    dose, score, blanks = experiment(np.random.default_rng(14), 6, 1.5)
    order = np.random.default_rng(15).permutation(len(dose))
    one = detection_limit(dose, score, blanks, rng=np.random.default_rng(16))
    assert one == detection_limit(dose[order], score[order], blanks[::-1], rng=np.random.default_rng(16))


@pytest.mark.parametrize(
    ("dose", "score", "says"),
    [([0.0, 1], [1, 2], "belong to the blanks"), ([1.0], [1, 2], "same length"), ([1.0], [np.nan], "NaN")],
)
def test_bad_input_gets_one_sentence(dose, score, says):
    with pytest.raises(ValueError, match=says):
        detection_limit(dose, score, [1.0], rng=np.random.default_rng(0))
