"""Row-wise probes over many records: in parts, with the same numbers."""

import numpy as np
import pytest

from probatum import runner
from probatum.core.catalogue import load
from probatum.core.scores import Scores
from probatum.engine.session import Session
from probatum.testing import toy_data, toy_target


@pytest.mark.parametrize("name", ["loss", "discoverable_extraction"])
def test_parts_give_what_the_whole_gives(name, monkeypatch):
    method = load(name)
    one = runner.Runner(toy_target(), toy_data(), {}, Session())
    whole, truth = one.execute(method, one.subject, one.data, {}, {})
    asked = []
    monkeypatch.setattr(runner, "ROWS", 5)
    record = type(one.subject).token_statistics
    monkeypatch.setattr(
        type(one.subject), "token_statistics",
        lambda self, texts, **given: asked.append(len(texts)) or record(self, texts, **given),
    )  # fmt: skip
    parts, same = one.execute(method, one.subject, one.data, {}, {})
    assert max(asked) == 5 < len(whole) == sum(asked)
    assert parts.ids == whole.ids
    assert parts.values == pytest.approx(whole.values, nan_ok=True)
    assert same.label.tolist() == truth.label.tolist()


def test_joined_scores_keep_everything():
    a = Scores(["a", "b"], [1.0, 2.0], "x", expected=0.5, null=np.zeros((2, 3)), unscored={"b": "why"}, note="n")
    b = Scores(["c"], [3.0], "x", expected=0.25, null=np.ones((1, 3)), parameters={"delta": 1.0})
    both = Scores.joined([a, b])
    assert both.ids == ("a", "b", "c")
    assert both.values[[0, 2]].tolist() == [1.0, 3.0]
    assert both.expected.tolist() == [0.5, 0.5, 0.25]
    assert both.null.shape == (3, 3)
    assert dict(both.unscored) == {"b": "why"}
    assert both.note == "n"
