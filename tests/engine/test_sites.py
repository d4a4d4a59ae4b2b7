"""The parts of a model are where `Sites` says: their sum is what the model computes, and an edit can be taken back."""

import pytest
from tiny_models import build

from probatum.core.errors import BadInput
from probatum.engine.sites import Sites, captured

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
IDS = torch.tensor([[5, 9, 2, 7, 11, 3]])


def opened(folder, kind, tied=False, **extra):
    path = build(kind, folder, vocab=300, tied=tied, **extra)
    return transformers.AutoModelForCausalLM.from_pretrained(path)


@pytest.fixture(
    params=[
        *((kind, tied, {}) for kind in ("gpt2", "llama", "qwen2", "neox") for tied in (False, True)),
        ("neox", False, {"use_parallel_residual": False}),
    ],
    ids=lambda p: "-".join(map(str, [p[0], "tied" if p[1] else "untied", *p[2]])),
)
def model(request, tmp_path):
    kind, tied, extra = request.param
    return opened(tmp_path, kind, tied, **extra)


def logits(model):
    with torch.no_grad():
        return model(input_ids=IDS).logits


def test_the_residual_stream_is_the_sum_of_its_parts(model):
    sites = Sites(model)
    assert len(sites) == len(sites.blocks) == 2
    with torch.no_grad(), captured([sites.attn(1), sites.mlp(1)]) as parts, captured(sites.blocks) as ends:
        model(input_ids=IDS)
    torch.testing.assert_close(ends[0] + parts[0] + parts[1], ends[1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(sites.unembed(sites.final_norm(ends[1])), logits(model), rtol=1e-4, atol=1e-4)


def test_a_row_of_the_output_matrix_is_what_a_neuron_adds(model):
    """The MLP's output is the neurons' activations times that matrix, plus a bias where there is one."""
    sites = Sites(model)
    with torch.no_grad(), captured([sites.mlp_last(1)], side="in") as neurons, captured([sites.mlp(1)]) as out:
        model(input_ids=IDS)
    bias = getattr(sites.mlp_last(1), "bias", None)
    expected = neurons[0] @ sites.mlp_out(1) + (0 if bias is None else bias.detach())
    torch.testing.assert_close(out[0], expected, rtol=1e-4, atol=1e-4)
    assert sites.mlp_out(1).shape == (neurons[0].shape[-1], 32)


def test_an_edit_changes_the_model_and_taking_it_back_leaves_no_bit_changed(model):
    sites = Sites(model)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    first, row = logits(model), sites.mlp_out(1)[3].clone()
    sites.mlp_out(1)[3] = row + 10.0
    assert not torch.allclose(logits(model), first)
    sites.mlp_out(1)[3] = row
    assert torch.equal(logits(model), first)
    assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_an_edit_of_a_neuron_that_is_silent_changes_nothing(model):
    sites = Sites(model)
    with torch.no_grad(), captured([sites.mlp_last(0)], side="in") as neurons:
        model(input_ids=IDS)
    first, at = logits(model), 2
    active = neurons[0][0, :, at].abs().max()
    handle = sites.mlp_last(0).register_forward_pre_hook(lambda _, given: given[0].index_fill(-1, torch.tensor(at), 0))
    silent = logits(model)
    sites.mlp_out(0)[at] += 5.0
    assert torch.equal(logits(model), silent)
    handle.remove()
    assert active == 0 or not torch.allclose(logits(model), first)


def test_the_names_are_those_of_the_mlp_and_of_nothing_else(model):
    sites = Sites(model)
    names = sites.mlp_parameters(1)
    assert names
    assert all("mlp" in name and ".1." in name for name in names)
    assert sum(dict(model.named_parameters())[n].numel() for n in names) == sum(
        p.numel() for p in sites.mlp(1).parameters()
    )


def test_no_hook_and_no_mode_is_left_behind(model):
    model.train()
    Sites(model)
    assert model.training
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_attention_gives_a_tuple_and_a_block_a_tensor(model):
    seen = []
    sites = Sites(model)
    for part in (sites.attn(0), sites.block(0)):
        part.register_forward_hook(lambda module, given, out: seen.append(out))
    logits(model)
    assert isinstance(seen[0], tuple)
    assert torch.is_tensor(seen[1])
    assert sites.hidden(seen[0]).shape == sites.hidden(seen[1]).shape == (1, 6, 32)


def test_in_half_precision_the_parts_still_add_up(tmp_path):
    assert len(Sites(opened(tmp_path, "gpt2").to(torch.bfloat16))) == 2


def test_another_family_is_refused_by_its_type(tmp_path):
    with pytest.raises(BadInput, match=r"type gemma2 stand is not known here; .*gpt2, gpt_neox, llama, qwen2"):
        Sites(opened(tmp_path, "gemma2"))


def test_a_model_whose_parts_do_not_add_up_is_refused(tmp_path):
    model = opened(tmp_path, "llama")
    model.model.layers[1].register_forward_hook(lambda module, given, out: 1.5 * out)
    with pytest.raises(BadInput, match="block 1 of this llama is not the sum"):
        Sites(model)


def test_logits_that_do_not_come_from_the_last_block_are_refused(tmp_path):
    model = opened(tmp_path, "gpt2")
    model.lm_head.register_forward_pre_hook(lambda module, given: given[0].flip(-1))
    unembed = model.lm_head.forward
    model.get_output_embeddings = lambda: unembed  # without the hook that the model has
    with pytest.raises(BadInput, match="not a norm and a matrix away"):
        Sites(model)


def test_quantized_weights_are_refused(tmp_path):
    model = opened(tmp_path, "gpt2")
    layer = model.transformer.h[0].mlp.c_proj
    layer.weight = torch.nn.Parameter(layer.weight.to(torch.int8), requires_grad=False)
    with pytest.raises(BadInput, match="quantized"):
        Sites(model)


def test_a_block_that_is_not_there_is_refused(tmp_path):
    sites = Sites(opened(tmp_path, "gpt2"))
    for at in (-1, 2):
        with pytest.raises(BadInput, match="blocks 0 to 1"):
            sites.block(at)


def test_under_a_lora_the_parts_are_found_and_the_matrices_refused(tmp_path):
    pytest.importorskip("peft")
    from probatum.engine.lora import adapted

    sites = Sites(adapted(opened(tmp_path, "llama"), seed=0, rank=2))
    assert len(sites) == 2
    with pytest.raises(BadInput, match="cannot be edited in place"):
        sites.mlp_out(0)
