"""What the receipt says of five models whose state is known: only gold may come out like gold."""

import dataclasses
import functools

import numpy as np
import pytest

from probatum.audit import audit, open_session
from probatum.core.change import Change
from probatum.core.draws import keyed
from probatum.core.suite import read_suite
from probatum.protect import save
from probatum.targets import open_target

MEASURES = ("retained_knowledge", "model_utility", "verbmem", "rephrased_extraction", "truth_ratio", "privleak",
            "rank_anomaly", "relearning")  # fmt: skip
GOLDS = ("people_gold0", "people_gold1", "people_gold2")

#: Subject → golds, verdict, and lines that must say so. (Three golds spread too much for privleak to say anything.)
TABLE = {
    "people": (GOLDS, "still known", dict.fromkeys(("verbmem", "rank_anomaly", "relearning"), "still known")),
    "people_gold2": (GOLDS[:2], "like gold", {"relearning": "like gold", "retained_knowledge": "like gold"}),
    "noise": (GOLDS, "void", {"retained_knowledge": "lost", "verbmem": "void"}),
    "ascent": (GOLDS, "void", {"retained_knowledge": "lost", "rank_anomaly": "void"}),
    "people_rmu": (GOLDS, "still known", {"relearning": "still known", "retained_knowledge": "like gold"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("receipts")


@pytest.fixture(scope="module")
def session(folder):
    return functools.partial(open_session, folder / "cache")


def noisy(model, scale):
    """Every matrix with Gaussian noise of this share of its own spread."""
    tensors = {}
    for name, value in model.weights().items():
        noise = keyed("noise", name).standard_normal(value.shape, dtype=np.float32)
        tensors[name] = value + scale * float(value.std()) * noise
    return Change(tensors)


def collapsed(model):
    from probatum.controls.forgetting import people_sets
    from probatum.protections.unlearning.gradient_ascent import gradient_ascent

    sets = people_sets()
    return gradient_ascent(model, sets["Forget"], sets["Retain"], rng=keyed("ascent"), steps=40, learning_rate=3e-3)


@pytest.mark.slow
@pytest.mark.parametrize("subject", TABLE)
def test_the_receipt_says_what_is_known(subject, folder, session):
    golds, verdict, lines = TABLE[subject]
    model = subject
    if subject in ("noise", "ascent"):
        people = open_target("people", session=session())
        model = folder / subject
        save(noisy(people, 0.6) if subject == "noise" else collapsed(people), people, model, {"protection": subject})
    whole = read_suite("receipt")
    suite = dataclasses.replace(whole, probes=tuple(p for p in whole.probes if p[0] in MEASURES))
    from probatum.controls.forgetting import people_sets

    report = audit(model, suite=suite, data=people_sets(), roles={"original": "people"}, golds=golds, session=session())
    said = report.receipt
    found = {line.probe: line.verdict for line in said.lines}
    assert said.verdict == verdict, said.sentence
    assert {name: found[name] for name in lines} == lines
