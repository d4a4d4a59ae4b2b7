"""The certificate of a private training: true ones stand, and every way of promising too much is named."""

import json

import pytest

from probatum.core.data import Certificate
from probatum.core.errors import BadInput
from probatum.core.target import Target
from probatum.probes.privacy.guarantee.dp_certificate import dp_certificate
from probatum.statistics.accounting import Phase
from probatum.statistics.guarantee import guarantee


def certificate(**changes):
    true = guarantee([Phase(1.0, 0.05, 20)], 1e-5)
    said = {
        **true, "unit": "user:person", "sampler": "poisson", "q": 0.05, "sigma": 1.0, "T": 20, "C": 0.1, "n": 400,
        "generator": "operating system: …", "loss": "one scalar per unit: …", "data_digest": "d",
        "sensitivity": {"pairs": 20, "max_ratio": 1.0}, "chosen_on_private_data": [],
        "empirical": {"one_run": None, "one_shot": None}, **changes,
    }  # fmt: skip
    return Certificate.from_rows([{"id": "certificate", "said": json.dumps(said)}])


def judge(**changes):
    scores = dp_certificate(Target(), certificate(**changes))
    return scores.values[0], scores.note


def test_the_anchor_of_the_accountant_stands():
    """q = .05, σ = 1, T = 20, δ = 1e-5: ε = 1.9847 (Google's accountant)."""
    assert json.loads(certificate().said[0])["epsilon"] == pytest.approx(1.9847, abs=1e-4)
    assert judge() == (0.0, "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"epsilon": 1.5}, "below 1.98"),
        ({"sigma": 0.5}, "below"),
        ({"T": 40}, "below"),
        ({"sampler": "shuffled"}, "sampler"),
        ({"generator": "numpy, seed 0"}, "made again"),
        ({"loss": "mean over the batch"}, "one unit may move"),
        ({"sensitivity": {"pairs": 20, "max_ratio": 5.5}}, "5.5 clips"),
        ({"sensitivity": {"pairs": 3, "max_ratio": 1.0}}, "pairs"),
        ({"delta": 0.01}, "1/n"),
        ({"empirical": {"one_run": 7.0, "one_shot": None}}, "ALARM"),
    ],
)
def test_what_promises_too_much_is_named(changes, words):
    value, note = judge(**changes)
    assert value == 1.0
    assert words in note


def test_what_is_no_certificate_is_refused():
    for text in ("no json", "[1]"):
        with pytest.raises(BadInput, match="certificate"):
            dp_certificate(Target(), Certificate.from_rows([{"id": "c", "said": text}]))
