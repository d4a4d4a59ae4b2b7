"""The network learner: BIC by hand, a planted skeleton, nothing where there is nothing, and no circle."""

import itertools
import math

import numpy as np
import pytest

from probatum.statistics.bayesian_network import bayesian_network, family_bic


def test_the_score_equals_a_hand_computation():
    # x: 0 0 0 0 1 1 1 1; y: 0 0 0 1 1 1 1 0. Below x = 0 three zeros of four, below x = 1 three ones of four.
    x, y = np.array([0, 0, 0, 0, 1, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1, 1, 0])
    alone = 8 * math.log(1 / 2) - 0.5 * 1 * math.log(8)
    with_parent = 2 * (3 * math.log(3 / 4) + math.log(1 / 4)) - 0.5 * 2 * math.log(8)
    assert family_bic(y, [], (2,)) == pytest.approx(alone)
    assert family_bic(y, [x], (2, 2)) == pytest.approx(with_parent)
    found = bayesian_network({"x": np.tile(x, 20), "y": np.tile(y, 20)})
    gain = 160 * math.log(2) + 40 * (3 * math.log(3 / 4) + math.log(1 / 4)) - 0.5 * math.log(160)
    assert skeleton(found) == {frozenset("xy")}
    assert found.edges[0][2] == pytest.approx(gain) == pytest.approx(found.bic - found.empty)


def test_two_parents_are_counted_by_their_pairs():
    rng = np.random.default_rng(2)
    x, y, z = rng.integers(0, 3, 400), rng.integers(0, 2, 400), rng.integers(0, 4, 400)
    expected = 0.0
    for i, j in itertools.product(range(3), range(2)):
        own = np.bincount(z[(x == i) & (y == j)], minlength=4)
        expected += sum(c * math.log(c / own.sum()) for c in own if c)
    assert family_bic(z, [x, y], (4, 3, 2)) == pytest.approx(expected - 0.5 * 3 * 6 * math.log(400))


def skeleton(found):
    return {frozenset(e[:2]) for e in found.edges}


def planted(seed, n=5000):
    """a → b, a → c, b → d ← c, each a noisy function."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 3, n)
    b = np.where(rng.random(n) < 0.7, a, rng.integers(0, 3, n))
    c = np.where(rng.random(n) < 0.7, (a + 1) % 3, rng.integers(0, 3, n))
    d = np.where(rng.random(n) < 0.8, (b > c).astype(int), rng.integers(0, 2, n))
    return {"a": a, "b": b, "c": c, "d": d}


@pytest.mark.parametrize("seed", range(10))
def test_the_skeleton_of_four_nodes_is_recovered(seed):
    found = bayesian_network(planted(seed))
    assert skeleton(found) == {frozenset(e) for e in ("ab", "ac", "bd", "cd")}
    assert {(a, b) for a, b, _ in found.edges if b == "d"} == {("b", "d"), ("c", "d")}, "a collider has directions"
    assert all(gain > 0 for *_, gain in found.edges)
    assert found.bic > found.empty


def test_independent_data_gives_the_empty_graph():
    empty = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        data = {name: rng.integers(0, k, 1000) for name, k in zip("wxyz", (2, 3, 4, 2), strict=True)}
        empty += not bayesian_network(data).edges
    assert empty >= 95


def test_greedy_finds_the_best_of_all_graphs_of_three():
    rng = np.random.default_rng(4)
    x = rng.integers(0, 2, 300)
    y = x ^ (rng.random(300) < 0.2)
    values = [x, y, y ^ (rng.random(300) < 0.2)]
    best = -math.inf
    for order in itertools.permutations(range(3)):
        total = 0.0
        for place, node in enumerate(order):
            choices = [c for k in range(place + 1) for c in itertools.combinations(order[:place], k)]
            total += max(family_bic(values[node], [values[p] for p in c], (2,) * (len(c) + 1)) for c in choices)
        best = max(best, total)
    assert bayesian_network(dict(zip("xyz", values, strict=True))).bic == pytest.approx(best)


def test_tiers_keep_time_in_order_and_parents_are_few():
    data = planted(1)
    found = bayesian_network(data, tiers={"a": 1, "b": 0, "c": 0, "d": 0})
    assert all(a != "a" for a, _, _ in found.edges)
    rng = np.random.default_rng(3)
    bits = {f"x{i}": rng.integers(0, 2, 4000) for i in range(5)}
    total = sum(bits.values())
    found = bayesian_network(bits | {"sum": total}, most=2, tiers={"sum": 1})
    assert max(sum(b == name for _, b, _ in found.edges) for name in [*bits, "sum"]) <= 2


def test_there_is_never_a_circle():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        base = rng.integers(0, 2, 200)
        data = {f"x{i}": base ^ (rng.random(200) < 0.3) for i in range(5)}
        edges = {(a, b) for a, b, _ in bayesian_network(data).edges}
        left = set(data)
        while free := {x for x in left if not any(b == x and a in left for a, b in edges)}:
            left -= free
        assert not left


def test_texts_are_values_too_and_a_constant_has_no_edge():
    found = bayesian_network({"x": ["a", "b"] * 50, "y": ["u", "v"] * 50, "z": ["k"] * 100})
    assert skeleton(found) == {frozenset("xy")}


def test_too_little_is_said():
    with pytest.raises(ValueError, match="two records"):
        bayesian_network({"x": [1]})
    with pytest.raises(ValueError, match="one length"):
        bayesian_network({"x": [1, 2], "y": [1, 2, 3]})
