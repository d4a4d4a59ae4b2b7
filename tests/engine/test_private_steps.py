"""The private trainer: what a step is, what counts, and what an interruption may not change."""

import copy
import stat

import numpy as np
import plain_clipping as plain
import pytest
import torch
from plain_clipping import records, users
from scipy import stats

from probatum.core.errors import BadInput
from probatum.engine.private_steps import private_steps

UNITS = records(*np.random.default_rng(0).integers(3, 40, 20))
OPTIONS = {"sample_rate": 0.3, "noise_multiplier": 1.0, "max_grad_norm": 1.0, "steps": 6, "learning_rate": 1e-3}
NOWHERE = 1e-12  # a sampling rate at which every batch is empty


class Killed(Exception):
    """As kill -9 would, between two lines."""


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def model():
    return plain.model("llama tied", torch.float32)


def weights(model):
    return torch.cat([p.detach().flatten().clone() for p in model.parameters() if p.requires_grad])


def moved(model, units=UNITS, **options):
    """(change of all weights, what the run says)."""
    before = weights(model)
    run = private_steps(model, units, **{**OPTIONS, "probe": False, **options})
    return weights(model) - before, run


def stop_at(step):
    def progress(done, steps):
        if done == step:
            raise Killed

    return progress


def test_a_step_is_the_clipped_sum_over_the_expected_size_of_a_batch(model):
    """Not over the realised size, which depends on the data."""
    sgd = {"optimizer": "sgd", "learning_rate": 1.0, "noise_multiplier": 1e-9, "steps": 1}
    expected = plain.loop(copy.deepcopy(model).double(), UNITS, 0.5)[0]
    whole = -torch.cat([e.flatten() for e in expected.values()]) / len(UNITS)
    change, run = moved(copy.deepcopy(model), max_grad_norm=0.5, sample_rate=1.0, **sgd)
    assert run.divisor == len(UNITS)
    assert float((change - whole).norm() / whole.norm()) < 1e-4
    from probatum.engine.private_noise import Draws

    batch = Draws(torch, torch.device("cpu"), insecure_seed=4).batch(0, len(UNITS), 0.3)
    assert len(batch) not in (0, 6)
    part = plain.loop(copy.deepcopy(model).double(), [UNITS[i] for i in batch], 0.5)[0]
    change, run = moved(copy.deepcopy(model), max_grad_norm=0.5, insecure_seed=4, **sgd)
    wanted = -torch.cat([e.flatten() for e in part.values()]) / 6
    assert run.divisor == pytest.approx(0.3 * 20)
    assert float((change - wanted).norm() / wanted.norm()) < 1e-4


def test_an_empty_batch_is_a_step_with_noise_of_the_right_size(model):
    """No batch holds a unit, so the change is noise alone: variance T (σ C / qn)²."""
    sigma, limit, steps = 2.0, 3.0, 4
    options = {"optimizer": "sgd", "learning_rate": 1e-3, "sample_rate": NOWHERE, "steps": steps}
    change, run = moved(model.double(), noise_multiplier=sigma, max_grad_norm=limit, **options)
    assert run.steps == steps
    scale = sigma * limit * 1e-3 / (NOWHERE * len(UNITS))
    drawn = change.numpy() / scale
    assert 1e-4 < stats.chi2.cdf(np.square(drawn).sum() / steps, len(drawn)) < 1 - 1e-4


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(model, tmp_path, optimizer):
    state, options = tmp_path / "run.safetensors", {"insecure_seed": 7, "optimizer": optimizer, "momentum": 0.5}
    whole, run = moved(copy.deepcopy(model), **options)
    assert (run.steps, run.starts) == (6, 1)
    told = []
    for step in (1, 3, 5):  # the second start redoes step 1, which was not saved
        with pytest.raises(Killed):
            moved(copy.deepcopy(model), state=state, save_every=2, progress=stop_at(step), **options)
    other = copy.deepcopy(model)
    change, run = moved(other, state=state, save_every=2, progress=lambda *p: told.append(p), **options)
    assert (run.steps, run.starts) == (6, 4)
    assert told == [(5, 6), (6, 6)]
    assert torch.equal(change, whole)
    change, run = moved(copy.deepcopy(model), state=state, **options)  # it is over: nothing is done, nothing counts
    assert (run.steps, run.starts) == (6, 5)
    assert torch.equal(change, whole)


def test_noise_that_was_lost_is_never_drawn_again(model, tmp_path):
    """Killed after a step and before its save, twice: the batch is the same, and the noise is not."""
    options = {"optimizer": "sgd", "sample_rate": 1e-3, "state": tmp_path / "run.safetensors", "save_every": 100}
    lost = []
    for _ in range(2):
        attempt = copy.deepcopy(model)
        with pytest.raises(Killed):
            moved(attempt, progress=stop_at(1), **options)
        lost.append(weights(attempt) - weights(model))
    correlation = np.corrcoef(*(x.numpy() for x in lost))[0, 1]
    assert abs(correlation) < 6 / np.sqrt(len(lost[0]))


def test_batches_are_the_same_after_an_interruption(model, tmp_path):
    """All of them follow from the key, so nobody can fish for better ones."""
    keys, state = [], tmp_path / "run.safetensors"
    for step in (1, 2):
        with pytest.raises(Killed):
            moved(copy.deepcopy(model), state=state, save_every=1, progress=stop_at(step))
        content = state.read_bytes()
        keys.append(content[content.index(b"sampler_key") :][:90])
    assert keys[0] == keys[1]
    assert b"null" not in keys[0]


def test_the_state_is_private_while_it_is_needed_and_has_no_key_after(model, tmp_path):
    state = tmp_path / "new" / "run.safetensors"
    with pytest.raises(Killed):
        moved(copy.deepcopy(model), state=state, save_every=1, progress=stop_at(2))
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert b'sampler_key\\": null' not in state.read_bytes()
    moved(copy.deepcopy(model), state=state)
    assert b'sampler_key\\": null' in state.read_bytes()
    assert [p.name for p in state.parent.iterdir()] == ["run.safetensors"]


def test_a_state_of_another_run_is_refused(model, tmp_path):
    state = tmp_path / "run.safetensors"
    moved(copy.deepcopy(model), state=state, steps=1)
    for options, named in (
        ({"steps": 2}, "steps 1, and now it is 2"),
        ({"steps": 1, "noise_multiplier": 0.5}, "noise_multiplier"),
        ({"steps": 1, "units": UNITS[1:]}, "data"),
    ):
        with pytest.raises(BadInput, match=named):
            moved(copy.deepcopy(model), state=state, **options)
    state.write_bytes(state.read_bytes()[:40])
    with pytest.raises(BadInput, match="is not the state of a private run"):
        moved(copy.deepcopy(model), state=state, steps=1)


def test_a_save_that_fails_leaves_the_one_before(model, tmp_path, monkeypatch):
    import os

    state = tmp_path / "run.safetensors"
    with pytest.raises(Killed):
        moved(copy.deepcopy(model), state=state, save_every=1, progress=stop_at(2), insecure_seed=1)
    before = state.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        moved(copy.deepcopy(model), state=state, save_every=1, insecure_seed=1)
    monkeypatch.undo()
    assert state.read_bytes() == before
    whole = moved(copy.deepcopy(model), insecure_seed=1)[0]
    assert torch.equal(moved(copy.deepcopy(model), state=state, insecure_seed=1)[0], whole)


def test_two_runs_differ_and_say_where_their_noise_comes_from(model):
    first, run = moved(copy.deepcopy(model))
    second, _ = moved(copy.deepcopy(model))
    assert not torch.equal(first, second)
    assert run.secure
    assert "operating system" in run.generator
    run = moved(copy.deepcopy(model), insecure_seed=0, steps=1)[1]
    assert not run.secure
    assert "seed given by the user" in run.generator


def test_a_model_learns_with_little_noise_and_user_units(model):
    units = users(*[(12, 12)] * 6)
    before = np.mean([float(sum(nll(model, r) for r in unit)) for unit in units])
    moved(model, units, sample_rate=0.5, noise_multiplier=0.1, steps=40, learning_rate=3e-3, autocast="bfloat16")
    assert np.mean([float(sum(nll(model, r) for r in unit)) for unit in units]) < before - 1


def nll(model, row):
    ids = torch.tensor(row.astype(np.int64))[None]
    with torch.no_grad():
        return model(input_ids=ids, labels=ids).loss


def test_lora_weights_move_and_the_others_do_not(model):
    """A peer left them where they were, and reported an epsilon."""
    pytest.importorskip("peft")
    from probatum.engine.lora import adapted

    own = adapted(model, seed=0)
    before = {name: p.detach().clone() for name, p in own.named_parameters()}
    run = moved(own, steps=2, probe=True)[1]
    assert run.sensitivity is not None
    assert run.sensitivity.holds
    for name, parameter in own.named_parameters():
        assert torch.equal(parameter, before[name]) is not parameter.requires_grad, name


def test_what_is_not_private_is_not_trained(model):
    def batch_mean(nll, scored):
        return ((nll * scored).sum() / scored.sum()).expand(len(nll))

    before = weights(model)
    for options, said in (
        ({"probe": True, "loss": batch_mean}, "no epsilon can be certified"),
        ({"noise_multiplier": 0.0}, "noise_multiplier"),
        ({"sample_rate": 0.0}, "sample_rate"),
        ({"sample_rate": 1.1}, "sample_rate"),
        ({"steps": 0}, "steps"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"max_grad_norm": 0.0}, "max_grad_norm"),
        ({"optimizer": "adagrad"}, "optimizer"),
        ({"units": []}, "at least one privacy unit"),
    ):
        with pytest.raises(BadInput, match=said):
            moved(model, **options)
    with pytest.raises(BadInput, match="trainable in bfloat16"):
        moved(plain.model("llama", torch.bfloat16))
    assert torch.equal(weights(model), before)
