"""Beam search against every continuation that there is, against greedy decoding, and without a cache."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import tokenizers
import torch
import transformers
from tiny_models import TEXTS, build

from probatum.core.errors import BadInput
from probatum.engine.network import Network
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.targets.transformers import TransformersTarget

LETTERS = "abc"
PROMPTS = ["a", "cab", "bcabcab", "bb"]  # of unequal length: all but one are padded
MODELS = {
    "llama": {"vocab": 1000, "bos": "<s>", "eos": "</s>"},
    "gpt2": {"vocab": 300, "tied": True, "eos": "<end>"},
    "gemma2": {"vocab": 1000, "bos": "<s>", "final_logit_softcapping": 5.0},  # sliding windows: no common cache
}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def opened(path, store=None, **options) -> TransformersTarget:
    return TransformersTarget(path, session=Session(store, **options))


@pytest.fixture(scope="module")
def letters(tmp_path_factory) -> Path:
    """A model of four tokens: three letters and the end."""
    folder = tmp_path_factory.mktemp("letters")
    words = {c: i for i, c in enumerate(LETTERS)} | {"<end>": 3}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="a"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    made.decoder = tokenizers.decoders.Fuse()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<end>")
    config = transformers.LlamaConfig(
        vocab_size=4, hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=12, bos_token_id=None, eos_token_id=3, pad_token_id=None,
    )  # fmt: skip
    torch.manual_seed(5)
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(8)
    model.generation_config.eos_token_id = 3
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def every_continuation(path, prompt: str, depth: int) -> list[tuple[str, float]]:
    """All of them, best first, each read whole and alone."""
    model = transformers.AutoModelForCausalLM.from_pretrained(path).eval()
    begin = [3, *(LETTERS.index(c) for c in prompt)]
    texts = [t for n in range(depth) for t in itertools.product(range(3), repeat=n)]
    ways = [(*t, 3) for t in texts] + list(itertools.product(range(3), repeat=depth))
    out = []
    for way in ways:
        ids = torch.tensor([[*begin, *way]])
        with torch.no_grad():
            logp = model(ids).logits[0].double().log_softmax(-1)[len(begin) - 1 : -1]
        total = float(logp.gather(-1, torch.tensor(way)[:, None]).sum())
        out.append(("".join(LETTERS[t] for t in way if t < 3), total))
    return sorted(out, key=lambda beam: -beam[1])


def same(got, expected) -> None:
    assert [text for text, _ in got] == [text for text, _ in expected]
    np.testing.assert_allclose([p for _, p in got], [p for _, p in expected], atol=1e-4)


@pytest.mark.parametrize("cached", [True, False])
def test_wide_enough_it_finds_every_continuation_in_order(letters, cached):
    target = opened(letters)
    target._network.shares_cache = cached
    found = target.beams(PROMPTS, max_new_tokens=3, width=4**3)
    for prompt, beams in zip(PROMPTS, found, strict=True):
        same(beams, every_continuation(letters, prompt, 3))
        assert len(beams) == 27 + 9 + 3 + 1
        assert np.exp([p for _, p in beams]).sum() == pytest.approx(1, abs=1e-5)
    assert target._network.shares_cache == cached  # what it found over the cache was believed


@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_narrow_beam_keeps_the_best_of_every_step(letters, width):
    """The definition, written out over all continuations of each length."""
    (found,) = opened(letters).beams(["cab"], max_new_tokens=3, width=width)
    kept = {("", False): 0.0}  # (text, ended) -> log-probability
    for depth in (1, 2, 3):
        grown = {beam: p for beam, p in kept.items() if beam[1]}
        for text, p in every_continuation(letters, "cab", depth):
            ended = len(text) < depth
            parent = text if ended else text[:-1]
            if (parent, False) in kept and len(parent) == depth - 1:
                grown[text, ended] = p
        kept = dict(sorted(grown.items(), key=lambda beam: -beam[1])[:width])
    same(found, [(text, p) for (text, _), p in kept.items()])


@pytest.mark.parametrize("kind", MODELS)
def test_one_beam_is_greedy_decoding(kind, tmp_path):
    path = build(kind, tmp_path, **MODELS[kind])
    beams = opened(path).beams(TEXTS, max_new_tokens=12, width=1)
    assert [row[0][0] for row in beams] == opened(path).generate(TEXTS, max_new_tokens=12)


@pytest.mark.parametrize("kind", MODELS)
def test_company_and_cache_make_no_difference(kind, tmp_path):
    path = build(kind, tmp_path, **MODELS[kind])
    together = opened(path).beams(TEXTS, max_new_tokens=6, width=4)
    alone = opened(path, batch_tokens=1)
    alone._network.shares_cache = False
    for text, beams in zip(TEXTS, together, strict=True):
        same(alone.beams([text], max_new_tokens=6, width=4)[0], beams)
        assert len(beams) == 4
        assert [p for _, p in beams] == sorted((p for _, p in beams), reverse=True)


def test_a_cache_that_misleads_is_not_used(letters, monkeypatch):
    plain = Network.features

    def odd(self, ids, *, cache=None, positions=None, **others):
        return plain(self, ids, cache=cache, positions=positions if cache is None else positions + 1, **others)

    monkeypatch.setattr(Network, "features", odd)
    target = opened(letters)
    (found,) = target.beams(["cab"], max_new_tokens=3, width=64)
    assert not target._network.shares_cache
    same(found, every_continuation(letters, "cab", 3))


def test_a_model_with_a_head_of_its_own(letters, monkeypatch):
    plain = transformers.LlamaForCausalLM.forward

    def bent(self, *args, **options):
        out = plain(self, *args, **options)
        out.logits = out.logits * 0.5
        return out

    monkeypatch.setattr(transformers.LlamaForCausalLM, "forward", bent)
    target = opened(letters)
    (found,) = target.beams(["cab"], max_new_tokens=2, width=16)
    assert target.head == "model"
    same(found, every_continuation(letters, "cab", 2))


def test_at_the_end_of_the_context_the_prompt_loses_its_beginning(letters):
    """Of 12 tokens, 4 are left for the answer; half the context is never given up."""
    target = opened(letters)
    (found,) = target.beams(["abcabcabcabcabcabc"], max_new_tokens=4, width=2)
    assert {len(text) for text, _ in found} <= {0, 1, 2, 3, 4}
    (longer,) = target.beams(["abcabcabcabcabcabc"], max_new_tokens=50, width=2)
    assert all(len(text) <= 6 for text, _ in longer)


def test_an_empty_prompt_has_no_beams_and_a_reason(tmp_path):
    target = opened(build("neox", tmp_path, vocab=257))
    assert target.beams(["", "The"], max_new_tokens=2, width=2)[0] == []
    assert "no token to begin" in target.failures[""]


def test_evidence_is_kept_and_costs_are_counted(letters, tmp_path):
    target = opened(letters, EvidenceStore(tmp_path))
    found = target.beams(["ab", "ab", "c"], max_new_tokens=3, width=2)
    assert found[0] == found[1]
    assert target.session.cost.forward_tokens > 0
    later = opened(letters, EvidenceStore(tmp_path))
    assert later.beams(["c", "ab"], max_new_tokens=3, width=2) == [found[2], found[0]]
    assert later.session.cost.forward_passes == 0


def test_no_beam_is_bad_input(letters):
    with pytest.raises(BadInput, match="a width and a length of 1 or more"):
        opened(letters).beams(["ab"], width=0)
