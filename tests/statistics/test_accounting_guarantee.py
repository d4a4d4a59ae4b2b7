"""The guarantee, the search for noise, composition, and a certificate read again."""

import math
import time

import numpy as np
import pytest

from probatum import BadInput
from probatum.core.releases import Release
from probatum.statistics.accounting import RELATIONS, Phase, exact_curves
from probatum.statistics.certificate import FIELDS, recheck
from probatum.statistics.composition import afford, compose, remaining
from probatum.statistics.epsilon import gaussian_epsilon
from probatum.statistics.guarantee import checked_delta, delta_at, epsilon_at, guarantee, solve


def release(q=0.02, sigma=1.0, T=100, **more):
    said = {"what": "run", "unit": "record", "relation": "add-or-remove-one", "sampler": "poisson", "C": 0.1}
    return Release(**{**said, "q": q, "sigma": sigma, "T": T, "delta": 1e-5, "data_digest": "d" * 64, **more})


def certificate(**more):
    phase = [Phase(1.0, 0.05, 20)]
    said = {
        "unit": "user:patient_id", "relation": "add-or-remove-one", "sampler": "poisson", "q": 0.05, "sigma": 1.0,
        "T": 20, "C": 0.1, "generator": "operating system", "loss": "one scalar per unit: mean over its tokens",
        "sensitivity": {"pairs": 20, "max_ratio": 0.98}, "data_digest": "d" * 64, "chosen_on_private_data": [],
        "empirical": {"one_run": {"epsilon": 0.4}, "one_shot": 0.9}, **guarantee(phase, 1e-5),
    }  # fmt: skip
    return {**said, **more}


# -- the guarantee


def test_a_guarantee_says_what_it_is():
    found = guarantee([Phase(1.0, 0.05, 20)], 1e-5, n=1000)
    assert found["epsilon"] == epsilon_at([Phase(1.0, 0.05, 20)], 1e-5)
    assert (found["relation"], found["delta"], found["kind"]) == ("add-or-remove-one", 1e-5, "upper bound")
    assert "PLD" in found["accountant"]
    with pytest.raises(BadInput, match="no epsilon can be guaranteed"):
        guarantee([Phase(0.05, 0.5, 1000)], 1e-5)


@pytest.mark.parametrize("relation", RELATIONS)
def test_it_grows_and_falls_with_every_argument(relation):
    """Random trainings, and each made a little worse in one way."""
    rng = np.random.default_rng(7)
    for _ in range(12):
        sigma, q = float(rng.uniform(0.5, 4)), float(np.exp(rng.uniform(-6, -0.5)))
        steps, delta = int(np.exp(rng.uniform(1, 6))), float(10 ** rng.uniform(-8, -3))
        base = epsilon_at([Phase(sigma, q, steps)], delta, relation)
        assert epsilon_at([Phase(sigma * 1.1, q, steps)], delta, relation) <= base
        assert epsilon_at([Phase(sigma, q / 1.1, steps)], delta, relation) <= base
        assert epsilon_at([Phase(sigma, q, steps * 2)], delta, relation) >= base
        assert epsilon_at([Phase(sigma, q, steps)], delta * 2, relation) <= base
        assert epsilon_at([Phase(sigma, q, steps), Phase(2.0, 0.01, 5)], delta, relation) >= base - 1e-9
        assert delta_at([Phase(sigma, q, steps)], base, relation) <= delta * (1 + 1e-9)
        if relation == "replace-one":
            assert base >= epsilon_at([Phase(sigma, q, steps)], delta)


def test_a_query_takes_a_tenth_of_a_second():
    """Of processor time, the best of three; what is measured beside a peer is in benchmarks/accounting.py."""
    epsilon_at([Phase(1.0, 0.05, 20)], 1e-5)  # imports
    seen = []
    for _ in range(3):
        exact_curves.cache_clear()
        start = time.process_time()
        epsilon_at([Phase(0.7, 1024 / 42061, 410)], 1 / 84122)
        seen.append(time.process_time() - start)
    assert min(seen) < 0.1
    start = time.process_time()
    solve("sigma", epsilon=3, delta=1 / 84122, q=1024 / 42061, steps=410)
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("phase", "delta", "sentence"),
    [
        (Phase(0.0, 0.1, 10), 1e-5, "sigma must be above 0"),
        (Phase(-1.0, 0.1, 10), 1e-5, "sigma must be above 0"),
        (Phase(math.inf, 0.1, 10), 1e-5, "sigma must be above 0"),
        (Phase(1.0, 1.5, 10), 1e-5, "q must lie in"),
        (Phase(1.0, 0.0, 10), 1e-5, "q must lie in"),
        (Phase(1.0, 0.1, -3), 1e-5, "steps must be a whole number"),
        (Phase(1.0, 0.1, 0), 1e-5, "steps must be a whole number"),
        (Phase(1.0, 0.1, 2.5), 1e-5, "steps must be a whole number"),
        (Phase(1.0, 0.1, 10), 0.0, "delta must lie strictly"),
        (Phase(1.0, 0.1, 10), 1.0, "delta must lie strictly"),
        (Phase("1", 0.1, 10), 1e-5, "sigma must be a number"),
    ],
)
def test_what_cannot_be_is_one_sentence(phase, delta, sentence):
    with pytest.raises(BadInput, match=sentence):
        epsilon_at([phase], delta)


def test_delta_of_one_in_n_is_refused():
    assert checked_delta(0.9e-3, 1000) == 0.9e-3
    for delta in (1e-3, 0.5):
        with pytest.raises(BadInput, match="not below 1/n"):
            checked_delta(delta, 1000)
    with pytest.raises(BadInput, match="n, the number"):
        checked_delta(1e-5, 0)
    with pytest.raises(BadInput, match="relation must be"):
        epsilon_at([Phase(1.0, 0.1, 1)], 1e-5, "neighbours")


# -- solving


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize(
    ("epsilon", "q", "steps"), [(3.0, 0.0243, 410), (0.5, 0.003, 2000), (8.0, 0.2, 30), (1.0, 1.0, 50)]
)
def test_solving_is_the_inverse(epsilon, q, steps, relation):
    delta = 1e-5
    sigma = solve("sigma", epsilon=epsilon, delta=delta, q=q, steps=steps, relation=relation)
    assert epsilon_at([Phase(sigma, q, steps)], delta, relation) <= epsilon
    less = sigma - max(1.01e-4, sigma * 2e-4)
    assert epsilon_at([Phase(less, q, steps)], delta, relation) > epsilon
    most = solve("steps", epsilon=epsilon, delta=delta, q=q, sigma=sigma, relation=relation)
    assert steps <= most <= steps * 1.01 + 1
    largest = solve("q", epsilon=epsilon, delta=delta, sigma=sigma, steps=steps, relation=relation)
    assert q * 0.999 <= largest <= q * 1.01
    assert epsilon_at([Phase(sigma, largest, steps)], delta, relation) <= epsilon


def test_what_was_released_before_counts():
    before = [Phase(1.0, 0.02, 100)]
    alone = solve("sigma", epsilon=3, delta=1e-5, q=0.02, steps=100)
    after = solve("sigma", epsilon=3, delta=1e-5, q=0.02, steps=100, before=before)
    assert after > alone
    assert epsilon_at([*before, Phase(after, 0.02, 100)], 1e-5) <= 3
    with pytest.raises(BadInput, match="no sigma up to"):
        solve("sigma", epsilon=epsilon_at(before, 1e-5) * 0.9, delta=1e-5, q=0.02, steps=100, before=before)


@pytest.mark.parametrize(
    ("unknown", "given", "sentence"),
    [
        ("sigma", {"q": 0.1}, "steps must be given"),
        ("sigma", {"q": 0.1, "steps": 10, "sigma": 1.0}, "sigma must not be given"),
        ("clip", {"q": 0.1, "steps": 10}, "can solve for"),
        ("sigma", {"q": 1.1, "steps": 10}, "q must lie in"),
        ("sigma", {"q": 0.1, "steps": -5}, "steps must be"),
        ("steps", {"q": 0.1, "sigma": 0.0}, "sigma must be above 0"),
        ("steps", {"q": 0.5, "sigma": 0.2}, "not even steps 1"),
        ("steps", {"q": 1e-6, "sigma": 50.0}, "more than 10,000,000 steps"),
        ("sigma", {"q": 0.1, "steps": 10, "epsilon": 0.0}, "epsilon must be above 0"),
    ],
)
def test_what_cannot_be_solved_is_one_sentence(unknown, given, sentence):
    with pytest.raises(BadInput, match=sentence):
        solve(unknown, **{"epsilon": 3.0, "delta": 1e-5, **given})


def test_so_much_noise_that_all_may_be_sampled():
    assert solve("q", epsilon=3, delta=1e-5, sigma=100.0, steps=10) == 1.0


# -- composition


def test_two_ledgers_are_one_with_the_sum_of_steps():
    halves = compose([release(T=40), release(T=60)], 1e-5)
    assert halves == compose([release(T=100)], 1e-5) == epsilon_at([Phase(1.0, 0.02, 100)], 1e-5)
    assert compose([release(q=1.0, sigma=4.0, T=9)] * 2, 1e-5) == gaussian_epsilon(1e-5, math.sqrt(18) / 4)
    assert compose([], 1e-5) == 0.0


def test_different_trainings_compose_below_the_sum_in_any_order():
    mixed = [release(sigma=0.8, q=0.01, T=300), release(sigma=2.0, q=0.05, T=200), release(q=1.0, sigma=20.0, T=1)]
    found = compose(mixed, 1e-5)
    assert found == compose(mixed[::-1], 1e-5)
    alone = [compose([r], 1e-5) for r in mixed]
    assert max(alone) < found < sum(alone)


def test_what_does_not_compose_is_said():
    with pytest.raises(BadInput, match="2 data sets"):
        compose([release(), release(data_digest="e")], 1e-5)
    with pytest.raises(BadInput, match="different units"):
        compose([release(), release(unit="user:id")], 1e-5)
    both = [release(), release(relation="replace-one")]
    with pytest.raises(BadInput, match="different relations"):
        compose(both, 1e-5)
    assert compose(both, 1e-5, relation="replace-one") == epsilon_at([Phase(1.0, 0.02, 200)], 1e-5, "replace-one")


def test_a_spent_budget_is_refused_before_a_training_starts():
    ledger = [release(), release(data_digest="e" * 64)]
    spent = epsilon_at([Phase(1.0, 0.02, 100)], 1e-5)
    left = remaining(ledger, "d" * 64, 1e-5, budget_epsilon=3.0)
    assert left == (1, spent, 3.0 - spent)
    assert remaining(ledger, "d" * 64, 1e-5, budget_epsilon=spent / 2).left == 0
    assert remaining(ledger, "new", 1e-5, budget_epsilon=3.0) == (0, 0.0, 3.0)
    assert afford(ledger, [release(T=50)], 1e-5, budget_epsilon=3.0) == epsilon_at([Phase(1.0, 0.02, 150)], 1e-5)
    with pytest.raises(BadInput, match=r"is spent: 1 earlier release took .* nothing was trained"):
        afford(ledger, [release(T=50)], 1e-5, budget_epsilon=spent)
    with pytest.raises(BadInput, match="does not suffice"):
        afford(ledger, [release(T=500)], 1e-5, budget_epsilon=spent * 1.2)
    with pytest.raises(BadInput, match="budget must be above 0"):
        remaining(ledger, "d" * 64, 1e-5, budget_epsilon=0)


# -- certificates


def test_a_certificate_that_stands():
    assert recheck(certificate()) == []
    phases = [Phase(1.0, 0.05, 20), Phase(2.0, 0.1, 30)]
    two = {"q": [0.05, 0.1], "sigma": [1.0, 2.0], "T": [20, 30], "epsilon": epsilon_at(phases, 1e-5)}
    assert recheck(certificate(**two)) == []
    replaced = guarantee([Phase(1.0, 0.05, 20)], 1e-5, "replace-one")
    assert recheck(certificate(**replaced)) == []
    assert recheck(certificate(empirical={"one_run": None, "one_shot": None})) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epsilon": 1.5}, "epsilon 1.5 is below 1.9847"),
        ({"epsilon": 3.0}, "larger is safe"),
        ({"epsilon": None}, "epsilon must be a number"),
        ({"sigma": 0.9}, "epsilon 1.98472 is below"),
        ({"T": 21}, "epsilon 1.98472 is below"),
        ({"relation": "replace-one"}, "epsilon 1.98472 is below"),
        ({"sampler": "shuffled"}, "sampler must be 'poisson'"),
        ({"generator": "seed 7"}, "noise that can be made again"),
        ({"loss": "mean over the batch"}, "one unit may move the gradients of others"),
        ({"sensitivity": {"pairs": 20, "max_ratio": 5.5}}, "differ by 5.5 clips; epsilon is void"),
        ({"sensitivity": {"pairs": 3, "max_ratio": 0.9}}, "3 pairs of neighbors"),
        ({"sensitivity": None}, "sensitivity must hold"),
        ({"C": 0}, "C must be a number above 0"),
        ({"n": 50_000, "delta": 1e-4}, "not below 1/n"),
        ({"chosen_on_private_data": None}, "must name what was chosen"),
        ({"empirical": {"one_run": {"epsilon": 2.5}, "one_shot": 0.9}}, "ALARM: one training run proves"),
        ({"empirical": {"one_run": 2.5, "one_shot": None}}, "ALARM: one training run proves"),
        ({"empirical": {}}, "empirical must hold"),
        ({"q": [0.05, 0.1]}, "one value for each phase"),
        ({"T": 20.5}, "whole number"),
        ({"data_digest": ""}, "must be a text"),
    ],
)
def test_what_does_not_fit_is_named(change, sentence):
    found = recheck(certificate(**change))
    assert any(sentence in line for line in found), found


def test_a_missing_field_is_named():
    for name in FIELDS:
        said = certificate()
        del said[name]
        assert recheck(said) == [f"'{name}' is missing"]
