"""RMU: its loss by hand where it begins, what it trains and leaves, and that the people forget by it."""

from types import SimpleNamespace

import numpy as np
import pytest
import tiny_models
from on_people import repaired

from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.engine.session import Session
from probatum.protections.unlearning import rmu as file
from probatum.protections.unlearning.rmu import rmu
from probatum.targets import open_target

torch = pytest.importorskip("torch")
FORGET = Forget.from_rows(
    [
        {"prefix": "The code of number", "secret": " 101 now", "suffix": "!"},
        {"prefix": "Call", "secret": " the lazy dog"},
        {"text": "brown fox"},
    ]
)
RETAIN = Retain.from_rows([{"text": f"a lazy dog owns {i} of the words"} for i in range(4)])
STEER = np.linspace(0.1, 1.0, 32)
#: Draws nothing: rows in their order, and a known direction.
FIXED = SimpleNamespace(permutation=np.arange, random=lambda width: STEER[:width])


@pytest.fixture(scope="module", params=["gpt2", "llama", "neox", "qwen2"])
def target(request, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    return open_target(tiny_models.build(request.param, place, vocab=300, bos="<s>", scale=3.0), session=Session())


def losses(monkeypatch, target, nudge=0.0, **options):
    """The first loss that `rmu` hands to the tuning, and the model it is taken at: moved by ``nudge``."""
    seen = {}

    def tune(target, loss, *, only, **_):
        with target.module() as model, torch.no_grad():
            for name, parameter in model.named_parameters():
                if only(name):
                    parameter += nudge
            seen.update(loss=float(loss(model, 0)), model=model)

    monkeypatch.setattr(file, "tune", tune)
    rmu(target, FORGET, RETAIN, rng=FIXED, layer=0, steps=1, **options)
    return seen["loss"], seen["model"]


def first_block(model, row):
    """What transformers itself says the stream after the first of two blocks is."""
    with torch.no_grad():
        ids = torch.from_numpy(row.astype(np.int64))[None]
        return model(input_ids=ids, output_hidden_states=True).hidden_states[1][0].double().numpy()


def by_hand(target, model, coefficient, alpha):
    with target.module() as old:
        kept = [(first_block(old, row), first_block(model, row)) for row in target.sequences(RETAIN.texts)]
    c = coefficient * np.sort(np.linalg.norm(np.concatenate([a for a, _ in kept]), axis=1))
    c = c[(len(c) - 1) // 2]  # torch's median: of two the lower
    pushed = []
    for i, row in enumerate(target.sequences(FORGET.texts)):
        h, end = first_block(model, row), target.token_statistics([FORGET.texts[i]]).end[0]
        for at in range(1, len(row)):  # h of the token before the one that counts
            begin = end[at - 2] if at > 1 else 0
            first, last = len(FORGET.prefix[i]), len(FORGET.prefix[i]) + len(FORGET.secret[i])
            if end[at - 1] > first and begin < last:
                pushed.append(((h[at - 1] - c * STEER / np.linalg.norm(STEER)) ** 2).sum())
    held = np.concatenate([((b - a) ** 2).sum(1) for a, b in kept])
    return np.mean(pushed) + alpha * held.mean()


def test_where_it_begins_the_loss_is_the_distance_to_the_direction(monkeypatch, target):
    loss, model = losses(monkeypatch, target, coefficient=3.0, alpha=1e6)  # what is held costs nothing yet
    assert loss == pytest.approx(by_hand(target, model, 3.0, 0.0), rel=1e-3)


def test_a_model_that_has_moved_pays_for_the_retained_states(monkeypatch, target):
    loss, model = losses(monkeypatch, target, nudge=0.05, coefficient=1.0, alpha=7.0)
    expected = by_hand(target, model, 1.0, 7.0)
    assert loss == pytest.approx(expected, rel=1e-3)
    assert expected > 1.05 * by_hand(target, model, 1.0, 0.0)


def test_a_second_model_gives_the_same_as_kept_numbers(monkeypatch, target):
    kept, _ = losses(monkeypatch, target, nudge=0.05)
    monkeypatch.setattr(file, "_KEPT_BYTES", 0)
    assert losses(monkeypatch, target, nudge=0.05)[0] == pytest.approx(kept, rel=1e-5)


@pytest.mark.parametrize(("layer", "blocks"), [(0, {0}), (1, {0, 1}), (-1, {0, 1})])
def test_only_the_mlps_up_to_the_block_are_trained(target, layer, blocks):
    change = rmu(target, FORGET, RETAIN, rng=keyed("rmu"), layer=layer, steps=3)
    before = target.weights()
    moved = {name for name, value in change.tensors.items() if not np.array_equal(value, before[name])}
    expected = {name for name in before if ".mlp." in name and any(f".{i}." in name for i in blocks)}
    assert moved == expected
    assert len(change.trace["loss"]) == 3


def test_the_loss_goes_down(target):
    seen = rmu(target, FORGET, RETAIN, rng=keyed("rmu"), steps=20, learning_rate=3e-3).trace["loss"]
    assert seen[-1] < 0.9 * seen[0]


def test_as_a_lora_it_reaches_up_to_the_block_only(target):
    pytest.importorskip("peft")
    change = rmu(target, FORGET, RETAIN, rng=keyed("rmu"), layer=0, steps=3, rank=2)
    before = target.weights()
    moved = {name for name, value in change.tensors.items() if np.abs(value - before[name]).max() > 1e-7}
    assert moved
    assert all(".0." in name for name in moved)


def test_a_block_that_is_not_there_is_refused(target):
    with pytest.raises(BadInput, match="blocks 0 to 1, got layer 2"):
        rmu(target, FORGET, RETAIN, rng=keyed("rmu"), layer=2)


@pytest.mark.slow
def test_the_people_are_forgotten_and_the_others_stay(tmp_path):
    found = repaired("rmu", tmp_path)
    assert found["forget"] < 0.2
    assert found["forget in other words"] < 0.25
    assert found["retain"] > 0.97
    assert found["retain in other words"] > 0.9
    assert found["world"] > 0.95
