"""Overstated metrics: honest cards are rarely accused, inflated ones found, and label orders tried first."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from probatum.core.draws import keyed
from probatum.statistics.overstated import _f1s, accuracy, best_order, f1
from probatum.statistics.tests import binomial_tail

CARDS = 2000


def flagged(true, claimed, n, key):
    """(share above Wilson's bound, share refuted at 5 %) of cards that claim this of a model with this accuracy."""
    hits = keyed("cards", key).binomial(n, true, size=CARDS)
    found = [accuracy(claimed, int(h), n) for h in hits]
    return np.mean([m.overstated(claimed) for m in found]), np.mean([m.p_value <= 0.05 for m in found])


@pytest.mark.parametrize(("true", "n"), [(0.9, 2000), (0.9, 200), (0.6, 500), (0.97, 300)])
def test_honest_cards_are_flagged_in_at_most_five_of_a_hundred(true, n):
    for share in flagged(true, true, n, f"honest {true} {n}"):
        assert binomial_tail(round(share * CARDS), CARDS, 0.05).value > 0.001, share


def test_three_points_too_many_are_found_with_more_than_80_percent_power():
    above, refuted = flagged(0.9, 0.93, 2000, "inflated")
    assert above > 0.8
    assert refuted > 0.8


def confused(order, right, n, key):
    """Answers of ``len(order)`` classes, and predictions whose labels were put in another order."""
    rng = keyed("confused", key)
    answer = rng.integers(len(order), size=n)
    wrong = rng.random(n) >= right
    predicted = np.where(wrong, (answer + rng.integers(1, len(order), size=n)) % len(order), answer)
    return np.argsort(order)[predicted], answer


@pytest.mark.parametrize("order", [(1, 0), (2, 0, 1), (3, 1, 0, 2)])
def test_the_order_of_the_labels_is_found(order):
    predicted, answer = confused(np.array(order), 0.9, 300, str(order))
    found = best_order(predicted, answer, len(order))
    assert tuple(found) == order
    hits = {o: int((np.array(o)[predicted] == answer).sum()) for o in itertools.permutations(range(len(order)))}
    assert max(hits.values()) == hits[tuple(int(i) for i in found)], "no order has more"


def test_where_the_given_order_is_as_good_as_any_it_stays():
    assert tuple(best_order(np.array([0, 1]), np.array([0, 0]), 2)) == (0, 1)


def test_f1_agrees_with_its_definition():
    sklearn = pytest.importorskip("sklearn.metrics")
    predicted, answer = confused(np.arange(3), 0.7, 200, "f1")
    counts = np.zeros((1, 3, 3))
    np.add.at(counts[0], (predicted, answer), 1)
    own = _f1s(counts)[0]
    for i, average in ((slice(0, 3), None), (3, "macro"), (4, "weighted")):
        assert own[i] == pytest.approx(sklearn.f1_score(answer, predicted, average=average))


def test_an_honest_f1_stands_and_an_inflated_one_does_not():
    refuted = {0.0: 0, 0.1: 0}
    for draw in range(100):
        predicted, answer = confused(np.arange(2), 0.8, 400, f"honest f1 {draw}")
        for more in refuted:
            refuted[more] += f1(0.8 + more, predicted, answer, 2, keyed("draws", draw)).p_value <= 0.05
    assert refuted[0.0] <= 10
    assert refuted[0.1] >= 90
