"""Memorization forecast: precision and recall by hand, and quiet where the two models have nothing in common."""

import numpy as np
import pytest
from scipy import stats

from probatum.controls.memorization import Reciter
from probatum.core.data import Records
from probatum.core.draws import keyed
from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.probes.privacy.extraction.discoverable_extraction import discoverable_extraction
from probatum.probes.privacy.extraction.memorization_forecast import memorization_forecast
from probatum.statistics import TooFew, forecast
from probatum.testing import short_data, toy_data, toy_target

RECORDS = toy_data()["Records"].blind()


def records(n):
    return Records.from_rows({"id": f"r{i}", "prefix": f"p{i} ", "secret": "1234"} for i in range(n))


def knowing(data, which, name="m"):
    return Reciter(name, (data.prefix[i] + data.secret[i] for i in which))


def assert_valid(p):
    for alpha in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p) <= alpha) <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / len(p))


def scored(values):
    return Scores([str(i) for i in range(len(values))], values, "foretold")


def asked(data, later, earlier, truth=None):
    scores = memorization_forecast(knowing(data, later), data, checkpoint=knowing(data, earlier))
    return forecast(scores, truth or Truth())


def test_precision_and_recall_are_those_of_the_two_sets():
    """|S ∩ B| = 6, |S| = 8, |B| = 15 of 40: precision 6/8, recall 6/15, Fisher's exact test one-sided."""
    result = asked(records(40), range(15), range(9, 17))
    assert result.estimate.metric == "precision"
    assert result.estimate.value == 6 / 8
    assert result.breakdown["recall"].value == 6 / 15
    assert result.breakdown["not foretold"].value == 9 / 32
    assert result.breakdown["this model"].value == 15 / 40
    assert result.p_value == pytest.approx(stats.hypergeom.sf(5, 40, 15, 8))


def test_memorized_is_what_greedy_decoding_writes():
    target, checkpoint = toy_target(planted=True), toy_target(planted=False)
    scores = memorization_forecast(target, RECORDS, checkpoint=checkpoint)
    own, other = (discoverable_extraction(t, RECORDS).values for t in (target, checkpoint))
    assert scores.values.tolist() == (2 * own + other).tolist()
    assert own.sum() == 12


def test_a_model_is_its_own_forecast():
    data = records(40)
    result = asked(data, range(15), range(15))
    assert result.estimate.value == result.breakdown["recall"].value == 1
    assert result.p_value < 1e-8


def test_a_checkpoint_that_memorizes_other_records_foretells_none():
    """1,000 pairs of independent sets: P(p <= a) <= a."""
    p, rng = [], keyed("forecast", "null")
    for _ in range(1_000):
        later, earlier = rng.random((2, 60)) < rng.uniform(0.1, 0.6, size=(2, 1))
        p.append(forecast(scored(2.0 * later + earlier), Truth()).p_value)
    assert_valid(p)


def test_a_person_with_many_records_is_one_unit():
    """Records of one person are memorized together; the test goes by person, and stays right."""
    p, rng = [], keyed("forecast", "clusters")
    cluster = np.repeat([f"c{i}" for i in range(15)], 4)
    for seed in range(150):
        later, earlier = (np.repeat(rng.random(15) < 0.5, 4) for _ in range(2))
        p.append(forecast(scored(2.0 * later + earlier), Truth(cluster=cluster, seed=seed)).p_value)
    assert_valid(p)


def test_records_that_nobody_was_taught_do_not_count():
    """Had by neither: with them, two models that share nothing would seem to agree."""
    data = records(80)
    label = np.arange(80) < 20
    result = asked(data, range(0, 20, 2), [*range(0, 20, 4), *range(1, 20, 4)], Truth(label=label))
    assert result.estimate.value == 0.5
    assert result.p_value > 0.5
    assert result.breakdown["this model"].n == 20
    assert asked(data, range(0, 20, 2), [*range(0, 20, 4), *range(1, 20, 4)]).p_value < 0.01


def test_an_earlier_model_with_nothing_has_a_recall_of_0():
    result = asked(records(20), range(5), [])
    assert (result.estimate.metric, result.estimate.value, result.p_value) == ("recall", 0, 1)


def test_two_models_with_nothing_say_nothing():
    with pytest.raises(TooFew, match="neither"):
        asked(records(20), [], [])


def test_a_model_that_memorizes_none_of_what_was_foretold_is_no_evidence():
    result = asked(records(20), [], range(5))
    assert (result.estimate.value, result.p_value) == (0, 1)


def test_an_empty_secret_is_unscored():
    data = short_data()["Records"].blind()
    scores = memorization_forecast(toy_target(), data, checkpoint=toy_target(planted=False))
    assert scores.unscored == {"short": "no token of the secret has a score"}
