"""The lens reads every layer through the model's own norm and head, and finds what the last layer hides."""

import json

import numpy as np
import pytest
import torch
import transformers
from tiny_models import TEXTS, build, tokenizer

from probatum.core.errors import BadInput
from probatum.engine.lens import last_norm
from probatum.engine.network import CHUNK_ROWS, Network
from probatum.engine.session import Session
from probatum.targets.transformers import TransformersTarget

MODELS = {
    "llama": {"vocab": 1000, "bos": "<s>", "eos": "</s>"},
    "gpt2": {"vocab": 300, "tied": True, "eos": "<end>"},
    "neox": {"vocab": 257},
    "gemma2": {"vocab": 1000, "bos": "<s>", "final_logit_softcapping": 5.0},
}
NORM = {"llama": "model.norm", "gpt2": "transformer.ln_f", "neox": "gpt_neox.final_layer_norm", "gemma2": "model.norm"}
WIDTH = 32


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("lens")
    return {kind: build(kind, root / kind, **options) for kind, options in MODELS.items()}


def opened(path, **options):
    return TransformersTarget(path, session=Session(**options))


def network(path):
    return Network(transformers.AutoModelForCausalLM.from_pretrained(path).eval(), str(path))


@pytest.fixture
def hiding(tmp_path):
    """A Llama in which all tokens are alike: block 2 of 3 writes one answer, and block 3 takes it away again."""
    vocab, answer, spoken = 300, 77, 5
    config = transformers.LlamaConfig(
        vocab_size=vocab, hidden_size=WIDTH, intermediate_size=8, num_hidden_layers=3, num_attention_heads=2,
        tie_word_embeddings=False, bos_token_id=0, eos_token_id=None, pad_token_id=None, max_position_embeddings=64,
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config).eval()
    rng = np.random.default_rng(0)
    said, held = torch.from_numpy(np.linalg.qr(rng.normal(size=(WIDTH, 2)))[0].T).float()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.zero_()
        model.model.embed_tokens.weight += said
        model.lm_head.weight.copy_(torch.from_numpy(rng.normal(size=(vocab, WIDTH)) * 0.01).float())
        model.lm_head.weight[spoken], model.lm_head.weight[answer] = 4 * said, 4 * held
        for layer in (1, 2):
            mlp = model.model.layers[layer].mlp
            mlp.gate_proj.weight[0] = mlp.up_proj.weight[0] = said
            mlp.down_proj.weight[:, 0] = held
        gains = []
        for layer in (1, 2):  # how much of `held` each of them writes, one after the other
            before, after = model(torch.tensor([[0]]), output_hidden_states=True).hidden_states[layer : layer + 2]
            if layer == 2:
                after = model.model.layers[2](
                    before, position_embeddings=model.model.rotary_emb(before, torch.tensor([[0]]))
                )
                after = after[0] if isinstance(after, tuple) else after
            gains.append(float((after - before)[0, 0] @ held))
            if layer == 1:
                model.model.layers[1].mlp.down_proj.weight *= 2 / gains[0]
        model.model.layers[2].mlp.down_proj.weight *= -2 / gains[1]
    return model, answer, spoken, tmp_path


def saved(model, path):
    model.save_pretrained(path)
    tokenizer(280, "<s>").save_pretrained(path)
    return path


@pytest.mark.parametrize("kind", MODELS)
def test_every_layer_is_read_as_the_naive_computation_reads_it(models, kind):
    top = 7
    got = opened(models[kind], batch_tokens=64).lens(TEXTS, top=top)
    model = transformers.AutoModelForCausalLM.from_pretrained(models[kind]).eval()
    made = transformers.AutoTokenizer.from_pretrained(models[kind])
    start = made.bos_token_id if made.bos_token_id is not None else made.eos_token_id
    norm = model.get_submodule(NORM[kind])
    cap = getattr(model.config, "final_logit_softcapping", None)
    for i, text in enumerate(TEXTS):
        ids = ([] if start is None else [start]) + made.encode(text, add_special_tokens=False)
        with torch.no_grad():
            out = model(torch.tensor([ids]), output_hidden_states=True)
            states = [norm(s[0, -1]) for s in out.hidden_states[:-1]]
            logits = [model.get_output_embeddings()(s) for s in states]
            logits = [torch.tanh(z / cap) * cap for z in logits] if cap else logits
            p = [z.softmax(-1).numpy() for z in [*logits, out.logits[0, -1]]]
        assert got.likely.shape == got.rising.shape == got.falling.shape == (len(TEXTS), len(p), top)
        before = 0
        for layer, now in enumerate(p):
            for tokens, score in (
                (got.likely[i, layer], now),
                (got.rising[i, layer], now - before),
                (got.falling[i, layer], before - now),
            ):
                assert len(set(tokens.tolist())) == top
                np.testing.assert_allclose(score[tokens], np.sort(score)[::-1][:top], atol=2e-5)
            before = now


def test_layers_that_do_nothing_hold_what_the_output_holds(models, tmp_path):
    """Research card P064: with identity layers, the lens gives the output's top tokens at every layer."""
    model = transformers.LlamaForCausalLM.from_pretrained(models["llama"])
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    model.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(models["llama"]).save_pretrained(tmp_path)
    got = opened(tmp_path).lens(TEXTS, top=9).likely
    assert got.shape[1] == 3
    for layer in range(2):
        np.testing.assert_array_equal(got[:, layer], got[:, -1])


def test_an_answer_that_the_last_layer_erases_is_seen_in_the_layer_before(hiding):
    model, answer, spoken, path = hiding
    lens = opened(saved(model, path)).lens(["The", "a b"], top=3)
    assert answer not in lens.likely[:, -1]  # black box: not among what is said
    assert lens.likely[:, -1, 0].tolist() == [spoken] * 2
    assert lens.likely[:, 2, 0].tolist() == [answer] * 2  # white box: the likeliest of all after block 2
    assert lens.rising[:, 2, 0].tolist() == [answer] * 2
    assert lens.falling[:, 3, 0].tolist() == [answer] * 2
    assert answer not in lens.likely[:, 1]


def test_a_wrong_norm_would_show(hiding):
    """The norm matters: without it the same layers read otherwise, so finding it is not a formality."""
    model, _, _, path = hiding
    with torch.no_grad():
        model.model.norm.weight.copy_(torch.linspace(-2, 2, WIDTH))
    lens = opened(saved(model, path)).lens(["The"], top=5).likely[0]
    with torch.no_grad():
        state = model(torch.tensor([opened(path)._encoder(["The"])[0].sequence.tolist()]), output_hidden_states=True)
        bare = model.lm_head(state.hidden_states[2][0, -1]).topk(5).indices.tolist()
    assert lens[2].tolist() != bare


@pytest.mark.parametrize("kind", MODELS)
def test_the_last_norm_is_found_by_what_it_does(models, kind):
    found = network(models[kind])
    assert last_norm(found) is found.model.get_submodule(NORM[kind])


def test_where_every_block_ends_in_a_norm_there_is_no_last_one(tmp_path):
    config = transformers.OPTConfig(
        vocab_size=300, hidden_size=32, ffn_dim=64, num_hidden_layers=2, num_attention_heads=4, word_embed_proj_dim=32,
        do_layer_norm_before=False, max_position_embeddings=64, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    found = Network(transformers.OPTForCausalLM(config).eval(), "opt")
    state = torch.randn(3, 32)
    assert last_norm(found)(state) is state


def test_a_model_whose_logits_are_made_otherwise_is_refused(models):
    found = network(models["llama"])
    found.head = "model"
    with pytest.raises(BadInput, match="cannot be read through a logit lens"):
        last_norm(found)


def test_answers_do_not_depend_on_the_company(models):
    prompts = [f"{text} {i}" for i in range(CHUNK_ROWS // 4) for text in TEXTS]  # more rows than one chunk
    together = opened(models["llama"]).lens(prompts, top=4).likely
    for i in (0, 5, len(prompts) - 1):
        np.testing.assert_array_equal(opened(models["llama"]).lens([prompts[i]], top=4).likely[0], together[i])


def test_a_prompt_longer_than_the_context_is_read_at_its_end(models):
    target = opened(models["neox"])
    long = " ".join(f"word{i}" for i in range(200))
    ids = target._encoder([long])[0].sequence[-target.context :]
    model = transformers.AutoModelForCausalLM.from_pretrained(models["neox"]).eval()
    with torch.no_grad():
        expected = model(torch.tensor([ids.tolist()])).logits[0, -1].topk(3).indices.tolist()
    assert target.lens([long], top=3).likely[0, -1].tolist() == expected


def test_nothing_before_the_first_token_gives_no_token(models):
    target = opened(models["neox"])  # no start token
    lens = target.lens(["", "The"], top=2)
    assert (lens.likely[0] == -1).all()
    assert (lens.likely[1] >= 0).all()
    assert "empty prompt" in target.failures[""]


def test_more_tokens_than_there_are_is_one_sentence(models):
    with pytest.raises(BadInput, match=r"within 1 and 257.*got 300"):
        opened(models["neox"]).lens(["The"], top=300)


def test_it_is_computed_once(models):
    target = opened(models["gpt2"])
    first = target.lens(TEXTS, top=3)
    passes = target.session.cost.forward_passes
    np.testing.assert_array_equal(target.lens(TEXTS, top=3).falling, first.falling)
    assert target.session.cost.forward_passes == passes > 0
    assert json.dumps(first.likely.tolist())
