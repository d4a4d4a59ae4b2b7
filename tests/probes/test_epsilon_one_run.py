"""One run: what is planted is proved, up to the ceiling; pairs are the pairs for which a coin was tossed."""

import numpy as np
import pytest
from guaranteed import told
from scipy.stats import binom

from probatum import BadInput, Canaries, TrainingLog
from probatum.controls import planted
from probatum.controls.sets import builtin
from probatum.core.control import Control
from probatum.probes.privacy.guarantee.epsilon_one_run import epsilon_one_run
from probatum.statistics import one_run
from probatum.statistics.epsilon import fdp_bound, gaussian_epsilon, one_run_bound
from probatum.statistics.proof import Run, prove
from probatum.testing import UniformTarget, toy_data, toy_target

LOG = TrainingLog.from_rows([{"id": "log", "noise_multiplier": 4.0, "sample_rate": 0.01, "steps": 100, "delta": 1e-5}])


@pytest.mark.parametrize("paired", [False, True])
def test_a_model_that_tells_every_coin_proves_all_that_can_be_proved(found, paired):
    model, canaries = told(200, shift=30.0, paired=paired)
    result = found(epsilon_one_run, model, canaries, log=None, guesses=0.5)
    assert result.estimate.value == pytest.approx(one_run_bound(200, 100, 100, delta=1e-5))
    gaussian = found(epsilon_one_run, model, canaries, log=None, guesses=0.5, family="gaussian")
    assert gaussian.estimate.value == pytest.approx(gaussian_epsilon(1e-5, fdp_bound(200, 100, 100)))
    assert gaussian.estimate.value > result.estimate.value
    assert max(result.p_value, gaussian.p_value) < 1e-3


@pytest.mark.parametrize("family", ["dp", "gaussian"])
def test_a_model_that_tells_none_is_quiet(found, family):
    p = [found(epsilon_one_run, *told(60, seed=i), log=None, family=family).p_value for i in range(80)]
    assert (np.array(p) <= 0.05).sum() <= binom.ppf(0.999, 80, 0.05)


def test_what_was_learned_by_heart_is_found_and_by_a_stranger_it_is_not(found):
    twin = toy_target(planted=False)
    assert found(epsilon_one_run, toy_target(planted=True), log=None, reference=twin).p_value <= 0.01
    assert found(epsilon_one_run, twin, log=None, reference=UniformTarget()).p_value > 0.01


def test_a_bound_stays_below_gaussian_canaries(found):
    model, canaries = told(1000, shift=1.0)
    for family, least in (("dp", 1.0), ("gaussian", 1.6)):
        value = found(epsilon_one_run, model, canaries, log=None, guesses=0.1, family=family).estimate.value
        assert least < value < gaussian_epsilon(1e-5, 1.0)


def test_the_log_brings_the_accountant_and_its_alarm(found):
    model, canaries = told(300, shift=30.0, paired=True)
    result = found(epsilon_one_run, model, canaries, log=LOG)
    assert result.breakdown["accountant"].value < 1 < result.estimate.value
    assert "replace-one" in result.breakdown["accountant"].method
    assert "ALARM" in result.note
    model, canaries = told(300, shift=0.0, paired=True)
    assert found(epsilon_one_run, model, canaries, log=LOG).note == ""


@pytest.mark.parametrize(
    "options",
    [{"delta": -0.1}, {"delta": 1.0}, {"delta": 0.0, "family": "gaussian"}, {"guesses": 0.0}, {"guesses": 1.1}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(BadInput, match=rf"epsilon_one_run.{next(iter(options))} must lie in"):
        epsilon_one_run(toy_target(), toy_data()["Canaries"], **options)


def test_an_empty_canary_is_unscored():
    canaries = Canaries.from_rows([{"id": "none", "text": ""}, {"id": "some", "text": "canary 0"}])
    assert epsilon_one_run(told(40)[0], canaries).scored.tolist() == [False, True]


@pytest.mark.parametrize("half", ["control", "subject"])
def test_built_in_canaries_are_the_pairs_for_which_a_coin_was_tossed(half):
    """One of each pair was planted; both are of one kind and nearly as long, in one half, as the recipe pairs them."""
    canaries = builtin(half)["Canaries"]
    sides = {}
    for name, label, text in zip(canaries.cluster, canaries.label, canaries.texts, strict=True):
        sides.setdefault(name, {})[label] = text
    assert len(sides) == sum(planted.MEMBERS.values()) / 2
    assert all(set(pair) == {True, False} for pair in sides.values())
    assert all(pair[True].split()[0] == pair[False].split()[0] for pair in sides.values())
    apart = [abs(len(pair[True]) - len(pair[False])) for pair in sides.values()]
    assert np.mean(apart) < 5


def test_the_limit_of_paired_canaries_is_of_canaries_and_not_of_the_mean_of_a_pair():
    """Six doses, told from 8 on: averaged with its partner, a canary would seem to need twice the dose."""
    rng = np.random.default_rng(0)
    rows, values = [], {}
    for i in range(120):
        dose = 2.0 ** (i % 6)
        for j, inside in enumerate((True, False)):
            name = f"c{i} {j}"
            rows.append({"id": name, "text": name, "member": inside, "cluster": f"p{i}", "dose": dose * inside})
            values[name] = float(rng.normal(-20, 0.5) + (4.0 if inside and dose >= 8 else 0.0))
    canaries = Canaries.from_rows(rows)
    runs = []
    for kind, shown in (("positive", values), ("negative", {n: -20 + float(rng.normal()) for n in values})):
        scores = epsilon_one_run(type(told(10)[0])("told", shown), canaries.blind())
        runs.append(Run(Control(kind, kind, "told"), scores, canaries.truth))
    proof = prove(runs, one_run, where="a table")
    assert proof.failure == ""
    assert proof.limit.status == "established"
    assert 4 <= proof.limit.value <= 8
    assert [r.detected for r in proof.limit.rates][3:] == [20, 20, 20]
