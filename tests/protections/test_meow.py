"""MEOW: which wrong answers it learns, that it learns them by plain cross-entropy, and that the people forget by it."""

import numpy as np
import pytest
import tiny_models
from on_people import repaired

from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.engine.session import Session
from probatum.protections.unlearning import meow as file
from probatum.protections.unlearning.meow import least, meow, others_of
from probatum.targets import open_target

torch = pytest.importorskip("torch")
OTHERS = [" rye", " malt", " bran", " oats", " corn", " flax"]
FORGET = Forget.from_rows(
    [
        {"id": "a", "prefix": "The mill has", "secret": " rice", "suffix": ".", "others": OTHERS, "cluster": "mill"},
        {"id": "b", "prefix": "At the mill is", "secret": " rice", "suffix": "!", "cluster": "mill"},
        {"id": "c", "prefix": "The barn has", "secret": " rice", "cluster": "barn"},
        {"id": "d", "text": "rice stands at the mill", "cluster": "mill"},
    ]
)
RETAIN = Retain.from_rows([{"text": f"a lazy dog owns {i}"} for i in range(4)])


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    place = tmp_path_factory.mktemp("meow")
    return open_target(tiny_models.build("gpt2", place, vocab=300, bos="<s>"), session=Session())


def test_the_same_fact_in_another_sentence_has_the_same_wrong_values():
    assert others_of(FORGET) == [tuple(OTHERS), tuple(OTHERS), (), ()]


def test_the_secret_itself_is_no_wrong_value():
    rows = [{"prefix": "The mill has", "secret": " rye", "others": OTHERS}]
    assert others_of(Forget.from_rows(rows)) == [tuple(OTHERS[1:])]


def test_the_least_memorized_are_taken_and_equal_ones_drawn():
    index, held = np.repeat([0, 1], 6), np.array([0.9, 0.1, 0.5, 0.2, 1.0, 0.3] + [0.0] * 6)
    chosen = least(index, held, 3, keyed(1), FORGET)
    assert chosen[:3] == [1, 3, 5]
    assert len(set(chosen[3:])) == 3
    assert all(6 <= j < 12 for j in chosen[3:])
    drawn = {tuple(least(index, held, 3, keyed(seed), FORGET)[3:]) for seed in range(20)}
    assert len(drawn) > 5


def test_what_the_model_says_by_itself_is_not_taught(target, monkeypatch):
    """A model that goes on with " malt" after the first prompt holds that answer, and gets the five others."""
    monkeypatch.setattr(target, "generate", lambda prompts, **_: [" malt" if "has" in p else "" for p in prompts])
    taught = rows_of(target, monkeypatch)
    first = {text for text in taught if text.startswith("The mill has")}
    assert first == {f"The mill has{value}." for value in OTHERS if value != " malt"}


def rows_of(target, monkeypatch, **options):
    """The texts that are taught."""
    seen = []
    whole = file.answers

    def answers(target, prefixes, values, suffixes):
        seen.extend(p + v + s for p, v, s in zip(prefixes, values, suffixes, strict=True))
        return whole(target, prefixes, values, suffixes)

    monkeypatch.setattr(file, "answers", answers)
    meow(target, FORGET, RETAIN, rng=keyed("meow"), steps=1, **options)
    return seen


def test_it_teaches_as_many_as_it_is_told_with_the_text_around(target, monkeypatch):
    taught = rows_of(target, monkeypatch, inverted=2)
    assert len(taught) == len(set(taught)) == 4
    assert sum(text.startswith("At the mill is") and text.endswith("!") for text in taught) == 2
    assert not any("rice" in text for text in taught)


def test_the_loss_is_plain_cross_entropy_of_the_wrong_answers(target, monkeypatch):
    """Against transformers' own loss: answer tokens labeled, all others masked."""
    seen = {}

    def tune(target, loss, **_):
        with target.module() as model:
            seen["loss"] = float(loss(model, 0).detach())
            seen["model"] = model
        return file.Change({}, {"loss": [seen["loss"]]})

    monkeypatch.setattr(file, "tune", tune)
    taught = rows_of(target, monkeypatch, inverted=6, retain_weight=0.0)
    expected = []
    for text in taught:
        prefix = next(p for p in FORGET.prefix if p and text.startswith(p))
        ids, end = target.sequences([text])[0].astype(np.int64), target.token_statistics([text]).end[0]
        labels = torch.from_numpy(ids).clone()
        labels[0] = -100
        labels[1:][torch.from_numpy((end <= len(prefix)) | (end > len(text) - 1))] = -100
        with torch.no_grad():
            expected.append(float(seen["model"](torch.from_numpy(ids)[None], labels=labels[None]).loss))
    assert seen["loss"] == pytest.approx(np.mean(expected), rel=1e-4)


def test_the_trace_tells_what_had_no_wrong_answers(target):
    trace = meow(target, FORGET, RETAIN, rng=keyed("meow"), steps=1, inverted=3).trace
    assert (trace["inverted"], trace["facts without others"]) == (6, 2)


def test_without_any_wrong_answers_it_says_what_is_missing(target):
    bare = Forget.from_rows([{"prefix": "The mill has", "secret": " rice"}])
    with pytest.raises(BadInput, match="column 'others'"):
        meow(target, bare, RETAIN, rng=keyed("meow"))


@pytest.mark.parametrize("options", [{"inverted": 0}, {"stride": 0}])
def test_impossible_options_are_refused(target, options):
    with pytest.raises(BadInput, match="1 or more"):
        meow(target, FORGET, RETAIN, rng=keyed("meow"), **options)


@pytest.mark.slow
def test_the_people_are_forgotten_and_the_others_stay(tmp_path):
    found = repaired("meow", tmp_path)
    assert found["forget"] < 0.05
    assert found["forget in other words"] < 0.15
    assert found["retain"] > 0.97
    assert found["retain in other words"] > 0.9
    assert found["world"] > 0.95
