"""Norms and projections of every text's own gradient against automatic differentiation, one text at a time."""

import copy

import numpy as np
import pytest
import tiny_models
import torch
import transformers

from probatum.engine import ghost
from probatum.engine.batches import BatchSize
from probatum.engine.encoding import Encoded
from probatum.engine.ghost import GhostPass, NoRule
from probatum.engine.gradients import Gradients
from probatum.engine.measures import Projection, SquaredNorms
from probatum.engine.network import Network
from probatum.engine.session import Session
from probatum.engine.stored import Failure
from probatum.targets.transformers import TransformersTarget

CONTEXT = 40
KINDS = ["llama", "llama tied", "gpt2 tied", "neox", "qwen2", "qwen2 tied", "gemma2 tied"]


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """``model("llama tied")``: a random model in double precision, no parameter of it 0 or 1."""
    made = {}

    def get(name):
        if name not in made:
            kind, _, tied = name.partition(" ")
            path = tmp_path_factory.mktemp(kind)
            tiny_models.build(kind, path, vocab=300, tied=bool(tied), bos="<s>", context=CONTEXT, scale=4.0)
            attention = "eager" if kind == "gemma2" else "sdpa"
            found = transformers.AutoModelForCausalLM.from_pretrained(
                path, dtype=torch.float64, attn_implementation=attention
            )
            torch.manual_seed(1)
            with torch.no_grad():
                for parameter in found.parameters():
                    if parameter.ndim == 1:
                        parameter.add_(torch.randn_like(parameter) / 3)
            made[name] = found.eval().requires_grad_(False)
        return made[name]

    return get


def sequences(*lengths, seed=0):
    """Encoded texts of so many scored tokens, some tokens more than once; the start token is 0."""
    rng = np.random.default_rng(seed)
    rows = [np.r_[0, rng.integers(1, 60, n)].astype(np.int32) for n in lengths]
    return [Encoded(row, np.zeros(len(row), np.int32)) for row in rows]


#: Longer and shorter than what makes Gram matrices the cheaper way, for the blocks (about 16) and for the head (28).
TEXTS = sequences(7, 1, 33, 2, 18, 12, 29, 5)


def gradients(model, tokens=4096, context=CONTEXT):
    return Gradients(Network(model, "tiny"), context, BatchSize(tokens))


def collect(found):
    rows = {i: row for indices, part in found for i, row in zip(indices, part, strict=True)}
    return [rows[i] for i in range(len(rows))]


def free(tokens=0):
    """Costs nothing."""


def norms(of, texts=TEXTS):
    return np.array(collect(of.norms(texts, free, free)))


def features(of, texts=TEXTS, dimension=8, seed=0):
    return np.array(collect(of.features(texts, dimension, seed, free, free)))


def by_name(model, sequence):
    """{parameter: gradient of the mean loss}; no code shared with ours."""
    model = copy.deepcopy(model).requires_grad_(True)
    ids = torch.tensor(sequence[None].astype(np.int64))
    model(input_ids=ids, labels=ids).loss.backward()  # transformers' own mean over the scored tokens
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def one_by_one(model, texts, group_of, groups):
    out = np.zeros((len(texts), len(groups)))
    for row, text in zip(out, texts, strict=True):
        for name, gradient in by_name(model, text.sequence).items():
            row[group_of[name]] += float(gradient.double().square().sum())
    return out


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_squared_norms_are_those_of_a_loop_over_the_texts(model, kind, dtype):
    own = copy.deepcopy(model(kind)).to(dtype)
    found = gradients(own)
    got = norms(found)
    assert found.ghost is not None, "the texts were differentiated one by one"
    assert got.dtype == np.float32
    expected = one_by_one(own, TEXTS, found._group_of, found.groups)
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    np.testing.assert_allclose(got.sum(1), expected.sum(1), rtol=1e-5)


@pytest.mark.parametrize(
    ("kind", "groups"),
    [
        ("llama", ("embedding", "block 0", "block 1", "norm", "head")),
        ("llama tied", ("embedding+head", "block 0", "block 1", "norm")),
        ("gpt2 tied", ("embedding+head", "positions", "block 0", "block 1", "norm")),
    ],
)
def test_groups_are_named_and_depend_on_the_model_only(model, kind, groups):
    assert gradients(model(kind)).groups == groups


def test_a_tied_matrix_is_one_matrix(model):
    """Without the cross term the norm of a tied matrix is wrong by percents."""

    class Apart(SquaredNorms):
        def crossed(self, right, other):
            return 0

    network = Network(model("llama tied"), "tiny")
    batch = GhostPass(network, gradients(network.model)._group_of)
    texts = [t.sequence for t in TEXTS]
    whole, apart = (batch(texts, measure(torch)).sum((1, 2)).numpy() for measure in (SquaredNorms, Apart))
    assert np.abs(apart / whole - 1).max() > 0.01


def test_a_rule_that_is_wrong_is_found_out_and_not_believed(model, monkeypatch):
    """One text is differentiated plainly before anything is believed; then all of them are."""
    monkeypatch.setattr(SquaredNorms, "crossed", lambda self, right, other: 0)
    found = gradients(model("llama tied"))
    got = norms(found)
    assert found.ghost is None
    np.testing.assert_allclose(got, one_by_one(found.network.model, TEXTS, found._group_of, found.groups), rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_has_its_own_norm_and_not_that_of_its_batch(model, kind):
    """A published peer gives every text of a batch the norm of the batch."""
    together, alone = gradients(model(kind)), gradients(model(kind), tokens=1)
    got = norms(together)
    assert len(list(together.norms(TEXTS, free, free))) == 1  # one batch, with much padding
    assert len(list(alone.norms(TEXTS, free, free))) == len(TEXTS)
    np.testing.assert_allclose(got, norms(alone), rtol=1e-6)
    assert len(np.unique(got.sum(1).round(6))) == len(TEXTS)


def test_a_softmax_over_a_linear_map_in_closed_form(model):
    """One scored token: the head's gradient is (p − e_y)hᵀ, so its norm is ‖p − e_y‖ ‖h‖."""
    own = model("llama")
    text = sequences(1)[0]
    ids = torch.tensor(text.sequence[None, :-1].astype(np.int64))
    with torch.no_grad():
        h = own.model(input_ids=ids).last_hidden_state[0, 0]
        error = own.lm_head(h).softmax(-1)
    error[text.sequence[1]] -= 1
    found = gradients(own)
    got = norms(found, [text])[0, found.groups.index("head")]
    assert np.sqrt(got) == pytest.approx(float(error.norm() * h.norm()), rel=1e-6)


def test_of_a_text_longer_than_the_context_the_first_tokens_count(model):
    own = model("llama")
    short = gradients(own, context=10)
    cut = [Encoded(t.sequence[:11], t.ends[:11]) for t in TEXTS]
    np.testing.assert_array_equal(norms(short), norms(short, cut))
    assert not np.allclose(norms(short), norms(gradients(own)))


def test_a_text_without_a_scored_token_fails_and_says_why(model):
    rows = collect(gradients(model("llama")).norms([*sequences(3, 0), *sequences(2)], free, free))
    assert isinstance(rows[1], Failure)
    assert "no token" in rows[1].reason
    assert rows[0].shape == rows[2].shape


def test_the_model_is_left_as_it_was(model):
    own = copy.deepcopy(model("gpt2 tied"))
    first = next(own.parameters())
    first.requires_grad_(True)
    before = {name: p.clone() for name, p in own.named_parameters()}
    norms(gradients(own))
    assert all(torch.equal(p, before[name]) and p.grad is None for name, p in own.named_parameters())
    assert [p.requires_grad for p in own.parameters()] == [p is first for p in own.parameters()]
    assert not any(m._forward_hooks for m in own.modules())
    assert not own.training


def test_no_gradient_of_a_parameter_is_made_in_a_batch(model, monkeypatch):
    found = gradients(model("llama"))
    norms(found)  # checked once, plainly
    asked = []
    monkeypatch.setattr(torch.autograd, "grad", lambda *a, **k: asked.append(a))
    norms(found, sequences(3, 9, seed=5))
    assert not asked
    assert all(p.grad is None for p in found.network.model.parameters())


def mixture():
    common = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    return transformers.MixtralConfig(vocab_size=99, num_key_value_heads=2, num_local_experts=2, **sizes, **common)


def test_a_mixture_of_experts_has_no_rule_and_is_differentiated_text_by_text():
    torch.manual_seed(0)
    own = transformers.AutoModelForCausalLM.from_config(mixture()).eval().requires_grad_(False)
    found = gradients(own)
    assert found.ghost is None
    np.testing.assert_allclose(norms(found), one_by_one(own, TEXTS, found._group_of, found.groups), rtol=1e-4)
    assert len(list(found.norms(TEXTS, free, free))) == len(TEXTS)  # each is kept as soon as it is there


class Flat(torch.nn.Module):
    """Sees no texts, only tokens, as the experts of a mixture do."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x.flatten(0, 1)).view_as(x)


def twice(layers):
    layers[1].mlp = layers[0].mlp  # the norm of a sum is not the sum of the norms


def flat_mlp(layers):
    layers[0].mlp = Flat(layers[0].mlp)


def flat_norm(layers):
    layers[0].input_layernorm = Flat(layers[0].input_layernorm)


@pytest.mark.parametrize("change", [twice, flat_mlp, flat_norm])
def test_what_does_not_see_every_text_once_is_differentiated_text_by_text(model, change):
    own = copy.deepcopy(model("llama"))
    change(own.model.layers)
    found = gradients(own)
    with pytest.raises(NoRule):
        found.ghost([t.sequence for t in TEXTS], SquaredNorms(torch))
    got = norms(found)
    assert found.ghost is None
    np.testing.assert_allclose(got, one_by_one(own, TEXTS, found._group_of, found.groups), rtol=1e-6)


def test_a_norm_that_adds_1_to_its_weight_and_one_over_heads():
    """Gemma's weights are about 0; Qwen3 norms every head with one weight."""
    torch.manual_seed(0)
    common = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None, "vocab_size": 99}
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"num_key_value_heads": 2, "head_dim": 8, **common}
    for config in (transformers.Gemma3TextConfig(**sizes), transformers.Qwen3Config(**sizes)):
        own = transformers.AutoModelForCausalLM.from_config(config).double().eval().requires_grad_(False)
        found = gradients(own)
        got = norms(found)
        assert found.ghost is not None
        np.testing.assert_allclose(got, one_by_one(own, TEXTS, found._group_of, found.groups), rtol=1e-6)


def phi(**more):
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    none = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    torch.manual_seed(0)
    config = transformers.PhiConfig(vocab_size=99, max_position_embeddings=CONTEXT, **sizes, **none, **more)
    return transformers.AutoModelForCausalLM.from_config(config).double().eval().requires_grad_(False)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("rows", [1, 10, 128])
def test_logits_come_a_few_rows_at_a_time_and_the_output_layer_may_have_a_bias(monkeypatch, tied, rows):
    """Short texts go together, a long one in parts."""
    monkeypatch.setattr(ghost, "CHUNK_ROWS", rows)
    own = phi(tie_word_embeddings=tied)
    seen, errors = [], Network.errors
    monkeypatch.setattr(Network, "errors", lambda self, f, t: seen.append(len(f)) or errors(self, f, t))
    found = gradients(own)
    got = norms(found)
    assert found.ghost is not None
    assert max(seen) <= max(rows, 99 * 32 // (99 + 32))  # a text for which Gram matrices are cheaper is not cut
    np.testing.assert_allclose(got, one_by_one(own, TEXTS, found._group_of, found.groups), rtol=1e-6)


def test_the_row_of_a_padding_token_is_not_trained(model):
    """An embedding with a padding index has no gradient there, as in training; the tied head has one."""
    own = copy.deepcopy(model("llama tied"))
    own.model.embed_tokens.padding_idx = 0  # which is also the start token, as in the specimen
    found = gradients(own)
    got = norms(found)
    assert found.ghost is not None
    np.testing.assert_allclose(got, one_by_one(own, TEXTS, found._group_of, found.groups), rtol=1e-6)
    assert not np.allclose(got, norms(gradients(model("llama tied"))), rtol=1e-3)


def test_half_precision_gives_about_the_same(model):
    exact, half = (gradients(copy.deepcopy(model("llama")).to(t)) for t in (torch.float64, torch.bfloat16))
    got = norms(half)
    assert half.ghost is not None
    np.testing.assert_allclose(got.sum(1), norms(exact).sum(1), rtol=0.1)


def test_a_backward_pass_is_booked_as_two_forward_passes(model):
    booked, passes = [], []
    found = gradients(model("llama"))
    for _ in range(2):
        collect(found.norms(TEXTS, booked.append, lambda: passes.append(1)))
    tokens = 3 * sum(len(t.scored) for t in TEXTS)
    checked = 3 * (33 + 1)  # once: the longest and the shortest
    assert sum(booked) == 2 * tokens + checked
    assert len(passes) == 2 + 2


# Projections.


@pytest.mark.parametrize("kind", KINDS)
def test_a_projection_is_that_of_the_whole_gradient(model, kind):
    """Made of inputs and output gradients in a batch, or of the gradient itself, it is the same."""
    found = gradients(model(kind))
    got = features(found)
    assert found.ghost is not None
    found.ghost = None
    np.testing.assert_allclose(got, features(found), rtol=1e-5, atol=1e-6 * np.abs(got).max())
    assert got.shape == (len(TEXTS), 8 * len(found.groups))


def test_inner_products_and_norms_survive_in_the_mean(model):
    """Over the draws, E⟨Πg, Πg′⟩ = ⟨g, g′⟩, group by group; the spread of a mean of n draws falls as 1/√n."""
    own, texts = model("llama tied"), TEXTS[4:6]
    found = gradients(own)
    draws = np.array([features(found, texts, 64, seed).reshape(2, -1, 64) for seed in range(60)]).astype(float)
    made = [by_name(own, t.sequence) for t in texts]
    for group, name in enumerate(found.groups):
        inside = [p for p, number in found._group_of.items() if number == group]
        a, b = (np.concatenate([g[p].double().numpy().ravel() for p in inside]) for g in made)
        for x, y, exact in ((0, 0, a @ a), (1, 1, b @ b), (0, 1, a @ b)):
            products = (draws[:, x, group] * draws[:, y, group]).sum(1)
            error = products.std() / np.sqrt(len(products))
            assert abs(products.mean() - exact) < 4 * error, name
            assert error < 0.1 * np.sqrt((a @ a) * (b @ b))


def test_more_dimensions_spread_less(model):
    found = gradients(model("llama"))
    spread = []
    for dimension in (4, 64):
        sizes = [np.square(features(found, TEXTS[4:5], dimension, seed)).sum() for seed in range(40)]
        spread.append(np.std(sizes) / np.mean(sizes))
    assert spread[1] < spread[0] / 2  # 1/4 in the mean


def test_no_two_parameters_share_their_signs():
    """Or the gradients of query and key would be added before they are projected."""
    like = torch.zeros(1, dtype=torch.float64)
    projection = Projection(torch, dict.fromkeys(("query", "key", "value"), (6, 5)), 4, 0, like)
    gradient = torch.ones(6, 5, dtype=torch.float64)
    numbers = np.array([projection.whole(name, gradient).numpy() for name in ("query", "key", "value")])
    assert len(np.unique(numbers, axis=0)) == 3


def test_one_projection_for_all_texts_and_another_for_another_seed(model):
    found = gradients(model("llama"), tokens=20)
    got = features(found)
    np.testing.assert_allclose(features(found, TEXTS[::-1])[::-1], got, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(np.concatenate([features(found, [t]) for t in TEXTS]), got, rtol=1e-5, atol=1e-7)
    assert not np.allclose(features(found, seed=1), got)


# Through a target.


def test_a_target_keeps_them_and_answers_again(tmp_path):
    path = tiny_models.build("neox", tmp_path, vocab=300, bos="<s>")
    target = TransformersTarget(path, session=Session(device="cpu"))
    texts = [*tiny_models.TEXTS, ""]
    groups, squared = target.gradient_norms(texts)
    assert squared.shape == (len(texts), len(groups))
    assert np.isnan(squared[-1]).all()
    assert (squared[:-1] > 0).all()
    assert "no token" in target.failures[""]
    passes = target.session.cost.forward_passes
    again = target.gradient_norms(texts[:-1])[1]
    np.testing.assert_array_equal(again, squared[:-1])
    assert target.session.cost.forward_passes == passes
    projected = target.gradient_features(texts, dimension=4)
    assert projected.shape == (len(texts), 4 * len(groups))
    assert np.isnan(projected[-1]).all()
