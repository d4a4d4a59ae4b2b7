"""REVS where its algebra is exact: a square orthogonal unembedding, so that an edit moves one token and no other."""

import numpy as np
import pytest
import tiny_models
from on_people import repaired

from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.engine.session import Session
from probatum.protect import save
from probatum.protections.unlearning.revs import revs
from probatum.targets import open_target

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")
SIZE = 64  # of the vocabulary, and of the residual stream
WORDS = [f"w{i}" for i in range(SIZE)]
SECRET = 40
FORGET = Forget.from_rows([{"prefix": "w1 w2 w3", "secret": f" w{SECRET}"}])
RETAIN = Retain.from_rows([{"text": " ".join(WORDS[i : i + 6])} for i in range(4, 30, 5)])


@pytest.fixture(scope="module")
def square(tmp_path_factory):
    """One block of a Llama whose unembedding is square and orthogonal, and which answers "w1 w2 w3" with the secret."""
    place = tmp_path_factory.mktemp("square")
    torch.manual_seed(0)
    special = dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id"), 0)
    model = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=SIZE, hidden_size=SIZE, intermediate_size=200, num_hidden_layers=1, num_attention_heads=4,
            max_position_embeddings=32, **special,
        )
    )  # fmt: skip
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(8.0)
    torch.nn.init.orthogonal_(model.lm_head.weight)
    ids, optimizer = torch.tensor([[0, 1, 2, 3, SECRET]]), torch.optim.Adam(model.model.layers.parameters(), lr=1e-3)
    for _ in range(100):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(input_ids=ids[:, :-1]).logits[:, -1], ids[:, -1]).backward()
        optimizer.step()
    model.save_pretrained(place)
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel(dict(zip(WORDS, range(SIZE), strict=True)), "w0"))
    words.normalizer = tokenizers.normalizers.Replace(" ", "")
    words.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(r"w\d+"), "isolated")
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, bos_token="w0").save_pretrained(place)
    return open_target(place, session=Session())


def last(target, ids):
    with target.module() as model, torch.no_grad():
        return model(input_ids=torch.tensor([ids])).logits[0, -1].double()


def edited(target, folder, **options):
    change = revs(target, FORGET, RETAIN, rng=keyed("revs"), **options)
    save(change, target, folder / "out", {})
    return open_target(folder / "out", session=Session()), change


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_the_secret_ranks_low_and_no_other_two_tokens_change_places(square, tmp_path, share):
    after, change = edited(square, tmp_path, neurons=50, residual_rank=share)
    assert change.trace["tokens that rank low"] == 1
    first, then = last(square, [0, 1, 2, 3]), last(after, [0, 1, 2, 3])
    assert first.argmax() == SECRET
    assert (then > then[SECRET]).sum() >= share * SIZE
    rng = np.random.default_rng(0)
    changed = 0
    for prompt in [[0, 1, 2, 3], *([0, *rng.integers(SIZE, size=5)] for _ in range(30))]:
        first, then = (last(t, prompt) for t in (square, after))
        others = torch.arange(SIZE) != SECRET
        first, then = first[others], then[others]
        changed += not torch.equal(first.argsort(), then.argsort())
        # The norm divides all by the same number; what the secret lost is all that is gone.
        ratio = then.norm() / first.norm()
        torch.testing.assert_close(then, first * ratio, rtol=1e-3, atol=1e-4)
    assert changed <= 1  # two that were equal but for rounding


def test_it_edits_one_block_s_output_matrix_and_no_more_neurons_than_it_may(square, tmp_path):
    _, change = edited(square, tmp_path, neurons=50, residual_rank=0.1)
    before = square.weights()
    moved = [name for name, value in change.tensors.items() if not np.array_equal(value, before[name])]
    assert moved == ["model.layers.0.mlp.down_proj.weight"]
    columns = (change.tensors[moved[0]] != before[moved[0]]).any(0).sum()
    assert columns == change.trace["edited neurons"] <= 50


def test_more_is_asked_with_more_neurons(square, tmp_path):
    few, many = (
        edited(square, tmp_path / str(share), neurons=60, residual_rank=share)[1].trace["edited neurons"]
        for share in (0.02, 0.6)
    )
    assert 1 <= few <= many


def test_a_secret_that_ranks_low_already_is_left_alone(square):
    unknown = Forget.from_rows([{"prefix": "w1 w2 w3", "secret": f" w{int(last(square, [0, 1, 2, 3]).argmin())}"}])
    change = revs(square, unknown, RETAIN, rng=keyed("revs"))
    assert change.trace == {"edited neurons": 0, "tokens that rank low": 1}
    assert all(np.array_equal(value, square.weights()[name]) for name, value in change.tensors.items())


def test_the_rarest_token_is_that_of_the_secret_alone(square):
    """w10 stands in the retain set and w50 does not, so the edit aims at w50."""
    both = Forget.from_rows([{"prefix": "w1", "secret": " w10 w50"}])
    change = revs(square, both, RETAIN, rng=keyed("revs"), neurons=50, residual_rank=0.5)
    alone = Forget.from_rows([{"prefix": "w1 w10", "secret": " w50"}])
    same = revs(square, alone, RETAIN, rng=keyed("revs"), neurons=50, residual_rank=0.5)
    assert all(np.array_equal(value, same.tensors[name]) for name, value in change.tensors.items())


@pytest.mark.parametrize("kind", ["gpt2", "neox", "qwen2", "llama"])
def test_every_family_is_edited_and_left_alone_elsewhere(kind, tmp_path):
    target = open_target(
        tiny_models.build(kind, tmp_path / "in", vocab=300, tied=kind in ("gpt2", "qwen2"), bos="<s>"),
        session=Session(),
    )
    said = target.generate(["The quick"], max_new_tokens=1)[0]
    forget = Forget.from_rows([{"prefix": "The quick", "secret": said or " brown"}])
    change = revs(target, forget, Retain.from_rows([{"text": "a lazy dog"}]), rng=keyed("revs"), residual_rank=0.2)
    before = target.weights()
    moved = {name for name, value in change.tensors.items() if not np.array_equal(value, before[name])}
    assert moved
    assert all(".mlp." in name and name.endswith("weight") for name in moved)


@pytest.mark.parametrize("options", [{"tokens": 0}, {"neurons": 0}, {"residual_rank": 1.0}, {"neuron_rank": 0.0}])
def test_impossible_options_are_refused(square, options):
    with pytest.raises(BadInput, match="revs needs"):
        revs(square, FORGET, RETAIN, rng=keyed("revs"), **options)


@pytest.mark.slow
def test_the_people_are_forgotten_at_the_price_of_those_who_share_an_answer(tmp_path):
    found = repaired("revs", tmp_path)
    assert found["forget"] < 0.2
    assert found["retain"] > 0.7
    assert found["world"] > 0.95
