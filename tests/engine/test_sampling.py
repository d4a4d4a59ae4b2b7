"""Log-probabilities under a sampler: those of transformers, those of real draws, and out of the pass of the record."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from tiny_models import TEXTS, build

from probatum.core.access import Access
from probatum.core.errors import BadInput
from probatum.engine.sampling import sampler_logprob
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.targets.transformers import TransformersTarget

SAMPLERS = [(1.0, 0, 1.0), (0.7, 0, 1.0), (1.0, 40, 1.0), (1.3, 5, 1.0), (1.0, 0, 0.8), (0.8, 40, 0.9), (1.0, 1, 0.5)]


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """A little sharp, so that top-p cuts some tokens and not all."""
    return build("llama", tmp_path_factory.mktemp("sampling"), vocab=300, bos="<s>", eos="</s>", scale=4.0)


def opened(path, store=None, **options) -> TransformersTarget:
    return TransformersTarget(path, session=Session(store, **options))


def ask(target, sampler, texts=TEXTS, prefixes=None):
    temperature, top_k, top_p = sampler
    return target.sampling_logprob(texts, prefixes=prefixes, temperature=temperature, top_k=top_k, top_p=top_p)


def warped(scores, sampler):
    """What transformers' generate does to its scores, by its own classes in its own order."""
    temperature, top_k, top_p = sampler
    chain = transformers.LogitsProcessorList()
    chain.append(transformers.TemperatureLogitsWarper(temperature))
    if top_k:
        chain.append(transformers.TopKLogitsWarper(top_k))
    if top_p < 1:
        chain.append(transformers.TopPLogitsWarper(top_p))
    return chain(None, scores).log_softmax(-1)


# Whose law it is.


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_equal_to_the_warpers_of_transformers(model, sampler):
    loaded = transformers.AutoModelForCausalLM.from_pretrained(model).eval()
    made = transformers.AutoTokenizer.from_pretrained(model)
    got = ask(opened(model, batch_tokens=128), sampler)
    cut = 0
    for i, text in enumerate(TEXTS):
        ids = torch.tensor([[made.bos_token_id, *made.encode(text, add_special_tokens=False)]])
        with torch.no_grad():
            law = warped(loaded(ids).logits[0, :-1].float(), sampler)
        expected = law.gather(-1, ids[0, 1:, None])[:, 0].numpy()
        np.testing.assert_array_equal(np.isinf(got[i]), np.isinf(expected))
        np.testing.assert_allclose(got[i], expected, atol=1e-4)
        cut += int(np.isinf(expected).sum())
    assert (cut > 0) == (sampler[1:] != (0, 1.0))


def test_without_a_cut_and_at_temperature_1_it_is_the_logprob(model):
    target = opened(model)
    np.testing.assert_allclose(
        ask(target, (1.0, 0, 1.0)).values, target.token_statistics(TEXTS).logprob.values, atol=1e-5
    )


@pytest.mark.parametrize(
    ("sampler", "p"),
    [
        ((1.0, 0, 1.0), [0.5, 0.3, 0.2]),
        ((0.5, 0, 1.0), [25 / 38, 9 / 38, 4 / 38]),  # squares
        ((1.0, 2, 1.0), [5 / 8, 3 / 8, 0]),
        ((1.0, 0, 0.5), [1, 0, 0]),  # .5 reaches .5
        ((1.0, 0, 0.51), [5 / 8, 3 / 8, 0]),
        ((0.5, 0, 0.66), [25 / 34, 9 / 34, 0]),  # the mass of top-p is that after temperature: 25/38 = .658
        ((1.0, 2, 0.62), [1, 0, 0]),  # and that after top-k: .625 reaches .62, .5 would not
        ((1.0, 7, 1.0), [0.5, 0.3, 0.2]),  # more than there are
        ((1.0, 0, 1e-9), [1, 0, 0]),  # the likeliest is never cut
    ],
)
def test_three_tokens_by_hand(sampler, p):
    logits = torch.tensor([[0.5, 0.3, 0.2]]).log().repeat(3, 1) + 7
    before = logits.clone()
    got = sampler_logprob(torch, logits, torch.arange(3), sampler).exp()
    assert got.tolist() == pytest.approx(p, abs=1e-6)
    assert torch.equal(logits, before)  # the record is made of them afterwards


@pytest.mark.parametrize("sampler", [(1.0, 2, 1.0), (1.0, 0, 0.5), (1.0, 0, 0.75), (1.0, 3, 0.9)])
def test_ties_are_those_of_transformers(sampler):
    logits = torch.zeros(4, 4)
    got = sampler_logprob(torch, logits, torch.arange(4), sampler)
    assert torch.equal(got, warped(logits.clone(), sampler).diagonal())


def test_equal_to_how_often_three_tokens_are_drawn():
    """20,000 texts of three tokens from transformers' own sampler; every sequence within five standard errors."""
    torch.manual_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=3, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1,
        bos_token_id=None, eos_token_id=None, pad_token_id=None,
    )  # fmt: skip
    toy = transformers.LlamaForCausalLM(config).eval()
    with torch.no_grad():
        toy.lm_head.weight.mul_(40)
    sampler, n = (0.8, 2, 0.95), 20_000
    prompt = torch.zeros(n, 1, dtype=torch.long)
    out = toy.generate(prompt, do_sample=True, temperature=0.8, top_k=2, top_p=0.95, min_new_tokens=3, max_new_tokens=3)
    counts = Counter(map(tuple, out[:, 1:].tolist()))
    total = 0.0
    for code in range(27):
        text = [code // 9, code // 3 % 3, code % 3]
        ids = torch.tensor([[0, *text]])
        with torch.no_grad():
            logits = toy(ids).logits[0, :-1].float()
        p = float(sampler_logprob(torch, logits, ids[0, 1:], sampler).sum().exp())
        total += p
        assert counts[tuple(text)] / n == pytest.approx(p, abs=5 * math.sqrt(p * (1 - p) / n) + 1e-9)
    assert total == pytest.approx(1, abs=1e-5)
    assert 3 < len(counts) < 27  # neither all nor none is cut


# What it costs, and where it is kept.


def test_windows_are_those_of_the_record(tmp_path):
    path = build("llama", tmp_path / "short", vocab=300, bos="<s>", context=16)
    long = " ".join(TEXTS)
    target = opened(path)
    np.testing.assert_allclose(
        ask(target, (1.0, 0, 1.0), [long])[0], target.token_statistics([long]).logprob[0], atol=1e-5
    )
    assert target.windowed == 1


def test_a_prefix_gives_a_slice_of_the_whole(model):
    target = opened(model)
    whole = ask(target, (1.0, 40, 1.0), [TEXTS[0]])[0]
    part = ask(target, (1.0, 40, 1.0), [TEXTS[0][9:]], [TEXTS[0][:9]])[0]
    assert 0 < len(part) < len(whole)
    np.testing.assert_array_equal(part, whole[-len(part) :])


def test_an_empty_text_has_an_empty_row(model):
    assert ask(opened(model), (1.0, 40, 1.0), ["", "a"]).lengths[0] == 0


def test_one_call_makes_one_pass_for_record_and_sampler(model):
    target = opened(model)
    ask(target, (1.0, 40, 1.0))
    asked = target.session.cost.forward_passes
    plain = opened(model)
    plain.token_statistics(TEXTS)
    assert asked == plain.session.cost.forward_passes
    target.token_statistics(TEXTS)
    assert target.session.cost.forward_passes == asked


def test_undeclared_and_after_the_record_it_is_a_pass_of_its_own(model):
    target = opened(model)
    target.token_statistics(["fox", "dog"], prefixes=["quick ", "lazy "])
    before = target.session.cost.forward_passes
    ask(target, (1.0, 40, 1.0), ["fox", "dog"], ["quick ", "lazy "])
    assert target.session.cost.forward_passes > before


def test_declared_it_comes_with_the_record_and_computes_nothing_later(model, tmp_path):
    own = opened(model)
    expected = ask(own, (0.8, 40, 0.9), ["fox", "dog"], ["quick ", "lazy "])
    store = EvidenceStore(tmp_path)
    target = opened(model, store)
    target.declare(["hidden:-1", "sampling:0.8,40,0.9", "sampling:1.0,40,1.0", "sampling:1,40,1"])
    target.token_statistics(["fox", "dog"], prefixes=["quick ", "lazy "])
    spent = (target.session.cost.forward_passes, target.session.cost.forward_tokens)
    got = ask(target, (0.8, 40, 0.9), ["fox", "dog"], ["quick ", "lazy "])
    ask(target, (1.0, 40, 1.0), ["quick fox", "lazy dog"])  # evidence is of whole texts
    assert (target.session.cost.forward_passes, target.session.cost.forward_tokens) == spent
    np.testing.assert_allclose(got.values, expected.values, atol=1e-4)
    assert len(store) == 6  # two records, two rows of each sampler
    later = opened(model, EvidenceStore(tmp_path))
    np.testing.assert_array_equal(ask(later, (0.8, 40, 0.9), ["fox", "dog"], ["quick ", "lazy "]).values, got.values)
    assert later.session.cost.forward_passes == 0


def test_the_record_is_the_same_beside_a_sampler(model):
    plain, target = opened(model), opened(model)
    target.declare(["sampling:0.5,3,0.5"])
    one, other = (t.token_statistics(TEXTS, prefixes=[""] * len(TEXTS)) for t in (plain, target))
    for name in ("id", "logprob", "mean", "std", "rank", "argmax", "argmax_logprob", "logsumexp", "end"):
        np.testing.assert_array_equal(getattr(one, name).values, getattr(other, name).values)


def test_texts_without_a_prefix_do_not_pay_for_what_was_declared(model, tmp_path):
    store = EvidenceStore(tmp_path)
    target = opened(model, store)
    target.declare(["sampling:1.0,40,1.0"])
    target.token_statistics(TEXTS)
    assert len(store) == len(TEXTS)


def test_a_target_without_logits_ignores_it(model):
    target = opened(model)
    target.access = Access.TEXT | Access.LOGPROBS
    target.declare(["sampling:1.0,40,1.0"])
    assert target._declared == ()


@pytest.mark.parametrize("sampler", [(0.0, 0, 1.0), (-1.0, 0, 1.0), (1.0, -1, 1.0), (1.0, 0, 0.0), (1.0, 0, 1.1)])
def test_a_sampler_that_cannot_be_is_refused_in_one_sentence(model, sampler):
    with pytest.raises(BadInput, match="a sampler needs T > 0"):
        ask(opened(model), sampler)
    with pytest.raises(BadInput, match="a sampler needs T > 0"):
        opened(model).declare([f"sampling:{sampler[0]},{sampler[1]},{sampler[2]}"])
