"""HELM's further metrics: the worst case over forms is no better than the plain score, and finds a brittle model."""

import numpy as np
import pytest

from probatum.core.access import Access
from probatum.core.catalogue import load
from probatum.core.target import Target
from probatum.engine.session import Session
from probatum.runner import Runner
from probatum.sets.finding import items_of

TASK = load("external_misinformation")


class Reader(Target):
    """Right on every prompt; ``brittle``: only where the prompt is written as published."""

    name, digest, access, chats = "reader", "reader", Access.TEXT, True

    def __init__(self, items, brittle):
        self.known = dict(zip(items.prompt, items.answer, strict=True))
        self.by_form = {" ".join(p.lower().split()): a for p, a in self.known.items()}
        self.brittle = brittle

    def answers(self, messages, **_):
        found = []
        for talk in messages:
            prompt = talk[-1]["content"]
            answer = self.known.get(prompt)
            if answer is None and not self.brittle:
                answer = self.by_form.get(" ".join(prompt.lower().split()), "Supports")
            found.append(answer or "Hard to say; she says that he and she and her brother and her mother left him.")
        return found


@pytest.fixture(scope="module")
def items():
    return items_of("trustllm/external").items


def finding(items, brittle):
    runner = Runner(Reader(items, brittle), {"Items": items}, {}, Session(), debug=True, facets=True)
    return runner.run(TASK, {}).finding


def test_a_brittle_model_is_right_as_published_and_wrong_in_the_worst_case(items):
    found = finding(items, brittle=True)
    assert found.estimate.value == 1
    assert found.breakdown["robustness: worst case"].value == 0
    assert "worst of lower case, wide spaces" in found.breakdown["robustness: worst case"].method


def test_a_model_that_reads_past_case_and_spaces_loses_only_to_misspelling(items):
    found = finding(items, brittle=False)
    assert 0.4 < found.breakdown["robustness: worst case"].value <= 1
    assert not any(name.startswith("calibration") for name in found.breakdown), "it gives no probabilities"


def test_without_being_asked_there_are_none(items):
    runner = Runner(Reader(items, True), {"Items": items}, {}, Session(), debug=True)
    assert not any("worst case" in name for name in runner.run(TASK, {}).finding.breakdown)


def test_the_lean_of_gendered_words_is_counted(items):
    from probatum.core.estimate import Truth
    from probatum.core.scores import Scores
    from probatum.facets import _words

    said = ["She and her mother left."] * 5 + ["He left."] * 5
    scores = Scores([f"{i}" for i in range(10)], np.ones(10), "right", said=said)
    lean = _words(scores, Truth())["bias: lean of gendered words"]
    assert lean.value == pytest.approx((15 - 5) / 20)
    assert _words(scores.take(np.arange(0)), Truth()) == {}


def test_a_local_model_has_calibration_and_efficiency_too():
    from probatum import open_target

    items = items_of("trustllm/external").items.limit(24)
    runner = Runner(open_target("specimen"), {"Items": items}, {}, Session(), debug=True, facets=True)
    found = runner.run(TASK, {}).finding.breakdown
    assert 0 <= found["calibration: ECE"].value <= 1
    assert found["efficiency: one answer"].value > 0
