"""Texts after one prefix: as in the joint text, at the price of one reading of the prefix."""

import contextlib
import sqlite3

import numpy as np
import pytest
import torch
from tiny_models import TEXTS, build, naive

from probatum.core.cost import Budget
from probatum.core.errors import BudgetSpent
from probatum.core.target import RECORD
from probatum.engine.network import Network
from probatum.engine.session import Session
from probatum.engine.shared_prefix import CHARACTERS, collect_after, shared_prefixes
from probatum.engine.store import EvidenceStore
from probatum.planning import Rehearsal
from probatum.targets.transformers import TransformersTarget

MODELS = {
    "llama": {"vocab": 1000, "bos": "<s>", "eos": "</s>", "context": 256},
    "gpt2": {"vocab": 300, "tied": True, "eos": "<end>", "context": 512},
    "neox": {"vocab": 257, "context": 512},  # no start token
    "qwen2": {"vocab": 1003, "tokens": 400, "tied": True, "eos": "<end>", "context": 256},
    "gemma2": {"vocab": 1000, "bos": "<s>", "context": 256},  # sliding windows: it cannot share
}
PREFIX = "The quick brown fox and the lazy dog number some words again and again. " * 3 + "so they say, the qu"
AFTER = [*TEXTS, "", "ick brown fox, once more"]  # the last one merges with the prefix's last letters
FIELDS = RECORD.names


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("models")
    return {kind: build(kind, root / kind, **options) for kind, options in MODELS.items()}


def opened(path, store=None, share=True, **options):
    target = TransformersTarget(path, session=Session(store, **options))
    target.shares_prefixes = share
    return target


def ask(target, texts=AFTER, prefix=PREFIX):
    return target.token_statistics(texts, prefixes=[prefix] * len(texts))


def same(got, expected):
    for name in FIELDS:
        a, b = getattr(got, name), getattr(expected, name)
        assert a.lengths.tolist() == b.lengths.tolist()
        exact = name in ("id", "end", "argmax", "rank")
        np.testing.assert_allclose(a.values, b.values, atol=0 if exact else 1e-4, err_msg=name)


@pytest.mark.parametrize("batch_tokens", [4096, 64])
@pytest.mark.parametrize("kind", MODELS)
def test_the_record_is_that_of_the_joint_text(models, kind, batch_tokens):
    target = opened(models[kind], batch_tokens=batch_tokens)
    same(ask(target), ask(opened(models[kind], share=False)))
    assert target._network.shares_cache == (kind != "gemma2")


def test_the_record_is_that_of_the_naive_computation(models):
    got = ask(opened(models["llama"]))
    for i, whole in enumerate(naive(models["llama"], [PREFIX + text for text in AFTER])):
        n = got.logprob.lengths[i]
        for name in ("logprob", "mean", "std"):
            np.testing.assert_allclose(getattr(got, name)[i], whole[name][len(whole[name]) - n :], atol=1e-4)


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_prefix_whose_own_tokens_depend_on_what_follows(models, kind):
    """ "the" + "r" is cut otherwise than "the" + " fox", within the prefix."""
    prefix, texts = PREFIX + "ick fox and the", ["r is none", " fox", "?", "re they sleep"]
    target = opened(models[kind])
    cut = [e.sequence.tolist() for e in target._encoder([prefix + t for t in texts[:2]])]
    begin = len(target._encoder([prefix])[0].sequence)
    assert cut[0][begin - 1] != cut[1][begin - 1]
    same(ask(target, texts, prefix), ask(opened(models[kind], share=False), texts, prefix))
    assert target._network.shares_cache


def test_only_tokens_that_all_texts_begin_with_are_read_once(models):
    """A tokenizer may cut the prefix otherwise long before its end; the longest text does so here."""
    target = opened(models["llama"])
    encoder, collector = target._encoder, target._collector

    def odd(texts):
        cut = encoder(texts)
        last = max(range(len(cut)), key=lambda i: len(cut[i].sequence))
        cut[last].sequence[5] += 1
        return cut

    pairs = [(PREFIX, text) for text in TEXTS]
    got = {}
    for batch in collect_after(odd, collector, pairs, lambda n: None, lambda: None):
        got.update(zip(*batch, strict=True))
    whole = odd([PREFIX + text for text in TEXTS])
    for batch in collector.collect(whole, lambda n: None, lambda: None):
        for i, record in zip(*batch, strict=True):
            expected = record[record["end"] > len(PREFIX)]
            np.testing.assert_allclose(got[i]["logprob"], expected["logprob"], atol=1e-4)
    assert target._network.shares_cache


@pytest.mark.parametrize("kind", ["llama", "gpt2", "neox"])
def test_the_prefix_is_read_once(models, kind):
    """All but the last of the tokens in common; the rest of every text; one joint text as a check."""
    target = opened(models[kind])
    ask(target)
    read = [e.sequence.tolist() for e in target._encoder([PREFIX + text for text in AFTER if text])]
    once = next(i for i, column in enumerate(zip(*read, strict=False)) if len(set(column)) > 1) - 1
    assert once > 60
    lengths = [len(ids) - 1 for ids in read]
    assert target.session.cost.forward_tokens == once + sum(n - once for n in lengths) + min(lengths)
    joint = opened(models[kind], share=False)
    ask(joint)
    assert target.session.cost.forward_tokens < joint.session.cost.forward_tokens / 2


def test_the_store_does_not_hold_the_prefix_again_and_again(models, tmp_path):
    target = opened(models["llama"], EvidenceStore(tmp_path))
    got = ask(target)
    with contextlib.closing(sqlite3.connect(target._store.path)) as file:
        rows = dict(file.execute("SELECT kind, SUM(LENGTH(blob)) FROM evidence GROUP BY kind"))
    assert rows == {"record after": RECORD.itemsize * len(got.id.values)}


def test_what_is_stored_needs_neither_a_pass_nor_a_tokenizer(models, tmp_path):
    first = ask(opened(models["llama"], EvidenceStore(tmp_path)))
    again = opened(models["llama"], EvidenceStore(tmp_path))
    same(ask(again, AFTER[::-1]), ask(opened(models["llama"]), AFTER[::-1]))
    same(ask(again), first)
    assert again.session.cost.forward_tokens == 0
    assert "_network" not in vars(again)
    assert "_encoder" not in vars(again)


def test_equal_texts_count_once_and_prefixes_are_told_apart(models):
    target = opened(models["llama"])
    other = "Quite another beginning, and not a short one at that, number by number. " * 4
    texts, prefixes = [*AFTER, *AFTER, TEXTS[0], *TEXTS], [*([PREFIX] * 2 * len(AFTER)), "", *([other] * len(TEXTS))]
    got = target.token_statistics(texts, prefixes=prefixes)
    same(got, opened(models["llama"], share=False).token_statistics(texts, prefixes=prefixes))
    np.testing.assert_array_equal(got.logprob[0], got.logprob[len(AFTER)])
    assert np.abs(got.logprob[0] - got.logprob[2 * len(AFTER) + 1]).max() > 0.01


def test_a_text_that_exceeds_the_context_with_its_prefix_is_read_in_windows(models):
    texts = [*AFTER, " ".join(f"word{i} and {i * 7919}" for i in range(40))]
    target = opened(models["llama"])
    same(ask(target, texts), ask(opened(models["llama"], share=False), texts))
    assert target.windowed == 1
    assert target._network.shares_cache


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_a_cache_that_misleads_is_not_used(models, kind, monkeypatch):
    expected = ask(opened(models[kind], share=False))
    plain = Network.features

    def odd(self, ids, *, cache=None, positions=None, **others):
        return plain(self, ids, cache=cache, positions=positions if cache is None else positions + 1, **others)

    monkeypatch.setattr(Network, "features", odd)
    target = opened(models[kind])
    same(ask(target), expected)
    assert not target._network.shares_cache


def test_memory_that_runs_out_over_a_cache_sends_the_texts_through_the_joint_pass(models, monkeypatch):
    expected = ask(opened(models["llama"], share=False))
    plain = Network.features

    def small(self, ids, *, cache=None, **others):
        if cache is not None:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return plain(self, ids, cache=cache, **others)

    monkeypatch.setattr(Network, "features", small)
    same(ask(opened(models["llama"])), expected)


def test_a_budget_is_asked_before_anything_is_read(models):
    target = opened(models["llama"])
    target.session.budget = Budget(20)
    with pytest.raises(BudgetSpent):
        ask(target)
    assert target.session.cost.forward_tokens <= 20


def test_half_precision_shares_too(models):
    target = opened(models["llama"], dtype="bfloat16")
    got, exact = ask(target), ask(opened(models["llama"]))
    assert target._network.shares_cache
    assert np.abs(got.logprob.values - exact.logprob.values).mean() < 0.3


def test_a_sampler_that_another_probe_declared_does_not_cost_the_sharing(models):
    target, other = opened(models["llama"]), opened(models["llama"])
    target.declare(["sampling:1.0,5,1.0"])
    same(ask(target), ask(other))
    assert target.session.cost.forward_tokens == other.session.cost.forward_tokens
    asked = (AFTER, [PREFIX] * len(AFTER))
    late, plain = (t.sampling_logprob(asked[0], prefixes=asked[1], top_k=5) for t in (target, other))
    assert late.values.tolist() == pytest.approx(plain.values.tolist())


def test_few_texts_or_a_short_prefix_keep_the_evidence_of_the_whole():
    long, short, texts = "x" * CHARACTERS, "x" * (CHARACTERS - 1), ["a", "b", "c", "d"]
    assert shared_prefixes(texts, [long] * 4) == {long}
    assert shared_prefixes(texts, [short] * 4) == set()
    assert shared_prefixes(texts[:3], [long] * 3) == set()
    assert shared_prefixes(["a", "b", "c", "c"], [long] * 4) == set()  # three distinct texts
    assert shared_prefixes([t * 10_000 for t in texts], [long] * 4) == set()  # the prefix is next to nothing there
    assert shared_prefixes([*texts, "e"], [*([long] * 4), short]) == {long}


def test_a_plan_counts_what_is_read_over_a_shared_prefix(models):
    """The rehearsal against what the engine then reads: the prefix once, and not before every text."""
    target = opened(models["neox"])
    texts = [f"{text} {i}" for i in range(8) for text in TEXTS]
    rehearsal = Rehearsal(target)
    rehearsal.token_statistics(texts, prefixes=[PREFIX] * len(texts))
    ask(target, texts)
    read = target.session.cost.forward_tokens
    assert rehearsal.tokens == pytest.approx(read, rel=0.2)
    joint = sum(len(e.sequence) for e in target._encoder([PREFIX + text for text in texts]))
    assert joint > 1.5 * read
