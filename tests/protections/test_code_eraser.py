"""CodeEraser on planted keys: they are gone, the code around them stands, and what the model writes still parses."""

import ast
import math

import code_toy
import numpy as np
import pytest
import tiny_models
from on_people import repaired

from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.likelihood import written
from probatum.engine.answers import answers_of
from probatum.engine.session import Session
from probatum.protect import save
from probatum.protections.unlearning import code_eraser as file
from probatum.protections.unlearning.code_eraser import code_eraser, spans_of, without
from probatum.targets import open_target

torch = pytest.importorskip("torch")
ROW = {"prefix": "The code = ", "secret": "7 -3", "suffix": " now"}
RETAIN = Retain.from_rows([{"text": f"a lazy dog owns {i}"} for i in range(4)])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    place = tmp_path_factory.mktemp("code")
    return open_target(tiny_models.build("gpt2", place, vocab=300, bos="<s>"), session=Session())


def test_blanks_and_marks_of_a_secret_are_syntax(tiny):
    forget = Forget.from_rows([ROW, {"prefix": "x", "secret": " --"}])
    spans = spans_of(tiny, forget, answers_of(tiny, forget))
    for i, kept in ((0, {"7", "3"}), (1, None)):
        end = tiny.token_statistics([forget.texts[i]]).end[0]
        start = [0, *end[:-1]]
        said = {forget.texts[i][a:b].strip(" -") for a, b, in_ in zip(start, end, spans[i], strict=True) if in_}
        assert said == kept or (kept is None and spans[i].any())


def first_loss(monkeypatch, target, forget, nudge, **options):
    """The first loss, at a model that has moved a little, and that model."""
    seen = {}

    def tune(target, loss, **_):
        with target.module() as model, torch.no_grad():
            for parameter in model.parameters():
                parameter += nudge * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
            seen.update(loss=float(loss(model, 0)), model=model)

    monkeypatch.setattr(file, "tune", tune)
    code_eraser(target, forget, RETAIN, rng=keyed("x"), steps=1, retain_weight=0.0, **options)
    return seen["loss"], seen["model"]


@pytest.mark.parametrize("floor", [math.inf, 0.5])
def test_the_loss_by_hand(monkeypatch, tiny, floor):
    """One row, token by token; the form is the mean over its tokens of what was held beside the true one."""
    forget = Forget.from_rows([ROW])
    loss, model = first_loss(monkeypatch, tiny, forget, 0.05, floor=floor, context_weight=2.0, form_weight=3.0)
    span, row = spans_of(tiny, forget, answers_of(tiny, forget))[0], tiny.sequences(forget.texts)[0].astype(np.int64)
    with tiny.module() as old, torch.no_grad():
        before, now = (m(torch.from_numpy(row)[None]).logits[0].double().numpy() for m in (old, model))
    secret, context, held, form = [], [], [], np.zeros(before.shape[1])
    for at in np.flatnonzero(span):
        beside = np.delete(np.exp(before[at] - before[at].max()), row[at + 1])
        form += np.insert(beside / beside.sum(), row[at + 1], 0.0) / span.sum()
    for at in range(len(row) - 1):
        nll = np.logaddexp.reduce(now[at]) - now[at][row[at + 1]]
        (secret if span[at] else context).append(nll)
        if span[at]:
            p, q = (np.delete(z, row[at + 1]) for z in (np.log(form), now[at]))
            p, q = p - np.logaddexp.reduce(p), q - np.logaddexp.reduce(q)
            held.append((np.exp(p) * (p - q)).sum())
    assert min(len(secret), len(context)) >= 2
    expected = -np.minimum(secret, floor).mean() + 2 * np.mean(context) + 3 * np.mean(held)
    assert loss == pytest.approx(expected, rel=1e-3)
    assert np.mean(held) > 1e-3


def test_a_token_that_is_left_out_has_no_part():
    logprob = torch.tensor([[0.7, 0.2, 0.1]]).log()
    torch.testing.assert_close(without(logprob, torch.tensor([0])).exp(), torch.tensor([[0.0, 2 / 3, 1 / 3]]))


def test_a_floor_of_nothing_is_refused(tiny):
    with pytest.raises(BadInput, match="floor"):
        code_eraser(tiny, Forget.from_rows([ROW]), RETAIN, rng=keyed("x"), floor=0.0)


@pytest.fixture(scope="module")
def knows(once):
    return open_target(once("code toy", code_toy.train), session=Session())


@pytest.fixture(scope="module")
def erased(knows, tmp_path_factory):
    forget, retain = code_toy.sets()
    folder = tmp_path_factory.mktemp("erased")
    save(code_eraser(knows, forget, retain, rng=keyed(0)), knows, folder / "out", {})
    return open_target(folder / "out", session=Session())


def accuracy(target, facts, inside):
    """Share of tokens that are the likeliest, in the keys' digits or around them."""
    tokens = target.token_statistics(facts.texts)
    right = []
    for i, text in enumerate(facts.texts):
        first, last = len(facts.prefix[i]), len(facts.prefix[i]) + len(facts.secret[i])
        for a, b, hit in zip(tokens.end[i] - 1, tokens.end[i], tokens.argmax[i] == tokens.id[i], strict=True):
            if (a >= first and b <= last and text[a:b].isdigit()) == inside:
                right.append(hit)
    return float(np.mean(right))


def parse_rate(target, facts):
    def parses(text):
        try:
            ast.parse(text)
        except SyntaxError:
            return False
        return True

    said = target.generate(facts.prefix, max_new_tokens=40)
    return np.mean([parses(before + after) for before, after in zip(facts.prefix, said, strict=True)])


@pytest.mark.slow
def test_the_keys_are_gone_and_the_code_stands(knows, erased):
    forget, retain = code_toy.sets()
    assert written(knows, forget)[0].mean() >= 0.75
    assert accuracy(knows, forget, inside=True) > 0.9
    assert written(erased, forget)[0].sum() == 0
    assert accuracy(erased, forget, inside=True) <= 0.25  # chance is 0.1; of 16 digits, 5 or more come by it in 2 %
    for facts in (forget, retain):
        assert accuracy(erased, facts, inside=False) >= accuracy(knows, facts, inside=False) - 0.02
        assert parse_rate(knows, facts) == parse_rate(erased, facts) == 1.0
    assert written(erased, retain)[0].mean() >= written(knows, retain)[0].mean() - 0.1


@pytest.mark.slow
def test_the_ascent_of_the_paper_alone_breaks_the_syntax(knows, tmp_path):
    """Why the distribution over all other tokens is held: without it the same keys are gone, and so is the code."""
    forget, retain = code_toy.sets()
    change = code_eraser(knows, forget, retain, rng=keyed(0), floor=math.inf, form_weight=0.0)
    save(change, knows, tmp_path / "out", {})
    bare = open_target(tmp_path / "out", session=Session())
    assert written(bare, forget)[0].sum() == 0
    assert parse_rate(bare, forget) < 1.0


@pytest.mark.slow
def test_the_people_are_forgotten_and_the_others_stay(tmp_path):
    found = repaired("code_eraser", tmp_path)
    assert found["forget"] < 0.05
    assert found["forget in other words"] < 0.1
    assert found["retain"] > 0.95
    assert found["retain in other words"] > 0.85
    assert found["world"] > 0.95
