"""Quantile regression: at 0 the promised share of fresh nonmembers, easy and hard ones alike."""

import numpy as np
import pytest
from learners import Noise, at_most, drawn, model, records

from probatum.core.errors import BadInput
from probatum.probes.privacy.membership.quantile_regression import quantile_regression
from probatum.statistics import auroc
from probatum.statistics.intervals import clopper_pearson


def ask(target, data=None, known=None, **options):
    halves = records().halves()
    known, data = known or halves[0], data or halves[1]
    return quantile_regression(target, data.blind(), known, **options), data


def nonmembers(seed, n):
    data = drawn(seed, 2 * n, low=10, high=60)
    return data.take(~np.array(data.label))


#: Longer texts are easier, by far more than the noise of a text's mean.
EASY = Noise(lambda text: len(text) / 30, name="longer is easier")


def test_what_was_learned_by_heart_is_found():
    scores, data = ask(model(planted=True))
    result = auroc(scores, data.truth)
    assert result.estimate.value > 0.95
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing():
    scores, data = ask(model(planted=False))
    assert auroc(scores, data.truth).p_value > 0.05


@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_of_fresh_nonmembers_a_share_alpha_lies_above_0(alpha):
    above, easy, n = 0, [], 0
    for i in range(6):
        known, fresh = nonmembers(("known", i), 200), nonmembers(("fresh", i), 250)
        values = ask(EASY, fresh, known, alpha=alpha)[0].values
        above, n = above + int((values > 0).sum()), n + len(values)
        easy += [(len(t) > 35, v > 0) for t, v in zip(fresh.texts, values, strict=True)]
    limits = clopper_pearson(above, n, level=0.99)
    assert limits.low <= alpha <= limits.high
    # What one threshold for all cannot do: it calls the easy ones members, and no hard one.
    rates = [np.mean([hit for e, hit in easy if e is side]) for side in (True, False)]
    assert max(rates) < 2 * alpha
    assert min(rates) > alpha / 3


def test_with_few_known_nonmembers_the_rate_at_0_still_holds():
    """The regression flatters what it learned from: of 25 texts and five features, the plain quantile lets far too many
    fresh ones through; the part that it did not see puts that right."""
    above = n = 0
    for i in range(40):
        values = ask(EASY, nonmembers(("fresh", i), 40), nonmembers(("few", i), 25), alpha=0.2)[0].values
        above, n = above + int((values > 0).sum()), n + len(values)
    assert above / n < 0.2 + 3 * np.sqrt(0.2 * 0.8 / (40 * 25))


def test_features_that_never_vary_leave_the_ranking_of_the_loss():
    texts = drawn("same", 60, low=20, high=21)
    values = ask(Noise(), texts, nonmembers("known", 40))[0].values
    loss = Noise().token_statistics(texts.texts).logprob.mean()
    assert np.corrcoef(values, loss)[0, 1] > 0.9
    same = texts.take(np.zeros(1, dtype=int))
    again = ask(Noise(), same, nonmembers("known", 40))[0].values
    assert again == pytest.approx(values[:1])  # no word of who else is judged


def test_members_teach_nothing():
    known, _ = records().halves()
    outside = known.take(~np.array(known.label))
    target = model(planted=True)
    assert ask(target, known=outside)[0].values == pytest.approx(ask(target, known=known)[0].values)


def test_too_few_known_nonmembers_are_named():
    known, _ = records().halves()
    few = known.take(np.flatnonzero(~np.array(known.label))[:4])
    scores, _ = ask(model(planted=True), known=few)
    assert not scores.scored.any()
    assert "4 known nonmembers" in scores.note
    assert not ask(model(planted=True), known=known.blind())[0].scored.any()


def test_a_rate_that_cannot_be_seen_is_no_threshold_and_the_finding_says_so():
    assert "do not show a rate of 0.01" in ask(model(planted=True), alpha=0.01)[0].note
    assert ask(model(planted=True), alpha=0.2)[0].note == ""
    for alpha in (0.0, 1.0, -1.0):
        with pytest.raises(BadInput, match="alpha must lie in"):
            ask(model(planted=True), alpha=alpha)


def test_where_labels_say_nothing_p_is_below_a_in_at_most_a_of_the_cases():
    p = []
    for i in range(120):
        known, data = drawn(i, 60).halves()
        p.append(auroc(ask(EASY, data, known)[0], data.truth).p_value)
    assert max(at_most(p).values()) < 3
