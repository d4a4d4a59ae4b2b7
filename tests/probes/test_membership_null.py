"""Where a coin decides who is called a member, p is no smaller than it says, whatever a score is made of."""

import dataclasses
import importlib

import numpy as np
import pytest

from probatum.core.draws import keyed
from probatum.core.estimate import Truth
from probatum.statistics import auroc
from probatum.testing import NgramTarget, toy_data

DRAWS = 100
RECORDS = toy_data()["Members"].blind()
MEMBERS = dataclasses.replace(RECORDS, text=tuple(text.title() for text in RECORDS.texts))
LETTERS = "".join(sorted({c for text in toy_data()["Texts"].texts + MEMBERS.texts + RECORDS.texts for c in text}))
UNSEEN = NgramTarget(toy_data()["Texts"].texts, order=3, vocabulary=LETTERS)
REFERENCE = NgramTarget(toy_data()["Texts"].texts[::2], order=2, vocabulary=LETTERS)


@pytest.mark.parametrize("name", ["max_k_prob", "window_min_loss", "lowercase", "ez_mia", "wbc", "pac", "neighborhood"])
def test_p_is_no_smaller_than_it_says(name):
    probe = getattr(importlib.import_module(f"probatum.probes.privacy.membership.{name}"), name)
    signature = probe.method.signature
    given = {"reference": REFERENCE} if "reference" in signature.roles else {}
    given |= {"rng": keyed("null")} if signature.rng else {}
    given |= {"w": 12} if name == "window_min_loss" else {}
    scores = probe(UNSEEN, MEMBERS, **given)
    coin = np.arange(len(MEMBERS)) % 2 == 0
    p = np.array([auroc(scores, Truth(label=keyed(name, i).permutation(coin))).p_value for i in range(DRAWS)])
    for a in (0.01, 0.05, 0.2):
        assert (p <= a).mean() <= a + 3 * np.sqrt(a * (1 - a) / DRAWS)
    assert len(set(scores.values[scores.scored])) > 10  # else it is ties that keep it quiet
