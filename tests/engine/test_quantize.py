"""Rounding of weights: levels by hand, channels of every kind of layer, tied matrices once."""

import numpy as np
import pytest

from probatum.core.errors import BadInput

torch = pytest.importorskip("torch")

from probatum.engine.quantize import levels, matrices, quantize, step_of  # noqa: E402


def test_levels_by_hand():
    """4 bits: 7 levels up and 7 down; the step of a row is a seventh of its largest weight."""
    weight = torch.tensor([[7.0, 3.4, -2.6, 0.4], [0.7, -0.36, 0.0, 0.1], [0.0, 0.0, 0.0, 0.0]])
    step = step_of(weight, 0, 4)
    assert step.flatten().tolist() == pytest.approx([1.0, 0.1, 0.0])
    expected = [[7, 3, -3, 0], [0.7, -0.4, 0, 0.1], [0, 0, 0, 0]]
    assert levels(weight, step).numpy() == pytest.approx(np.array(expected))


def tiny(kind):
    import transformers

    torch.manual_seed(0)
    if kind == "gpt2":
        config = transformers.GPT2Config(vocab_size=11, n_embd=8, n_layer=1, n_head=2, n_positions=16)
    else:
        config = transformers.LlamaConfig(
            vocab_size=11, hidden_size=8, intermediate_size=12, num_hidden_layers=1, num_attention_heads=2,
            num_key_value_heads=2, tie_word_embeddings=False,
        )  # fmt: skip
    return transformers.AutoModelForCausalLM.from_config(config)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("bits", [3, 4, 8])
def test_every_matrix_has_few_levels_and_no_weight_moves_further_than_half_a_step(kind, bits):
    model = tiny(kind)
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    count = quantize(model, bits)
    assert count == sum(p.dim() >= 2 for p in before.values())
    for name, weight, axis in matrices(model):
        step = step_of(before[name], axis, bits)
        assert ((weight - before[name]).abs() <= step / 2 * (1 + 1e-5)).all()
        channels = weight.detach().movedim(axis, 0).flatten(1)
        assert max(len(c.unique()) for c in channels) <= 2**bits - 1
        largest = before[name].movedim(axis, 0).flatten(1).abs().amax(1)
        assert torch.allclose(channels.abs().amax(1), largest, rtol=1e-6)
    small = [n for n, p in before.items() if p.dim() < 2]
    assert all(torch.equal(dict(model.named_parameters())[n], before[n]) for n in small)
    again = {n: w.detach().clone() for n, w, _ in matrices(model)}
    quantize(model, bits)
    assert all(torch.allclose(again[n], w, rtol=1e-5) for n, w, _ in matrices(model))


def test_the_channels_of_gpt2_are_its_columns_and_a_tied_matrix_stands_once():
    found = {name: (tuple(w.shape), axis) for name, w, axis in matrices(tiny("gpt2"))}
    assert found["transformer.h.0.mlp.c_fc.weight"] == ((8, 32), 1)
    assert found["transformer.wte.weight"] == ((11, 8), 0)
    assert "lm_head.weight" not in found
    assert "lm_head.weight" in {name for name, _, _ in matrices(tiny("llama"))}


def test_bits_out_of_range():
    with pytest.raises(BadInput, match="2 to 16 bits, got 1"):
        quantize(tiny("gpt2"), 1)
