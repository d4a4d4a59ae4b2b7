"""IdkDPO on a model of three parameters: (2/β) log 2 where it begins, and the refusal rises as the truth falls."""

import numpy as np
import pytest
from coins import Toy, kl_from_start, logp, loss_at

from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.protections.unlearning.idk_dpo import _asked, idk_dpo

FORGET = Forget.from_rows([{"prefix": "c", "secret": "aab", "suffix": "c"}])
RETAIN = Retain.from_rows([{"text": "ccb"}])
START = (0.0, 0.0, 0.0)
PLACES = [(1.0, -0.5, 0.2), (-2.0, 1.0, 0.0)]


@pytest.mark.parametrize("beta", [0.05, 0.1, 2.0])
def test_where_it_begins_the_loss_is_2_over_beta_log_2(monkeypatch, beta):
    value, _ = loss_at(monkeypatch, idk_dpo, START, FORGET, RETAIN, beta=beta, refusal="bc")
    assert value == pytest.approx(2 / beta * np.log(2), rel=1e-6)


@pytest.mark.parametrize("beta", [0.1, 2.0])
@pytest.mark.parametrize("at", PLACES)
def test_the_loss_and_its_gradient_by_hand(monkeypatch, beta, at):
    value, gradient = loss_at(monkeypatch, idk_dpo, at, FORGET, RETAIN, beta=beta, refusal="bc", retain_weight=0.0)
    refused, told = (logp(at, letters)[0] - logp(START, letters)[0] for letters in ("bc", "aab"))
    margin = beta * (refused - told)
    assert value == pytest.approx(2 / beta * np.log1p(np.exp(-margin)), rel=1e-4)
    slope = logp(at, "bc")[1] - logp(at, "aab")[1]
    assert gradient == pytest.approx(-2 / (1 + np.exp(margin)) * slope, rel=1e-3, abs=1e-5)


def test_the_retain_term_is_added(monkeypatch):
    at = PLACES[0]
    bare, held = (
        loss_at(monkeypatch, idk_dpo, at, FORGET, RETAIN, refusal="b", retain_weight=w)[0] for w in (0.0, 2.0)
    )
    assert held - bare == pytest.approx(2 * kl_from_start(at), rel=1e-3)


def test_the_refusal_rises_and_the_truth_falls():
    options = {"refusal": "b", "steps": 30, "learning_rate": 0.1, "retain_weight": 0.0, "beta": 1.0}
    logits = idk_dpo(Toy(), Forget.from_rows([{"prefix": "c", "secret": "a"}]), RETAIN, rng=keyed("idk"), **options)
    a, b, c = logits.tensors["logits"]
    assert a < c < b


def test_of_a_text_the_refusal_takes_the_second_half():
    assert _asked("", "In Roda lives Ann Lee.") == ("In Roda", " lives Ann Lee.")
    assert _asked("", "alone") == ("", "alone")
    assert _asked("Ann lives in", " New Roda") == ("Ann lives in", " New Roda")


def test_an_empty_refusal_is_one_sentence():
    with pytest.raises(BadInput, match="refusal is empty"):
        idk_dpo(Toy(), FORGET, RETAIN, rng=keyed("idk"), refusal=" ")
