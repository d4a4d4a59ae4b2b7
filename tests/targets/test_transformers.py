"""A model on disk gives what a naive computation gives, computes nothing twice, and refuses what it cannot open."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

sys.path.append(str(Path(__file__).parents[1] / "engine"))
from tiny_models import TEXTS, build, naive

import probatum.core.target
from probatum.core.access import OPEN_WEIGHTS
from probatum.core.cost import Budget
from probatum.core.errors import BadInput, BudgetSpent, NotOffered, ProbatumError
from probatum.engine.generation import end_tokens
from probatum.engine.network import CHUNK_ROWS, Network
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.targets.transformers import TransformersTarget

LONG = " ".join(f"word{i} and {i * 7919}" for i in range(60))
MODELS = {
    "llama": {"vocab": 1000, "bos": "<s>", "eos": "</s>"},
    "gpt2": {"vocab": 300, "tied": True, "eos": "<end>"},
    "neox": {"vocab": 257},  # neither start nor end token
    "qwen2": {"vocab": 1003, "tokens": 400, "tied": True, "eos": "<end>"},  # more embeddings than tokens
    "gemma2": {"vocab": 1000, "bos": "<s>", "final_logit_softcapping": 5.0},  # bends its logits, sliding windows
}
SOURCES = str(Path(probatum.core.target.__file__).parents[2])


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {kind: build(kind, root / kind, **options) for kind, options in MODELS.items()}


@pytest.fixture
def llama(models):
    return models["llama"]


def opened(path, store=None, **options):
    return TransformersTarget(path, session=Session(store, **options))


def total(target, texts):
    return sum(len(target._encoder(texts)[i].scored) for i in range(len(texts)))


# What it answers.


@pytest.mark.parametrize("kind", MODELS)
def test_every_field_equals_the_naive_computation(models, kind):
    target = opened(models[kind], batch_tokens=128)
    got = target.token_statistics(TEXTS)
    for i, expected in enumerate(naive(models[kind], TEXTS)):
        for name, values in expected.items():
            exact = name in ("id", "rank", "argmax")
            np.testing.assert_allclose(getattr(got, name)[i], values, atol=0 if exact else 1e-4, err_msg=name)
    assert target.head == "chunked"
    assert target.padding_difference <= 1e-4
    assert target.windowed == 0
    np.testing.assert_array_equal(target.encode(TEXTS).values, got.id.values)


@pytest.mark.parametrize("kind", MODELS)
def test_answers_do_not_depend_on_the_company(models, kind):
    together = opened(models[kind]).token_statistics(TEXTS)
    alone = opened(models[kind], batch_tokens=1)
    for i, text in enumerate(TEXTS):
        np.testing.assert_allclose(alone.token_statistics([text]).logprob[0], together.logprob[i], atol=1e-4)
    order = [3, 0, 5, 1]
    again = opened(models[kind]).token_statistics([TEXTS[i] for i in order])
    np.testing.assert_allclose(again.mean[0], together.mean[3], atol=1e-4)


@pytest.mark.parametrize("kind", ["llama", "neox"])
def test_ends_are_characters_of_the_text(models, kind):
    got = opened(models[kind]).token_statistics(TEXTS)
    for i, text in enumerate(TEXTS):
        ends = got.end[i].tolist()
        assert ends == sorted(ends)
        assert not ends or ends[-1] == len(text)
    assert got.end.lengths.tolist() == got.id.lengths.tolist()


@pytest.mark.parametrize("kind", ["llama", "gpt2", "neox"])
def test_prefixes_are_a_slice_and_share_the_evidence_of_the_whole(models, kind):
    target = opened(models[kind])
    whole = target.token_statistics(["My number is 555-0101."])
    spent = target.session.cost.forward_tokens
    part = target.token_statistics([" 555-0101."], prefixes=["My number is"])
    assert target.session.cost.forward_tokens == spent
    kept = whole.end[0] > len("My number is")
    np.testing.assert_array_equal(part.logprob[0], whole.logprob[0][kept])
    assert 0 < kept.sum() < len(kept)


@pytest.mark.parametrize("kind", ["llama", "neox"])
def test_long_texts_are_read_in_windows(models, kind):
    """Every token once; each window by itself equals the naive computation over that window."""
    target = opened(models[kind])
    got = target.token_statistics([LONG, "short"])
    ids = target._encoder([LONG])[0].sequence
    assert target.context == 128
    assert target.windowed == 1
    assert len(got.logprob[0]) == len(ids) - 1 > 3 * 128
    model = transformers.AutoModelForCausalLM.from_pretrained(models[kind], dtype=torch.float64)
    for at in (10, 127, 128, 129, 191, 192, 193, 260, len(ids) - 2):  # rows of input
        window = max(0, -(-(at - 127) // 64)) * 64  # the first window that reaches this row
        with torch.no_grad():
            logits = model(torch.from_numpy(ids[window : at + 1].astype(np.int64))[None]).logits[0, -1]
        expected = float(logits.log_softmax(-1)[ids[at + 1]])
        assert got.logprob[0][at] == pytest.approx(expected, abs=1e-4)
        assert at < 128 or at - window >= 63


def test_empty_text(models):
    for kind in ("llama", "neox"):
        target = opened(models[kind])
        assert target.token_statistics(["", "a"]).logprob.lengths.tolist()[0] == 0
        assert target.session.cost.forward_tokens < 3


def test_half_precision_is_near_and_its_difference_recorded(llama):
    target = opened(llama, dtype="bfloat16")
    got = target.token_statistics(TEXTS)
    assert target.dtype == "bfloat16"
    assert target.head == "chunked"
    assert 0 <= target.padding_difference < 1
    exact = opened(llama).token_statistics(TEXTS)
    assert np.abs(got.logprob.values - exact.logprob.values).mean() < 0.3
    assert not np.array_equal(got.logprob.values, exact.logprob.values)


def test_model_with_a_head_of_its_own(llama, monkeypatch):
    """A model that does something unknown to its logits is asked for them whole, one text at a time."""
    expected = opened(llama).token_statistics(TEXTS)
    target = opened(llama)
    plain = transformers.LlamaForCausalLM.forward

    def bent(self, *args, **options):
        out = plain(self, *args, **options)
        out.logits = out.logits * 1.5
        return out

    monkeypatch.setattr(transformers.LlamaForCausalLM, "forward", bent)
    got = target.token_statistics(TEXTS)
    assert target.head == "model"
    logit, plain_logit = ((x.logprob + x.logsumexp).values for x in (got, expected))
    np.testing.assert_allclose(logit, 1.5 * plain_logit, atol=1e-3)
    np.testing.assert_array_equal(got.rank.values, expected.rank.values)
    joint = target.token_statistics([" fox"], prefixes=["The quick brown"]).logprob.sum()
    scores = target.choices(["The quick brown"], [[" fox", " dog", " cat"]])
    assert scores.logprob[0][0] == pytest.approx(joint[0], abs=1e-4)
    assert len(target.generate(["The quick", "a"], max_new_tokens=5)) == 2
    assert target.hidden(["The", "quick brown"], [0, -1])[-1].shape == (2, 32)


# Options.


CHOICES = (
    ["The quick brown", "Call 555-", "na", "Numbers 1 2 3 4 5 6 7 8 9 10 and some more words", "", "The quick"],
    [[" fox", " dogs and cats", "", "x"], ["0101 now!", "0102"], ["ïve", "ve", "me 1 2 3"],
     [f" {i} and {i * 7}" for i in range(30)], ["The", "a b"], [" " + w for w in ("a", "b", "c")]],
)  # fmt: skip


@pytest.mark.parametrize("batch_tokens", [4096, 64])
@pytest.mark.parametrize("kind", MODELS)
def test_choices_equal_scoring_joint_texts(models, kind, batch_tokens):
    target = opened(models[kind], batch_tokens=batch_tokens)
    prompts, options = CHOICES
    got = target.choices(prompts, options)
    judge = opened(models[kind])
    for i, (prompt, row) in enumerate(zip(prompts, options, strict=True)):
        joint = judge.token_statistics(row, prefixes=[prompt] * len(row))
        np.testing.assert_allclose(got.logprob[i], joint.logprob.sum(), atol=1e-4)
        assert got.tokens[i].tolist() == joint.logprob.lengths.tolist()
        assert got.bytes[i].tolist() == [len(o.encode()) for o in row]


def test_prompt_is_computed_once_for_all_its_options(llama):
    target = opened(llama)
    prompt, options = LONG[:100], [f" {i}" for i in range(100)]
    target.choices([prompt] * 2, [options] * 2)
    read = len(target._encoder([prompt])[0].sequence)
    assert target.session.cost.forward_tokens < read + 6 * len(options)
    spent = target.session.cost.forward_tokens
    assert target.choices([prompt], [options]).logprob[0].shape == (100,)
    assert target.session.cost.forward_tokens == spent


def test_cache_that_misleads_is_not_used(llama, monkeypatch):
    prompts, options = CHOICES
    expected = opened(llama).choices(prompts, options)
    plain = Network.features

    def odd(self, ids, *, cache=None, positions=None, **others):
        return plain(self, ids, cache=cache, positions=positions if cache is None else positions + 1, **others)

    monkeypatch.setattr(Network, "features", odd)
    target = opened(llama)
    got = target.choices(prompts, options)
    assert not target._network.shares_cache
    np.testing.assert_allclose(got.logprob.values, expected.logprob.values, atol=1e-4)


def test_choices_longer_than_the_context(llama):
    target = opened(llama)
    got = target.choices([LONG], [[" yes", " no"]]).logprob[0]
    joint = target.token_statistics([" yes", " no"], prefixes=[LONG] * 2).logprob.sum()
    np.testing.assert_allclose(got, joint, atol=1e-4)


# Generation.


def greedy_by_transformers(target, prompt, n):
    model = transformers.AutoModelForCausalLM.from_pretrained(target.path)
    ids = torch.from_numpy(target._encoder([prompt])[0].sequence.astype(np.int64))[None]
    ends = sorted(end_tokens(target._encoder, target._network)) or None
    out = model.generate(
        ids, do_sample=False, max_new_tokens=n, eos_token_id=ends, pad_token_id=0, attention_mask=torch.ones_like(ids)
    )
    return target.tokenizer().decode(out[0, ids.shape[1] :], skip_special_tokens=True)


@pytest.mark.parametrize("kind", MODELS)
def test_greedy_equals_transformers(models, kind):
    target = opened(models[kind])
    got = target.generate(TEXTS, max_new_tokens=16)
    assert got == [greedy_by_transformers(target, text, 16) for text in TEXTS]
    assert opened(models[kind], batch_tokens=1).generate(TEXTS[::-1], max_new_tokens=16) == got[::-1]


def test_sampling_depends_on_seed_and_prompt_only(llama):
    target = opened(llama)
    got = target.generate(TEXTS, max_new_tokens=12, temperature=1.0, seed=3)
    alone = opened(llama)
    assert [alone.generate([t], max_new_tokens=12, temperature=1.0, seed=3)[0] for t in TEXTS] == got
    assert target.generate(TEXTS, max_new_tokens=12, temperature=1.0, seed=4) != got


def test_samples_follow_the_model(llama):
    """First tokens drawn under 400 seeds have the frequencies that scoring promises."""
    target = opened(llama)
    network, encoder = target._network, target._encoder
    ids = torch.from_numpy(encoder(["The quick"])[0].sequence.astype(np.int64))[None]
    p = network.logits(network.features(ids)[0][0, -1:])[0].softmax(-1).numpy()
    first = int(p.argmax())
    text = target.tokenizer().decode([first], skip_special_tokens=True)
    same = [i for i in range(len(p)) if target.tokenizer().decode([i], skip_special_tokens=True) == text]
    hits = sum(
        target.generate(["The quick"], max_new_tokens=1, temperature=1.0, seed=seed)[0] == text for seed in range(400)
    )
    chance = float(p[same].sum())
    assert abs(hits / 400 - chance) < 5 * np.sqrt(chance * (1 - chance) / 400) + 1e-9


def test_stop_cuts_and_ends(llama):
    target = opened(llama)
    (whole,) = target.generate(["The quick brown"], max_new_tokens=40)
    stop = whole[6:8]
    spent = target.session.cost.generated_tokens
    assert target.generate(["The quick brown"], max_new_tokens=40, stop=stop) == [whole.split(stop, 1)[0]]
    assert target.session.cost.generated_tokens - spent < 30


def test_end_token_ends(llama):
    target = opened(llama)
    (whole,) = target.generate(["The quick brown"], max_new_tokens=6)
    new = target._encoder([whole])[0].scored
    target._network.model.generation_config.eos_token_id = [int(new[-1]), 999]
    target._store.get = lambda keys: {}
    (cut,) = target.generate(["The quick brown"], max_new_tokens=6)
    assert whole.startswith(cut)
    assert len(cut) < len(whole)


def test_generation_at_the_end_of_the_context(llama):
    target = opened(llama)
    assert len(target.generate([LONG, "a"], max_new_tokens=50)) == 2
    assert len(target.generate([LONG], max_new_tokens=500)) == 1
    assert target.generate(["a"], max_new_tokens=0) == [""]


def test_empty_prompt(models):
    assert len(opened(models["llama"]).generate([""], max_new_tokens=3)) == 1
    with pytest.raises(ProbatumError, match="no token to begin a text with"):
        opened(models["neox"]).generate([""], max_new_tokens=3)


def test_chat_goes_through_the_template(llama, tmp_path):
    with pytest.raises(NotOffered, match="has no chat template"):
        opened(llama).chat([[{"role": "user", "content": "hi"}]])
    path = shutil.copytree(llama, tmp_path / "chat")
    template = "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
    (path / "chat_template.jinja").write_text(template)
    target = opened(path)
    talk = [{"role": "user", "content": "hi"}]
    assert target.chat([talk], max_new_tokens=9) == target.generate(["[user] hi\n"], max_new_tokens=9)


# Hidden states, weights, files, module.


@pytest.mark.parametrize("kind", ["llama", "neox"])
def test_hidden_states(models, kind):
    target = opened(models[kind], batch_tokens=128)
    texts = [*TEXTS, ""]
    model = transformers.AutoModelForCausalLM.from_pretrained(models[kind])
    for pool in ("last", "mean"):
        got = target.hidden(texts, [0, 1, -1], pool=pool)
        skip = 0 if target._encoder.start is None else 1
        for i, encoded in enumerate(target._encoder(TEXTS)):
            with torch.no_grad():
                ids = torch.from_numpy(encoded.sequence.astype(np.int64))[None]
                states = model(ids, output_hidden_states=True).hidden_states
            for layer in (0, 1, -1):
                rows = states[layer][0, skip:]
                expected = rows[-1] if pool == "last" else rows.mean(0)
                np.testing.assert_allclose(got[layer][i], expected.numpy(), atol=1e-4)
        assert np.isnan(got[0][-1]).all()
    assert target.hidden([LONG], [1], pool="mean")[1].shape == (1, 32)
    with pytest.raises(BadInput, match="layers go from 0 to 2"):
        target.hidden(["a"], [3])


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_weights_are_read_without_a_framework(llama, tmp_path, dtype):
    model = transformers.AutoModelForCausalLM.from_pretrained(llama, dtype=dtype)
    model.save_pretrained(tmp_path, max_shard_size="100KB")
    for file in llama.glob("tokenizer*"):
        shutil.copy(file, tmp_path)
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    target = opened(tmp_path)
    weights = target.weights()
    state = model.state_dict()
    assert set(weights) == set(state)
    for name, value in state.items():
        assert weights[name].dtype == np.float32
        np.testing.assert_array_equal(weights[name], value.float().numpy())
    assert target.parameter_count == sum(v.numel() for v in state.values())
    assert target.dtype == "float32"  # on a CPU, however it was saved


def test_tied_parameters_count_once(models):
    model = transformers.AutoModelForCausalLM.from_pretrained(models["gpt2"])
    assert opened(models["gpt2"]).parameter_count == sum(p.numel() for p in model.parameters())


def test_module_can_be_spoiled(llama):
    target = opened(llama)
    before = target.token_statistics(TEXTS).logprob.values.copy()
    with target.module() as model:
        with torch.no_grad():
            for parameter in model.parameters():
                assert parameter.requires_grad
                parameter.zero_()
        model.train()
    target._recent.clear()
    target._store._rows.clear()
    np.testing.assert_array_equal(target.token_statistics(TEXTS).logprob.values, before)


def test_what_it_says_of_itself(llama):
    target = TransformersTarget(llama, session=Session(), name="mine")
    assert (target.name, target.kind, target.access) == ("mine", "language model", OPEN_WEIGHTS)
    assert target.files() == llama
    assert len(target.digest) == len(target.tokenizer_digest) == 64


# Evidence.


def test_stored_evidence_is_identical_and_free(llama, tmp_path):
    store = EvidenceStore(tmp_path)
    first = opened(llama, store)
    computed = first.token_statistics(TEXTS)
    assert first.session.cost.forward_tokens >= total(first, TEXTS)
    again = opened(llama, store)
    read = again.token_statistics(TEXTS)
    for name in probatum.core.target.RECORD.names:
        np.testing.assert_array_equal(getattr(read, name).values, getattr(computed, name).values)
    assert again.session.cost.forward_tokens == 0
    assert again.session.cost.cached_tokens == len(computed.id.values)


def test_equal_texts_are_computed_once(llama):
    one, many = opened(llama), opened(llama)
    one.token_statistics(["The same text."])
    many.token_statistics(["The same text."] * 50)
    assert many.session.cost.forward_tokens == one.session.cost.forward_tokens


def test_one_changed_weight_is_another_model(llama, tmp_path):
    store = EvidenceStore(tmp_path / "store")
    opened(llama, store).token_statistics(TEXTS)
    path = shutil.copytree(llama, tmp_path / "model")
    same = opened(path, store)
    same.token_statistics(TEXTS)
    assert same.session.cost.forward_tokens == 0  # the same bytes under another name
    raw = bytearray((path / "model.safetensors").read_bytes())
    raw[-1] ^= 1
    (path / "model.safetensors").write_bytes(raw)
    other = opened(path, store)
    other.token_statistics(TEXTS)
    assert other.digest != same.digest
    assert other.tokenizer_digest == same.tokenizer_digest
    assert other.session.cost.forward_tokens > 0


def test_another_model_in_the_same_directory_is_not_believed(tmp_path):
    store = EvidenceStore(tmp_path / "store")
    path = build("llama", tmp_path / "model", vocab=300, seed=0)
    first = opened(path, store)
    one = first.token_statistics(TEXTS)
    shutil.rmtree(path)
    build("llama", path, vocab=300, seed=1)  # same name, same shapes, same size
    two = opened(path, store).token_statistics(TEXTS)
    assert not np.allclose(one.logprob.values, two.logprob.values)
    late = opened(path, store)
    shutil.rmtree(path)
    build("llama", path, vocab=300, seed=2)
    with pytest.raises(BadInput, match="changed since they were opened"):
        late.token_statistics(["not in the store"])


def test_tokenizer_digest_is_about_cutting_only(llama, tmp_path):
    path = shutil.copytree(llama, tmp_path / "model")
    settings = json.loads((path / "tokenizer_config.json").read_text())
    before = opened(path).tokenizer_digest
    (path / "tokenizer_config.json").write_text(json.dumps({**settings, "padding_side": "left", "chat_template": "x"}))
    assert opened(path).tokenizer_digest == before
    made = json.loads((path / "tokenizer.json").read_text())
    made["model"]["merges"] = made["model"]["merges"][:-1]
    (path / "tokenizer.json").write_text(json.dumps(made))
    assert opened(path).tokenizer_digest != before


@pytest.mark.parametrize("change", [{"dtype": "bfloat16"}, {"context": 32}])
def test_other_settings_are_other_evidence(llama, tmp_path, change):
    store = EvidenceStore(tmp_path / "store")
    opened(llama, store).token_statistics(["a b c"])
    path = llama
    if "context" in change:
        path = shutil.copytree(llama, tmp_path / "model")
        settings = json.loads((path / "tokenizer_config.json").read_text())
        (path / "tokenizer_config.json").write_text(json.dumps({**settings, "model_max_length": 32}))
        change = {}
    other = opened(path, store, **change)
    other.token_statistics(["a b c"])
    assert other.session.cost.forward_tokens > 0


def test_budget_is_kept_and_what_is_stored_still_answers(llama, tmp_path):
    store = EvidenceStore(tmp_path)
    opened(llama, store).token_statistics(TEXTS[:2])
    poor = opened(llama, store, budget=Budget(3))
    with pytest.raises(BudgetSpent):
        poor.token_statistics(TEXTS)
    assert len(poor.token_statistics(TEXTS[:2])) == 2
    assert poor.session.budget.spent <= 3
    with pytest.raises(BudgetSpent):
        poor.generate(["The quick brown fox"], max_new_tokens=20)


def test_memory_runs_out(llama, monkeypatch):
    expected = opened(llama).token_statistics(TEXTS)
    target = opened(llama)
    plain = Network.features
    rows = []

    def small(self, ids, **options):
        if len(ids) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        rows.append(len(ids))
        return plain(self, ids, **options)

    monkeypatch.setattr(Network, "features", small)
    got = target.token_statistics(TEXTS)
    np.testing.assert_allclose(got.logprob.values, expected.logprob.values, atol=1e-4)
    assert max(rows) <= 2
    assert target._size.tokens < 4096
    prompts, options = CHOICES
    assert len(target.choices(prompts, options).logprob) == len(prompts)


def test_padding_that_changes_the_answer_is_found(llama, monkeypatch):
    plain = Network.features

    def leaky(self, ids, **options):
        features, cache = plain(self, ids, **options)
        return (features + features.mean((0, 1)) * 0.01 if len(ids) > 1 else features), cache

    monkeypatch.setattr(Network, "features", leaky)
    target = opened(llama)
    with pytest.raises(ProbatumError, match="evidence untrusted"):
        target.token_statistics(TEXTS)
    assert not target._store._rows


def test_model_that_looks_ahead_is_refused(llama, monkeypatch):
    plain = transformers.LlamaModel.forward

    def ahead(self, *args, **options):
        out = plain(self, *args, **options)
        out.last_hidden_state = out.last_hidden_state + out.last_hidden_state.mean(1, keepdim=True)
        return out

    monkeypatch.setattr(transformers.LlamaModel, "forward", ahead)
    with pytest.raises(BadInput, match="earlier tokens see later ones"):
        opened(llama).token_statistics(["a"])


def test_no_tensor_of_batch_by_length_by_vocabulary(llama, monkeypatch):
    target = opened(llama)
    target.token_statistics(["warm up"])
    heights = []
    target._network._output.register_forward_hook(lambda module, given, out: heights.append(out.numel() // 1000))
    texts = [f"{text} {i}" for i in range(20) for text in TEXTS]
    target.token_statistics(texts)
    assert total(target, texts) > 4 * CHUNK_ROWS
    assert max(heights) <= CHUNK_ROWS
    target.choices(texts, [[" a", " b", " c d e"]] * len(texts))
    target.generate(texts + [f"{t} more" for t in texts], max_new_tokens=2)
    assert max(heights) <= CHUNK_ROWS


# Real processes.


KILLED = """
import os, signal, sys
import torch
torch.set_num_threads(1)
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.targets.transformers import TransformersTarget

calls = 0
def progress(what, done, total):
    global calls
    calls += 1
    if calls == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

session = Session(EvidenceStore(sys.argv[2]), batch_tokens=64, progress=progress)
target = TransformersTarget(sys.argv[1], session=session)
texts = [f"Text number {i} has {i * i} words, or so." for i in range(40)]
target.token_statistics(texts)
cost = session.cost
heavy = [name for name in ("torch", "transformers", "tokenizers") if name in sys.modules]
print(cost.forward_tokens, *heavy)
"""
READ = KILLED.replace("import torch\ntorch.set_num_threads(1)\n", "")


def run(script, *arguments):
    environment = {**os.environ, "PYTHONPATH": SOURCES}
    return subprocess.run(
        [sys.executable, "-W", "error::UserWarning:probatum", "-c", script, *map(str, arguments)],
        env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_kill_minus_nine_costs_at_most_one_batch_and_a_full_store_needs_no_framework(llama, tmp_path):
    texts = [f"Text number {i} has {i * i} words, or so." for i in range(40)]
    killed = run(KILLED, llama, tmp_path, 8)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    target = opened(llama, EvidenceStore(tmp_path), batch_tokens=64)
    target.token_statistics(texts)
    cost, everything = target.session.cost, total(target, texts)
    assert cost.cached_tokens > 7 * 40  # eight batches of up to 64 tokens were stored
    left = everything - cost.cached_tokens
    assert left <= cost.forward_tokens <= left + 3 * 64  # the check of padded against alone is made anew
    assert cost.forward_passes > 4
    read = run(READ, llama, tmp_path, 0)
    assert read.returncode == 0, read.stderr
    assert read.stdout.split() == ["0"]


# What it refuses, in one sentence.


def spoil(path, change):
    config = json.loads((path / "config.json").read_text())
    weights = path / "model.safetensors"
    if change == "no config":
        (path / "config.json").unlink()
    elif change == "config is not JSON":
        (path / "config.json").write_text("{")
    elif change == "pickle":
        weights.rename(path / "pytorch_model.bin")
    elif change == "nothing":
        weights.unlink()
    elif change == "adapter":
        weights.unlink()
        (path / "adapter_config.json").write_text("{}")
    elif change == "code":
        (path / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModel": "evil.Model"}}))
    elif change == "tokenizer code":
        (path / "tokenizer_config.json").write_text(json.dumps({"auto_map": {"AutoTokenizer": ["evil.T", None]}}))
    elif change == "truncated":
        weights.write_bytes(weights.read_bytes()[:-100])
    elif change == "truncated header":
        weights.write_bytes(weights.read_bytes()[:100])
    elif change == "empty":
        weights.write_bytes(b"")
    elif change == "garbage header":
        weights.write_bytes((8).to_bytes(8, "little") + b"notjson!" + b"0" * 50)
    elif change == "missing shard":
        (path / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-1.safetensors"}}')
    elif change == "no tokenizer":
        (path / "tokenizer.json").unlink()
    elif change == "encoder":
        (path / "config.json").write_text(json.dumps({**config, "model_type": "vit", "architectures": ["ViTModel"]}))
    elif change == "unknown architecture":
        (path / "config.json").write_text(json.dumps({**config, "model_type": "never-heard-of"}))
    elif change == "another shape":
        (path / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    elif change == "small vocabulary":
        made = {**config, "vocab_size": 10}
        (path / "config.json").write_text(json.dumps(made))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("no config", "no config.json here; expected a Hugging Face model directory"),
        ("config is not JSON", "is not JSON"),
        ("pickle", "those are never loaded"),
        ("nothing", "no model.safetensors here"),
        ("adapter", "is an adapter, not a model"),
        ("code", r"wants to run code .*--trust-remote-code"),
        ("tokenizer code", r"tokenizer_config.json: wants to run code"),
        ("truncated", "is truncated: .* copy it again"),
        ("truncated header", "is truncated or not safetensors"),
        ("empty", "is truncated or not safetensors"),
        ("garbage header", "header is not that of a safetensors file"),
        ("missing shard", "the index names model-1.safetensors, which is not here"),
        ("no tokenizer", "no tokenizer here"),
        ("encoder", "cannot open it as a causal language model"),
        ("unknown architecture", "cannot open it as a causal language model|tokenizer cannot be opened"),
        ("another shape", "weights are missing or of the wrong shape"),
        ("small vocabulary", "do not belong together|wrong shape"),
    ],
)
def test_refuses_in_one_sentence(llama, tmp_path, change, sentence):
    path = shutil.copytree(llama, tmp_path / "model")
    spoil(path, change)
    with pytest.raises(BadInput, match=sentence) as caught:
        opened(path).token_statistics(TEXTS)
    assert "\n" not in str(caught.value)


def test_classifier_is_not_a_language_model(tmp_path):
    config = transformers.BertConfig(
        vocab_size=300, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    build("llama", tmp_path / "model", vocab=300)
    for file in ("model.safetensors", "config.json"):
        (tmp_path / "model" / file).unlink()
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path / "model")
    with pytest.raises(BadInput, match="missing or of the wrong shape"):
        opened(tmp_path / "model").token_statistics(["a"])
    transformers.BertForMaskedLM(config).save_pretrained(tmp_path / "model")
    with pytest.raises(BadInput, match=r"earlier tokens see later ones|missing"):
        opened(tmp_path / "model").token_statistics(["a"])


def test_unknown_dtype(llama):
    with pytest.raises(BadInput, match="dtype must be auto or one of"):
        opened(llama, dtype="int3")
