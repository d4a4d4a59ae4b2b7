"""An adapter opens with its base and gives what peft gives; what cannot be merged, or not found, is one sentence."""

import json
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

sys.path.append(str(Path(__file__).parents[1] / "engine"))
from tiny_models import TEXTS, build

from probatum import open_target
from probatum.core.access import OPEN_WEIGHTS
from probatum.core.errors import BadInput
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore

peft = pytest.importorskip("peft")

MODELS = {
    "llama": {"vocab": 300, "bos": "<s>", "eos": "</s>"},
    "gpt2": {"vocab": 300, "tied": True, "eos": "<end>"},  # Conv1D: matrices lie the other way round, some are square
}


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")


def adapt(base, directory, **options):
    """A LoRA of random matrices around the model in ``base``, saved by peft; the model as peft runs it."""
    model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    given = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **options}
    model = peft.get_peft_model(model, peft.LoraConfig(**given))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))
    model.eval().save_pretrained(directory)
    return model


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    root = tmp_path_factory.mktemp("bases")
    return {kind: build(kind, root / kind, scale=4.0, **options) for kind, options in MODELS.items()}


@pytest.fixture
def adapter(bases, tmp_path):
    adapt(bases["llama"], tmp_path / "adapter")
    return tmp_path / "adapter"


def said(directory, **changes):
    file = directory / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("options", [{}, {"use_rslora": True}, {"rank_pattern": {"mlp.c_fc": 2, "mlp.up_proj": 2},
                                          "alpha_pattern": {"mlp.c_fc": 5, "mlp.up_proj": 5}}])  # fmt: skip
def test_logits_and_weights_equal_those_of_peft(bases, tmp_path, kind, options):
    own = adapt(bases[kind], tmp_path / "adapter", **options)
    target = open_target(tmp_path / "adapter")
    ids = torch.tensor([[5, 17, 40, 3, 99, 250, 7, 7]])
    plain = transformers.AutoModelForCausalLM.from_pretrained(bases[kind], dtype=torch.float32)
    with torch.no_grad(), target.module() as merged:
        expected, got, without = own(ids).logits, merged(ids).logits, plain(ids).logits
    assert float((expected - without).abs().max()) > 0.5  # the adapter does change the model
    assert float((expected - got).abs().max()) < 1e-5 * max(1.0, float(expected.abs().max()))
    state = own.merge_and_unload().state_dict()
    weights = target.weights()
    assert set(weights) == set(open_target(bases[kind]).weights())
    for name in weights:
        there = state[name if name in state else f"transformer.{name}"].numpy()
        np.testing.assert_allclose(weights[name], there, atol=1e-5, err_msg=name)


def test_the_matrices_of_gpt2_lie_transposed_whatever_the_adapter_says(bases, tmp_path):
    adapt(bases["gpt2"], tmp_path / "adapter")
    right = dict(open_target(tmp_path / "adapter").weights().items())
    said(tmp_path / "adapter", fan_in_fan_out=False)
    for name, value in open_target(tmp_path / "adapter").weights().items():
        np.testing.assert_array_equal(value, right[name], err_msg=name)


def test_it_is_a_model_like_any_other(bases, adapter):
    target, base = open_target(adapter), open_target(bases["llama"])
    assert target.access == OPEN_WEIGHTS
    assert target.kind == "language model"
    assert target.name == str(adapter)
    assert target.files() == adapter
    assert target.parameter_count == base.parameter_count
    assert target.tokenizer_digest == base.tokenizer_digest
    assert len(target.generate(["Call"], max_new_tokens=4)) == 1
    own, other = (t.token_statistics(TEXTS).logprob for t in (target, base))
    np.testing.assert_array_equal(own.lengths, other.lengths)
    assert np.abs(own.values - other.values).max() > 0.1


def test_the_merged_model_scores_as_its_merged_directory_does(bases, adapter, tmp_path):
    merged = peft.PeftModel.from_pretrained(
        transformers.AutoModelForCausalLM.from_pretrained(bases["llama"], dtype=torch.float32), adapter
    ).merge_and_unload()
    merged.save_pretrained(tmp_path / "merged")
    for file in bases["llama"].glob("tokenizer*"):
        shutil.copy(file, tmp_path / "merged")
    expected = open_target(tmp_path / "merged").token_statistics(TEXTS)
    got = open_target(adapter).token_statistics(TEXTS)
    for name in ("logprob", "mean", "std", "logsumexp"):
        np.testing.assert_allclose(getattr(got, name).values, getattr(expected, name).values, atol=1e-4)


def test_evidence_is_of_base_and_adapter_together(bases, adapter, tmp_path):
    digest = open_target(adapter).digest
    assert digest != open_target(bases["llama"]).digest
    moved = shutil.copytree(adapter, tmp_path / "moved")
    assert open_target(moved).digest == digest  # where it lies says nothing
    said(moved, lora_alpha=16)
    assert open_target(moved).digest != digest
    other = build("llama", tmp_path / "other", seed=1, scale=4.0, **MODELS["llama"])
    assert open_target(adapter, base=other).digest != digest
    store = EvidenceStore(tmp_path / "cache")
    open_target(adapter, session=Session(store)).token_statistics(TEXTS)
    again = open_target(adapter, session=Session(store))
    again.token_statistics(TEXTS)
    assert again.session.cost.forward_tokens == 0


def test_files_that_change_after_opening_are_noticed(adapter):
    target = open_target(adapter)
    (adapter / "adapter_model.safetensors").touch()
    with pytest.raises(BadInput, match="the files changed since they were opened"):
        target.token_statistics(TEXTS)


@pytest.mark.parametrize("where", ["absolute", "relative to the adapter", "relative to here", "built-in"])
def test_the_base_is_found_where_the_adapter_says(bases, tmp_path, monkeypatch, where):
    base = bases["llama"]
    if where == "built-in":
        from probatum.controls.specimen import directory

        base = directory("base")
    adapt(base, tmp_path / "adapter")
    place = {
        "absolute": str(base),
        "relative to the adapter": "../base",
        "relative to here": "here/base",
        "built-in": "base",
    }
    if where.startswith("relative"):
        shutil.copytree(base, tmp_path / ("base" if where.endswith("adapter") else "here/base"))
        monkeypatch.chdir(tmp_path)
    said(tmp_path / "adapter", base_model_name_or_path=place[where])
    assert open_target(tmp_path / "adapter").token_statistics(["Call"]).logprob.lengths[0] > 0


@pytest.mark.parametrize("name", ["ORG/NAME", "/no/such/folder", "", None])
def test_a_base_that_is_not_here_is_one_sentence_and_no_request(adapter, monkeypatch, name):
    def refuse(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    said(adapter, base_model_name_or_path=name)
    with pytest.raises(BadInput, match=r"is an adapter, and .*--with base=DIR") as caught:
        open_target(adapter)
    assert "\n" not in str(caught.value)
    assert ("--with base=hf:ORG/NAME" in str(caught.value)) == (name == "ORG/NAME")


def test_the_user_may_name_the_base(bases, adapter):
    said(adapter, base_model_name_or_path="ORG/NAME")
    assert open_target(adapter, base=bases["llama"]).parameter_count
    with pytest.raises(BadInput, match="is no adapter, and only an adapter is opened with a base"):
        open_target(bases["llama"], base=bases["llama"])


def test_another_base_is_refused(bases, adapter, tmp_path):
    with pytest.raises(BadInput, match=r"changes model.layers.0.mlp.down_proj, which is not in .*gpt2"):
        open_target(adapter, base=bases["gpt2"])
    wide = build("llama", tmp_path / "wide", **MODELS["llama"], head_dim=16)
    with pytest.raises(BadInput, match="is of another shape in"):
        open_target(adapter, base=wide)
    with pytest.raises(BadInput, match="a kind of thing that an adapter cannot be merged into"):
        open_target(adapter, base=adapter)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"peft_type": "IA3"}, "it is of type IA3"),
        ({"use_dora": True}, "its setting 'use_dora' is more than plain LoRA"),
        ({"layer_replication": [[0, 2]]}, "'layer_replication'"),
        ({"some_later_invention": {"a": 1}}, "'some_later_invention'"),
        ({"bias": "all"}, "it changes biases"),
        ({"init_lora_weights": "pissa"}, "it began as 'pissa', which changes the base as well"),
        ({"lora_alpha": None}, "'lora_alpha' is missing"),
    ],
)
def test_what_is_more_than_lora_is_refused(adapter, change, sentence):
    said(adapter, **change)
    with pytest.raises(BadInput, match=sentence) as caught:
        open_target(adapter)
    assert "\n" not in str(caught.value)


def test_matrices_beside_those_of_lora_are_refused(bases, tmp_path):
    adapt(bases["llama"], tmp_path / "whole", target_modules=["q_proj"], modules_to_save=["lm_head"])
    said(tmp_path / "whole", modules_to_save=None)  # what the file says, not what the configuration says
    with pytest.raises(BadInput, match=r"it changes more than linear layers \(base_model.model.lm_head"):
        open_target(tmp_path / "whole")
    adapt(bases["llama"], tmp_path / "embedding", target_modules=["embed_tokens"])
    with pytest.raises(BadInput, match="it changes more than linear layers"):
        open_target(tmp_path / "embedding")


def test_a_head_that_shares_its_weights_with_the_embedding_is_refused(tmp_path):
    base = build("llama", tmp_path / "base", **MODELS["llama"], tied=True)
    adapt(base, tmp_path / "adapter", target_modules=["lm_head"])
    with pytest.raises(BadInput, match="lm_head"):
        open_target(tmp_path / "adapter").token_statistics(TEXTS)


def test_pickles_and_halves_are_refused(adapter):
    weights = adapter / "adapter_model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-100])
    with pytest.raises(BadInput, match="is truncated"):
        open_target(adapter)
    weights.rename(adapter / "adapter_model.bin")
    with pytest.raises(BadInput, match="pickles are never loaded"):
        open_target(adapter)
    (adapter / "adapter_model.bin").unlink()
    with pytest.raises(BadInput, match=r"no adapter_model.safetensors; is it complete\?"):
        open_target(adapter)


def test_a_model_and_an_adapter_in_one_directory_are_ambiguous(bases, adapter):
    for file in bases["llama"].iterdir():
        shutil.copy(file, adapter)
    with pytest.raises(BadInput, match="holds a whole model and an adapter"):
        open_target(adapter)


def test_a_repair_of_an_adapter_is_a_whole_model(adapter, tmp_path):
    from probatum.core.change import Change
    from probatum.protect import save

    target = open_target(adapter)
    changed = {n: w * np.float32(1 + 1e-6) for n, w in target.weights().items()}  # a hair: equal to 1e-4, yet a change
    save(Change(changed), target, tmp_path / "repaired", {})
    got = open_target(tmp_path / "repaired").token_statistics(TEXTS).logprob.values
    np.testing.assert_allclose(got, target.token_statistics(TEXTS).logprob.values, atol=1e-4)
