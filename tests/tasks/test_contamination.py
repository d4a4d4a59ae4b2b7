"""Beside a score on published items: whether the model has seen these very items."""

import dataclasses

import numpy as np
import pytest

from probatum.contamination import contamination
from probatum.core.access import Access
from probatum.core.catalogue import load
from probatum.core.target import RECORD, Target, TokenStatistics
from probatum.engine.session import Session
from probatum.runner import Runner
from probatum.scorers.orders import orders_of
from probatum.sets import known
from probatum.sets.finding import Found, generated, items_of

TASK = load("moral_choice")


class Reader(Target):
    """Finds the forms that it knows likelier than others; every character is a token."""

    name, digest, tokenizer_digest = "reader", "reader", "reader"
    access, kind = Access.TEXT | Access.LOGPROBS, "language model"

    def __init__(self, seen=()):
        self.seen = set(seen)

    def token_statistics(self, texts, *, prefixes=None):
        rows = []
        for head, text in zip(prefixes or [""] * len(texts), texts, strict=True):
            row = np.zeros(len(text), RECORD)
            # A little of its own for every text, the same every time: no two forms are alike.
            row["logprob"] = -0.1 if head + text in self.seen else -0.5 - (hash_of(text) % 97) / 1000
            row["argmax"] = 0 if head + text in self.seen else 1
            row["end"] = np.arange(1, len(text) + 1)
            rows.append(row)
        return TokenStatistics.of(rows, ("id", "logprob", "argmax", "argmax_logprob", "end"), self.name)


def hash_of(text):
    return sum((i + 1) * ord(c) for i, c in enumerate(text))


@pytest.fixture
def items():
    return generated(known()["trustllm/moral_choice"])


@pytest.fixture
def beside(items, tmp_path, monkeypatch):
    def run(target, path):
        runner = Runner(target, {"Items": items}, {}, Session(), debug=True)
        runner.found[TASK.items] = Found(items, "items", path)
        # Controls run on models of their own; here the tests themselves are asked.
        monkeypatch.setattr(Runner, "prove", lambda self, method, options: standing())
        return contamination(runner, TASK)

    def standing():
        from probatum.core.decision import Proof
        from probatum.core.finding import LimitView

        return Proof((), LimitView(1.0, None, None, "", "", "established"))

    return run


def test_a_model_that_learned_the_published_items_is_told(beside, items, tmp_path):
    forms = [orders_of(items, i, 6) for i in range(len(items))]
    seen = Reader(f.head + f.tails[0] for f in forms if not isinstance(f, str))
    found = beside(seen, tmp_path)
    assert set(found) == {"seen before? option_order", "seen before? benchmark_ngrams"}
    assert all(view.method.startswith("evidence") for view in found.values())


def test_a_model_that_did_not_is_not(beside, tmp_path):
    found = beside(Reader(), tmp_path)
    assert not any(view.method.startswith("evidence") for view in found.values())


def test_generated_items_are_not_asked_about(beside):
    assert beside(Reader(), None) == {}


def test_without_log_probabilities_nothing_is_said(beside, tmp_path):
    mute = Reader()
    mute.access = Access.TEXT
    assert beside(mute, tmp_path) == {}


def test_it_stands_in_the_finding_of_a_task_on_public_items(public):
    from probatum import open_target

    session = Session()
    runner = Runner(open_target("specimen", session=session), {}, {}, session, debug=True)
    whole = items_of(TASK.items, [public])
    runner.find_items = lambda name: dataclasses.replace(whole, items=whole.items.limit(20))
    finding = runner.run(TASK, {}).finding
    assert finding.breakdown["seen before? option_order"].method.startswith("no evidence")
