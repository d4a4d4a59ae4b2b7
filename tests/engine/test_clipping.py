"""Clipped sums against a loop over the units, and what must not be clipped wrongly or at all."""

import copy

import numpy as np
import plain_clipping as plain
import pytest
import torch
from plain_clipping import CONTEXT, KINDS, records, users

from probatum.core.errors import BadInput
from probatum.engine import clip_plan
from probatum.engine.batches import OutOfMemory
from probatum.engine.clip_keep import Dense
from probatum.engine.clipping import Clipping, clipped_sum

RECORDS = records(7, 1, 33, 2, 18, 12, 29, 5, 0, 12, 13, 14, 60)
USERS = users((3, 5), (9,), (30, 2, 7), (8, 8), (4, 6), (0, 5), (0,))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model():
    made = {}

    def get(name):
        if name not in made:
            made[name] = plain.model(name)
        return made[name]

    return get


def limit_of(model, units, **more):
    """So that about half of the units are clipped."""
    return float(np.median(plain.loop(model, units, 1.0, **more)[1]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("units", [RECORDS, USERS], ids=["records", "users"])
def test_the_sum_is_that_of_a_loop_over_units(model, kind, units):
    own = model(kind)
    limit = limit_of(own, units)
    expected, norms = plain.loop(own, units, limit)
    for tokens in (1, 100, 1024):
        got, found = clipped_sum(own, units, limit, tokens=tokens)
        assert plain.difference(got, expected) < 1e-9
        np.testing.assert_allclose(found, norms, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_in_single_precision_to_one_in_a_hundred_thousand(kind):
    own = plain.model(kind, torch.float32)
    limit = limit_of(own, RECORDS)
    got, norms = clipped_sum(own, RECORDS, limit)
    expected, own_norms = plain.loop(own.double(), RECORDS, limit)
    assert plain.difference(got, expected) < 1e-5
    np.testing.assert_allclose(norms, own_norms, rtol=1e-5)


@pytest.mark.parametrize("kind", ["llama tied", "gpt2 tied", "gpt2", "neox"])
@pytest.mark.parametrize("way", ["dense", "factors"])
def test_every_way_to_keep_a_gradient_gives_the_same(model, monkeypatch, kind, way):
    def all_of(costs, units, places, chunked=False):
        matrix = {n for n, s in costs.shapes.items() if len(s) == 2 and n not in costs.looked_up}
        return {n: way if n in matrix else "lookup" if n in costs.looked_up else "dense" for n in costs.shapes}

    monkeypatch.setattr(clip_plan, "way_of", all_of)
    own = model(kind)
    for units in (RECORDS, USERS):
        limit = limit_of(own, units)
        assert plain.difference(clipped_sum(own, units, limit)[0], plain.loop(own, units, limit)[0]) < 1e-9


def test_the_planner_uses_all_ways_here(model):
    found = set()
    for lengths in ((5, 5, 5), (60, 60)):
        costs = Clipping(model("llama")).costs
        for plan in clip_plan.plans(records(*lengths), costs, 1 << 30, 1024):
            found |= set(plan.way.values())
    assert found == {"dense", "factors", "lookup"}


@pytest.mark.parametrize("kind", ["llama tied", "gpt2"])
def test_a_unit_too_large_for_the_budget_is_read_in_parts(model, kind):
    own, units = model(kind), users((30, 20, 7, 0, 9, 40), (5, 6), (8,))
    limit = limit_of(own, units)
    clip = Clipping(own, byte_budget=1, tokens=30)
    parts = [plan.chunk for plan in clip_plan.plans([[r for r in units[0] if len(r) > 1]], clip.costs, 1, 30)]
    assert parts == [1]
    got, norms = clip(units, limit)
    expected, own_norms = plain.loop(own, units, limit)
    assert plain.difference(got, expected) < 1e-9
    np.testing.assert_allclose(norms, own_norms, rtol=1e-9)


@pytest.mark.parametrize("kind", ["llama", "gpt2 tied", "qwen2 tied", "neox"])
def test_lora_around_a_frozen_model(kind):
    pytest.importorskip("peft")
    from probatum.engine.lora import adapted

    own = adapted(plain.model(kind, torch.float32), seed=0)
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in own.named_parameters():
            if "lora_B" in name:  # at 0 the gradient of lora_A is 0, and shows nothing
                parameter.normal_(std=0.1)
    for units in (RECORDS, USERS):
        limit = limit_of(own, units)
        expected, norms = plain.loop(own, units, limit)
        got, found = clipped_sum(own, units, limit)
        assert all("lora" in name for name in got)
        assert plain.difference(got, expected) < 1e-5
        np.testing.assert_allclose(found, norms, rtol=1e-5)


def test_only_some_layers_are_trainable(model):
    own = copy.deepcopy(model("gpt2 tied")).requires_grad_(False)
    for name in ("transformer.h.1.mlp.c_fc.bias", "transformer.h.0.ln_1.weight", "transformer.wpe.weight"):
        own.get_parameter(name).requires_grad_(True)
    limit = limit_of(own, RECORDS)
    got = clipped_sum(own, RECORDS, limit)[0]
    assert len(got) == 3
    assert plain.difference(got, plain.loop(own, RECORDS, limit)[0]) < 1e-9
    head = copy.deepcopy(model("llama")).requires_grad_(False)
    head.lm_head.requires_grad_(True)
    assert plain.difference(clipped_sum(head, RECORDS, 1.0)[0], plain.loop(head, RECORDS, 1.0)[0]) < 1e-9


def test_the_loss_of_a_row_may_be_a_sum_or_a_function_of_its_tokens(model):
    own = model("llama tied")
    limit = limit_of(own, USERS, row_loss=torch.sum)
    expected = plain.loop(own, USERS, limit, torch.sum)[0]
    assert plain.difference(clipped_sum(own, USERS, limit, loss="sum")[0], expected) < 1e-9

    def squared(nll, scored):
        return (nll.square() * scored).sum(1)

    limit = limit_of(own, USERS, row_loss=lambda nll: nll.square().sum())
    expected = plain.loop(own, USERS, limit, lambda nll: nll.square().sum())[0]
    assert plain.difference(clipped_sum(own, USERS, limit, loss=squared)[0], expected) < 1e-9


@pytest.mark.parametrize("rows", [64, 200])
def test_an_output_layer_with_bias_and_logits_in_parts(monkeypatch, rows):
    from probatum.engine import clip_head

    monkeypatch.setattr(clip_head, "_LOGITS", rows * plain.VOCABULARY)
    units = [*RECORDS, *users((60, 60, 60), (50, 64))]
    for tied in (False, True):
        own = plain.model("phi tied" if tied else "phi")
        limit = limit_of(own, units)
        assert plain.difference(clipped_sum(own, units, limit)[0], plain.loop(own, units, limit)[0]) < 1e-9


# Known defects of peers.


@pytest.mark.parametrize("kind", ["llama tied", "gpt2 tied"])
def test_a_tied_matrix_is_clipped_as_one(model, kind):
    """A peer leaves out the cross term, and the clipped gradient of one record has norm 1.117 C."""
    own, units = model(kind), records(40)
    norm = plain.loop(own, units, 1.0)[1][0]
    for tokens in (1, 1024):  # alone and beside another
        clip = Clipping(own, tokens=tokens)
        both = clip([*units, *records(39, seed=5)], norm / 2)[0]
        other = clip(records(39, seed=5), norm / 2)[0]
        assert plain.norm({n: both[n] - other[n] for n in both}) == pytest.approx(norm / 2, rel=1e-9)


def test_positions_are_looked_up_once_for_all_rows(model):
    """Peers give every record the gradient of positions of the whole batch, or fail."""
    own = copy.deepcopy(model("gpt2")).requires_grad_(False)
    own.transformer.wpe.requires_grad_(True)
    got, norms = clipped_sum(own, RECORDS, 1e-3)
    expected, own_norms = plain.loop(own, RECORDS, 1e-3)
    np.testing.assert_allclose(norms, own_norms, rtol=1e-9)
    assert plain.difference(got, expected) < 1e-9


def test_what_is_beside_a_record_does_not_change_its_part(model):
    own = model("gpt2 tied")
    one = records(5, seed=9)
    alone = clipped_sum(own, one, 0.5)[0]
    clip = Clipping(own)
    for others in (records(60), records(5, 5, 5), records(1), users((9, 9))):
        with_one, without = clip([*others, *one], 0.5, together=60)[0], clip(others, 0.5, together=60)[0]
        assert plain.difference({n: with_one[n] - without[n] for n in alone}, alone) < 1e-9


def test_the_row_of_a_padding_token_is_not_trained(model):
    own = copy.deepcopy(model("llama"))
    own.model.embed_tokens.padding_idx = 0
    units = [[np.array([0, 3, 0, 4, 5], np.int32)], *RECORDS]
    limit = limit_of(own, units)
    got = clipped_sum(own, units, limit)[0]
    assert not got["model.embed_tokens.weight"][0].any()
    assert plain.difference(got, plain.loop(own, units, limit)[0]) < 1e-9


def test_a_record_below_the_limit_is_left_as_it_is(model):
    own, units = model("llama"), records(9, 30)
    norms = plain.loop(own, units, 1.0)[1]
    order = np.argsort(norms)
    limit = float(norms.mean())
    clip = Clipping(own)
    small = clip([units[order[0]]], limit)[0]
    assert plain.difference(small, plain.gradient(own, units[order[0]])) < 1e-9
    large = clip([units[order[1]]], limit)[0]
    assert plain.norm(large) == pytest.approx(limit, rel=1e-9)


def test_the_norm_of_a_long_vocabulary_is_not_lost_in_single_precision():
    """One sum of 6.4 million squares in float32, as ``vector_norm`` of a flat tensor has it, is off by 2e-4."""
    torch.manual_seed(0)
    buffer = torch.randn(1, 50257, 128)
    exact = float(buffer.double().square().sum())
    keep = Dense(torch, buffer)
    keep._begun = [True]
    assert float(keep.squares()[0]) == pytest.approx(exact, rel=1e-7)
    assert abs(float(torch.linalg.vector_norm(buffer.flatten())) ** 2 / exact - 1) > 1e-5


@pytest.mark.parametrize("kind", ["llama tied", "gpt2"])
def test_in_mixed_precision_norms_and_sums_stay_in_single_precision(kind):
    own = plain.model(kind, torch.float32)
    clip = Clipping(own, autocast="bfloat16")
    expected = plain.loop(own, RECORDS, 1.0)[1]
    for unit in records(40, 7):
        got = clip([unit], 1e-3)[0]
        assert all(g.dtype == torch.float32 for g in got.values())
        assert plain.norm(got) == pytest.approx(1e-3, rel=1e-5)  # a norm in bfloat16 would miss it by 4e-3
    np.testing.assert_allclose(clip(RECORDS, 1.0)[1], expected, rtol=0.1, atol=0.1)
    half = plain.model(kind, torch.bfloat16)
    got = clipped_sum(half, RECORDS[:1], 1e-3)[0]
    assert plain.norm(got) == pytest.approx(1e-3, rel=1e-5)


def test_in_mixed_precision_companions_leave_every_bit_as_it_is():
    own = plain.model("gpt2 tied", torch.float32)
    clip = Clipping(own, autocast="bfloat16")
    one = records(7, seed=9)[0]
    clip([one], 1.0)
    alone = clip.unchecked([one], float("inf"))[1][0]
    for others in (records(7, 6, 8, 3), records(60, 1), records(15)):
        assert clip.unchecked([*others, one], float("inf"))[1][-1] == alone


# What is refused.


class Scale(torch.nn.Module):
    """Has a parameter of a kind that nobody knows."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.gain = inner, torch.nn.Parameter(torch.ones(()).double())

    def forward(self, x):
        return self.inner(x) * self.gain


class Behind(torch.nn.Linear):
    """Uses its weight twice, and a hook sees one use."""

    def forward(self, x):
        return super().forward(x) + torch.nn.functional.linear(torch.tanh(x), self.weight)


def scaled(own):
    own.model.layers[1].mlp = Scale(own.model.layers[1].mlp)


def behind(own):
    old = own.model.layers[0].self_attn.q_proj
    made = Behind(old.in_features, old.out_features, bias=False).double()
    made.weight.data.copy_(old.weight)
    own.model.layers[0].self_attn.q_proj = made


def twice(own):
    own.model.layers[1].mlp = own.model.layers[0].mlp


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (scaled, "model.layers.1.mlp.gain"),
        (behind, "q_proj.weight"),
        (twice, "model.layers.0.mlp"),
    ],
)
def test_a_parameter_that_cannot_be_clipped_is_refused_by_name(model, change, named):
    own = copy.deepcopy(model("llama"))
    change(own)
    with pytest.raises(BadInput, match=named):
        clipped_sum(own, RECORDS, 1.0)
    if change is scaled:  # frozen it does no harm
        own.model.layers[1].mlp.gain.requires_grad_(False)
        assert plain.difference(clipped_sum(own, RECORDS, 1.0)[0], plain.loop(own, RECORDS, 1.0)[0]) < 1e-9


def test_what_is_asked_wrongly_is_refused(model):
    own = model("llama")
    for units, limit, options, said in (
        (records(CONTEXT + 1), 1.0, {}, "unit 0 has a row of 66 tokens"),
        ([[np.array([1, 200])]], 1.0, {}, "unit 0 has a token outside the vocabulary of 99"),
        (RECORDS, 0.0, {}, "max_grad_norm"),
        (RECORDS, float("nan"), {}, "max_grad_norm"),
        (RECORDS, 1.0, {"loss": "median"}, "loss"),
        (RECORDS, 1.0, {"autocast": "float16"}, "autocast"),
    ):
        with pytest.raises(BadInput, match=said):
            clipped_sum(own, units, limit, **options)
    with pytest.raises(BadInput, match="no parameter is trainable"):
        clipped_sum(copy.deepcopy(own).requires_grad_(False), RECORDS, 1.0)
    with pytest.raises(BadInput, match=r"embed_tokens.weight is trainable.*float16"):
        Clipping(plain.model("llama", torch.float16))
    broken = copy.deepcopy(own)
    clip = Clipping(broken)
    clip(RECORDS, 1.0)
    with torch.no_grad():
        broken.model.layers[0].mlp.up_proj.weight[0, 0] = float("inf")
    with pytest.raises(BadInput, match="not finite"):
        clip(RECORDS, 1.0)


# What happens around it.


def test_no_units_and_empty_units_give_nothing(model):
    for units in ([], [[]], records(0, 0)):
        got, norms = clipped_sum(model("gpt2 tied"), units, 1.0)
        assert not any(g.any() for g in got.values())
        assert norms.shape == (len(units),)
        assert not norms.any()


def test_sums_add_up_over_calls_and_follow_the_weights(model):
    own = copy.deepcopy(model("llama tied"))
    clip = Clipping(own)
    sums = clip(RECORDS[:5], 1.0)[0]
    clip(RECORDS[5:], 1.0, sums)
    assert plain.difference(sums, plain.loop(own, RECORDS, 1.0)[0]) < 1e-9
    with torch.no_grad():
        for parameter in own.parameters():
            parameter.mul_(0.7)
    assert plain.difference(clip(RECORDS, 1.0)[0], plain.loop(own, RECORDS, 1.0)[0]) < 1e-9


def test_the_model_is_left_as_it_was(model):
    own = copy.deepcopy(model("gpt2 tied"))
    own.transformer.wpe.weight.requires_grad_(False)
    before = {name: p.clone() for name, p in own.named_parameters()}
    clipped_sum(own, RECORDS, 1.0)
    assert all(torch.equal(p, before[name]) and p.grad is None for name, p in own.named_parameters())
    assert [n for n, p in own.named_parameters() if not p.requires_grad] == ["transformer.wpe.weight"]
    assert not any(m._forward_hooks for m in own.modules())


def test_when_memory_runs_out_fewer_units_go_together(model, monkeypatch):
    own = model("llama")
    clip = Clipping(own)
    clip(RECORDS, 1.0)
    run, sizes = Clipping._gradients, []

    def short(self, plan, units, loss):
        sizes.append(len(units))
        if len(units) > 2:
            raise MemoryError
        return run(self, plan, units, loss)

    monkeypatch.setattr(Clipping, "_gradients", short)
    assert plain.difference(clip(RECORDS, 1.0)[0], plain.loop(own, RECORDS, 1.0)[0]) < 1e-9
    assert max(sizes) > 2
    monkeypatch.setattr(Clipping, "_gradients", lambda *given: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(OutOfMemory, match="memory ran out"):
        clip(RECORDS, 1.0)


def test_units_of_a_microbatch_stay_within_the_budget_and_the_tokens(model):
    costs = Clipping(model("gpt2 tied")).costs
    units = records(*([10] * 40), 60, 30)
    for budget, tokens in ((1 << 40, 200), (1 << 21, 1 << 20), (1, 1)):
        seen = []
        for plan in clip_plan.plans(units, costs, budget, tokens):
            seen += plan.units
            n = len(plan.units)
            if n > 1:
                assert n * plan.places <= tokens
                assert clip_plan.bytes_of(costs, n, plan.places) <= budget
        assert sorted(seen) == list(range(len(units)))


def test_the_quickest_size_is_found_and_kept():
    pace, tried = clip_plan.Pace((100, 50, 1)), []
    seconds = {100: 3.0, 50: 2.0, 1: 5.0}
    for call in range(15):
        size = pace.tokens
        tried.append(size)
        pace.took(40 if call == 0 else 400, 9.0 if call == 1 else seconds[size], size)  # once disturbed
    assert tried[:10] == [100, *(100, 50, 1) * 3]
    assert set(tried[10:]) == {50}
    pace.at_most(20)
    assert pace.tokens == 1
    assert clip_plan.Pace((7,)).tokens == 7
