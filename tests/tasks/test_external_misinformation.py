"""External misinformation (TrustLLM 6.1): what its released scorer rewards, and ours does not."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from probatum.core.catalogue import load
from probatum.scorers.released import macro_f1
from probatum.sets.finding import items_of
from probatum.testing import TableTarget

TASK = "external_misinformation"


def test_macro_f1_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(20):
        t, r = rng.choice(["REFUTE", "SUPPORT"], 30), rng.choice(["REFUTE", "SUPPORT"], 30)
        assert macro_f1(t, r, ("REFUTE", "SUPPORT")) == pytest.approx(f1_score(t, r, average="macro", zero_division=0))


def test_silence_pays_as_released_and_not_here():
    """Answers only where it knows: the published score is perfect, ours counts what was left out."""
    items = items_of("trustllm/external").items
    knows = {items.prompt[i]: items.answer[i] if i % 30 < 6 else "Hard to say." for i in range(len(items))}

    class Careful(TableTarget):
        def answers(self, messages, **_):
            return [knows[talk[-1]["content"]] for talk in messages]

    scores = load(TASK).function(Careful(), items)
    assert scores.released.value == 1
    assert load(TASK).metric(scores, items.truth).estimate.value == pytest.approx(24 / 120)
    assert scores.kinds.count("unparsable") == 96


def test_on_the_public_items_the_oracle_is_perfect_and_constants_are_at_chance(public, responders):
    found = responders(TASK, public)
    assert found["oracle"] == (1, 1)
    assert found["constant"][0] == pytest.approx(0.5, abs=0.02)
    assert found["refuse_all"] == (0, None)
