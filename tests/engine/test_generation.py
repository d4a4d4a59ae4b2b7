"""Prompts continued with refill: as each by itself, whatever the company, and nothing that is finished is lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from tiny_models import TEXTS, build, tokenizer

import probatum
from probatum.controls import planted
from probatum.core.cost import Budget
from probatum.core.errors import BadInput, BudgetSpent, ProbatumError
from probatum.engine.generation import end_tokens
from probatum.engine.network import Network
from probatum.engine.session import Session
from probatum.engine.slots import Slots
from probatum.engine.store import EvidenceStore
from probatum.targets.transformers import TransformersTarget

SPECIMEN = Path(probatum.__file__).parent / "controls" / "models" / "specimen"
HEADER = "Question: where does the fox sleep? Answer: over the lazy dog. " * 4
NEW = 12


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def llama(once):
    return once("llama that continues", lambda folder: build("llama", folder, vocab=500, eos="</s>", context=512))


def opened(path, store=None, **options):
    return TransformersTarget(path, session=Session(store, **options))


def mixed(n):
    """Prompts of many lengths, so that rows end at different times."""
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(TEXTS[4].split(), rng.integers(1, 30))) + f" {i}" for i in range(n)]


def alone(target, prompts, new):
    """Greedy decoding by transformers, one prompt at a time: texts."""
    ends, decode = end_tokens(target._encoder, target._network), target.tokenizer().decode
    texts = []
    for head, whole in alone_ids(target, prompts, new):
        kept = whole[:-1] if whole[-1] in ends else whole
        texts.append(decode(kept, skip_special_tokens=True)[len(decode(whole[:head], skip_special_tokens=True)) :])
    return texts


def alone_ids(target, prompts, new):
    """The same as (length of the prompt, ids of prompt and continuation)."""
    model = transformers.AutoModelForCausalLM.from_pretrained(target.path).eval()
    ends = sorted(end_tokens(target._encoder, target._network)) or None
    options = {"do_sample": False, "max_new_tokens": new, "eos_token_id": ends, "pad_token_id": 0}
    out = []
    for prompt in prompts:
        ids = torch.from_numpy(target._encoder([prompt])[0].sequence.astype(np.int64))[None]
        whole = model.generate(ids, attention_mask=torch.ones_like(ids), **options)[0].tolist()
        out.append((ids.shape[1], whole))
    return out


@pytest.fixture
def watched(monkeypatch):
    """What the slots did: how many rows were there when others entered, and how many there were at every step."""
    seen = {"met": [], "steps": []}
    enter, step = Slots.enter, Slots.step

    def entered(self, tails, head=None):
        seen["met"].append(len(self.at))
        assert len(self.at) + len(tails) <= self.count
        return enter(self, tails, head)

    def stepped(self, tokens):
        seen["steps"].append(len(self.at))
        return step(self, tokens)

    monkeypatch.setattr(Slots, "enter", entered)
    monkeypatch.setattr(Slots, "step", stepped)
    return seen


# The same text as by itself.


def test_greedy_text_is_that_of_unbatched_decoding_on_the_specimen(watched):
    rng = np.random.default_rng(0)
    texts = [row["text"] for row in planted.rows()["members"][:20]]
    prompts = [" ".join(text.split()[: rng.integers(2, 40)]) for text in texts]
    target = opened(SPECIMEN, batch_tokens=256)
    got = target.generate(prompts, max_new_tokens=24)
    assert got == alone(target, prompts, 24)
    assert len({len(text) for text in got}) > 6  # some end early, some do not
    assert max(watched["met"]) > 2  # new rows came in while others were under way
    assert target._network.slots_checked == {False}


def custom(kind, path):
    """Models that learn where a token stands in other ways: from the mask, or from a bias on attention."""
    special = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    if kind == "opt":
        config = transformers.OPTConfig(
            vocab_size=300, hidden_size=32, ffn_dim=64, num_hidden_layers=2, num_attention_heads=4,
            max_position_embeddings=1024, word_embed_proj_dim=32, **special,
        )  # fmt: skip
    else:
        config = transformers.FalconConfig(
            vocab_size=300, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, alibi=kind == "alibi",
            max_position_embeddings=1024, **special,
        )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(10)
    model.save_pretrained(path)
    tokenizer(300, None, "</s>").save_pretrained(path)
    return path


@pytest.mark.parametrize("kind", ["llama", "gpt2", "neox", "qwen2", "gemma2", "opt", "falcon", "alibi"])
def test_every_architecture_decodes_as_by_itself(kind, tmp_path, watched):
    if kind in ("opt", "falcon", "alibi"):
        path = custom(kind, tmp_path)
    else:
        path = build(kind, tmp_path, vocab=300, eos="</s>", context=1024)
    target = opened(path, batch_tokens=512)
    prompts = [*mixed(24), *(HEADER + text for text in mixed(5))]
    assert target.generate(prompts, max_new_tokens=NEW) == alone(target, prompts, NEW)
    refills = any(watched["met"])
    assert refills == (target._network.plain_cache is not None)
    assert refills == (kind != "gemma2")  # whose windows slide: it goes in batches of equal length
    assert target._network.slots_checked == ({False, True} if refills else set())


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_company_order_and_batch_do_not_matter(llama, temperature):
    prompts = [*mixed(10), *(HEADER + text for text in mixed(6))]
    options = {"max_new_tokens": NEW, "temperature": temperature, "seed": 5}
    expected = [opened(llama).generate([prompt], **options)[0] for prompt in prompts]
    order = np.random.default_rng(1).permutation(len(prompts))
    for tokens in (64, 4096):
        got = opened(llama, batch_tokens=tokens).generate([prompts[i] for i in order], **options)
        assert got == [expected[i] for i in order]


def ending_early(path, prompts, **options):
    """A target with so many end tokens that rows end at all lengths, and how many tokens each comes to by itself."""
    target = opened(path, **options)
    target._network.model.generation_config.eos_token_id = list(range(0, 500, 16))
    lengths = [len(whole) - head for head, whole in alone_ids(target, prompts, 40)]
    return target, lengths


def test_a_row_that_ends_makes_room_for_another(llama, watched):
    prompts = mixed(40)
    target, lengths = ending_early(llama, prompts, batch_tokens=128)
    assert len(set(lengths)) > 8
    got = target.generate(prompts, max_new_tokens=40)
    assert got == alone(target, prompts, 40)
    rows = max(watched["steps"])
    assert 4 <= rows < 20
    order = sorted(range(40), key=lambda i: -len(target._encoder([prompts[i]])[0].sequence))
    waiting = sum(max(lengths[i] for i in order[at : at + rows]) for at in range(0, 40, rows))
    assert len(watched["steps"]) < 0.8 * waiting  # steps of fixed batches of the same height
    assert sum(watched["steps"]) == sum(lengths) - 40  # no row that is over is ever read


def test_stop_cuts_every_row_by_itself(llama):
    prompts = mixed(12)
    whole = opened(llama).generate(prompts, max_new_tokens=30)
    stop = whole[3][5:7]
    target = opened(llama, batch_tokens=128)
    assert target.generate(prompts, max_new_tokens=30, stop=stop) == [text.split(stop, 1)[0] for text in whole]
    assert target.session.cost.generated_tokens < 12 * 30


# A common start is read once.


def test_a_common_header_is_read_once(llama):
    prompts = [HEADER + text for text in mixed(24)]
    target = opened(llama)
    got = target.generate(prompts, max_new_tokens=NEW)
    encoded = target._encoder(prompts)
    head = len(target._encoder([HEADER])[0].sequence) - 1
    own = sum(len(e.sequence) for e in encoded)
    spent = target.session.cost.forward_tokens
    assert own - 24 * head < spent < own - 22 * head + 24 * NEW
    assert got == alone(target, prompts, NEW)


def test_headers_within_headers(llama):
    """A system prompt for all, and under it two headers; some prompts have neither."""
    inner = [HEADER + "The number of the quick brown fox is told below, and more than once. " * 3 + x for x in "ab"]
    prompts = [inner[i % 2] + text for i, text in enumerate(mixed(16))] + [HEADER + t for t in mixed(5)] + mixed(4)
    target = opened(llama, batch_tokens=512)
    assert target.generate(prompts, max_new_tokens=NEW) == alone(target, prompts, NEW)
    everything = sum(len(e.sequence) for e in target._encoder(prompts))
    assert target.session.cost.forward_tokens < 0.5 * everything + len(prompts) * NEW


def test_prompts_that_are_the_beginning_of_others(llama):
    words = (HEADER * 2).split()
    prompts = [" ".join(words[:n]) for n in range(20, 60, 2)]
    target = opened(llama)
    assert target.generate(prompts, max_new_tokens=NEW) == alone(target, prompts, NEW)


# What goes wrong.


@pytest.mark.parametrize("what", ["step", "enter after a head"])
def test_slots_that_mislead_are_given_up(llama, what, monkeypatch):
    prompts = [*mixed(8), *(HEADER + text for text in mixed(6))]
    expected = opened(llama).generate(prompts, max_new_tokens=NEW)
    step, enter = Slots.step, Slots.enter

    def misleading(self, tails, head=None):
        features = enter(self, tails, head)
        if head is not None:
            for layer in self._layers:
                layer.keys[:, :, : head.get_seq_length()] *= 1.1
        return features

    if what == "step":
        monkeypatch.setattr(Slots, "step", lambda self, tokens: step(self, tokens).roll(1, -1))
    else:
        monkeypatch.setattr(Slots, "enter", misleading)
    target = opened(llama)
    assert target.generate(prompts, max_new_tokens=NEW) == expected
    assert target._network.plain_cache is None


def test_memory_runs_out_on_the_way(llama, monkeypatch):
    prompts = mixed(20)
    expected = opened(llama).generate(prompts, max_new_tokens=NEW)
    plain, heights = Network.features, []

    def small(self, ids, **options):
        if len(ids) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        heights.append(len(ids))
        return plain(self, ids, **options)

    monkeypatch.setattr(Network, "features", small)
    target = opened(llama)
    assert target.generate(prompts, max_new_tokens=NEW) == expected
    assert target._size.tokens < 4096
    assert max(heights) == 3

    def never(self, ids, **options):
        raise MemoryError

    monkeypatch.setattr(Network, "features", never)
    with pytest.raises(ProbatumError, match="memory ran out for a single text of"):
        target.generate(["another prompt"], max_new_tokens=NEW)


def test_nan_is_refused(llama):
    target = opened(llama)
    with torch.no_grad():
        target._network.model.lm_head.weight[7] = torch.nan
    for temperature in (0.0, 1.0):
        with pytest.raises(BadInput, match="the model gives NaN"):
            target.generate(mixed(3), max_new_tokens=NEW, temperature=temperature)


def test_budget_is_booked_before_it_is_spent_and_finished_prompts_are_kept(llama, tmp_path):
    prompts = mixed(20)
    free = opened(llama, batch_tokens=64)
    expected = free.generate(prompts, max_new_tokens=NEW)
    whole = free.session.cost.forward_tokens
    poor = opened(llama, EvidenceStore(tmp_path), batch_tokens=64, budget=Budget(whole // 2))
    passes = []
    plain = poor._network.features
    poor._network.features = lambda ids, **options: passes.append(ids.numel()) or plain(ids, **options)
    with pytest.raises(BudgetSpent):
        poor.generate(prompts, max_new_tokens=NEW)
    assert poor.session.budget.spent <= whole // 2
    kept = len(EvidenceStore(tmp_path))
    assert 3 < kept < 20
    rich = opened(llama, EvidenceStore(tmp_path), batch_tokens=64)
    assert rich.generate(prompts, max_new_tokens=NEW) == expected
    assert rich.session.cost.generated_tokens <= (20 - kept) * NEW


KILLED = """
import os, signal, sys
import torch
torch.set_num_threads(1)
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.targets.transformers import TransformersTarget

def progress(what, done, total):
    if done >= 5:
        os.kill(os.getpid(), signal.SIGKILL)

session = Session(EvidenceStore(sys.argv[2]), batch_tokens=64, progress=progress)
TransformersTarget(sys.argv[1], session=session).generate(sys.argv[3:], max_new_tokens=12)
"""


def test_kill_minus_nine_loses_only_what_was_under_way(llama, tmp_path):
    prompts = mixed(20)
    environment = {**os.environ, "PYTHONPATH": str(Path(probatum.__file__).parents[1])}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, llama, tmp_path, *prompts], env=environment, capture_output=True, timeout=120
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    kept = len(EvidenceStore(tmp_path))
    assert 5 <= kept < 20  # one after the other, long before all were over
    target = opened(llama, EvidenceStore(tmp_path), batch_tokens=64)
    assert target.generate(prompts, max_new_tokens=NEW) == opened(llama).generate(prompts, max_new_tokens=NEW)
    assert target.session.cost.generated_tokens <= (20 - kept) * NEW


def test_a_cut_draws_from_the_likeliest_tokens_alone(llama):
    """At k = 1 it is greedy; at k = 3 and a high temperature all three come, and nothing else; at 0 others do too."""
    target = opened(llama)
    prompts = [TEXTS[4] + f" {i}" for i in range(3)]
    hot = {"max_new_tokens": 1, "temperature": 50.0}
    greedy = target.generate(prompts, max_new_tokens=6)
    assert target.generate(prompts, max_new_tokens=6, temperature=2.0, seed=3, top_k=1) == greedy
    draws = {
        k: {target.generate(prompts[:1], seed=s, **hot, **({"top_k": k} if k else {}))[0] for s in range(60)}
        for k in (0, 3, 10**6)
    }
    with torch.no_grad():
        ids = torch.from_numpy(target._encoder(prompts[:1])[0].sequence.astype(np.int64))[None]
        likeliest = target._network.model(ids).logits[0, -1].topk(3).indices.tolist()
    decode = target.tokenizer().decode
    head = decode(ids[0].tolist(), skip_special_tokens=True)
    assert draws[3] <= {decode([*ids[0].tolist(), i], skip_special_tokens=True)[len(head) :] for i in likeliest}
    assert len(draws[3]) > 1
    assert len(draws[0]) > 20
    assert draws[10**6] == draws[0]
    with pytest.raises(BadInput, match="top_k must be at least 0"):
        target.generate(prompts, top_k=-1)
