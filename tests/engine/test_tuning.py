"""One trainer for all: a run that was killed ends where an undisturbed one does, with the batches of that one."""

import numpy as np
import pytest
import tiny_models
from safetensors.numpy import load_file, save_file

from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.core.errors import ProbatumError
from probatum.engine import tuning
from probatum.engine.answers import answers_of
from probatum.engine.session import Session
from probatum.engine.tuning import schedule, supervised, tune
from probatum.protections.unlearning.npo import npo
from probatum.protections.unlearning.task_vector import task_vector
from probatum.targets import open_target

FORGET = Forget.from_rows([{"prefix": f"The code of number {i} is", "secret": f" {i}{i}7"} for i in range(7)])
RETAIN = Retain.from_rows([{"text": f"a quick dog owns {i} of them"} for i in range(9)])
STEPS = 9


class Killed(Exception):
    """The machine went down."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_models.build("gpt2", tmp_path_factory.mktemp("tiny"), vocab=300, tied=True, scale=1.0)


@pytest.fixture
def target(folder):
    return open_target(folder, session=Session())


def killed_after(steps):
    def progress(what, done, total):
        if done == steps:
            raise Killed

    return progress


def same(a, b):
    return a.keys() == b.keys() and all(a[n].tobytes() == b[n].tobytes() for n in a)


def lora(rank):
    if rank:
        pytest.importorskip("peft")
    return rank


@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("k", [1, 4, STEPS])
def test_a_killed_run_ends_where_an_undisturbed_one_does(target, tmp_path, monkeypatch, rank, k):
    monkeypatch.setattr(tuning, "_SAVE_SECONDS", 0.0)
    options = {"steps": STEPS, "learning_rate": 1e-3, "batch_size": 3, "rank": lora(rank)}
    whole = npo(target, FORGET, RETAIN, rng=keyed("resume"), **options)
    with pytest.raises(Killed), supervised(tmp_path, killed_after(k)):
        npo(target, FORGET, RETAIN, rng=keyed("resume"), **options)
    done = []
    with supervised(tmp_path, lambda what, step, total: done.append(step)):
        resumed = npo(target, FORGET, RETAIN, rng=keyed("resume"), **options)
    # The step that it was killed at was not written down yet, and is done again.
    assert done == list(range(k, STEPS + 1))
    assert same(resumed.tensors, whole.tensors)
    assert resumed.trace == whole.trace


def test_a_resumed_method_draws_the_same_batches(target, tmp_path, monkeypatch):
    monkeypatch.setattr(tuning, "_SAVE_SECONDS", 0.0)
    gone = answers_of(target, FORGET)

    def run(seen, progress=None):
        chosen = schedule(len(gone), 3, STEPS, keyed("batches"))

        def loss(model, step):
            seen.append((step, chosen[step].tolist()))
            return gone.loss(model, chosen[step])

        with supervised(tmp_path if progress else None, progress):
            tune(target, loss, steps=STEPS, learning_rate=1e-3)

    undisturbed, before, after = [], [], []
    run(undisturbed)
    with pytest.raises(Killed):
        run(before, killed_after(4))
    run(after, lambda *_: None)
    assert before == undisturbed[:4]
    assert after == undisturbed[3:]


def test_a_run_that_was_done_is_not_done_again(target, tmp_path):
    options = {"steps": 3, "learning_rate": 1e-3}
    with supervised(tmp_path):
        first = task_vector(target, FORGET, RETAIN, rng=keyed("x"), **options)
    with supervised(tmp_path, killed_after(1)):
        assert same(task_vector(target, FORGET, RETAIN, rng=keyed("x"), **options).tensors, first.tensors)


def test_a_state_that_was_half_written_is_not_there(target, tmp_path):
    (tmp_path / "tuning-1.part").write_bytes(b"half")
    with supervised(tmp_path):
        change = task_vector(target, FORGET, RETAIN, rng=keyed("x"), steps=2, learning_rate=1e-3)
    assert len(change.trace["loss"]) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["tuning-1.safetensors"]


def test_a_loss_that_is_no_number_is_one_sentence(target):
    gone = answers_of(target, FORGET)
    with pytest.raises(ProbatumError, match="lower the learning rate"):
        tune(target, lambda model, step: gone.loss(model, [0]) * float("nan"), steps=3, learning_rate=1e-3)


def test_batches_go_through_all_rows_before_one_comes_again():
    rows = schedule(10, 4, 7, keyed("schedule"))
    assert rows.shape == (7, 4)
    assert all(len(set(rows[i : i + 2].ravel())) == 8 for i in range(0, 6, 2))
    assert schedule(3, 16, 2, keyed("x")).shape == (2, 3)
    assert schedule(3, 16, 0, keyed("x")).shape[0] == 0


@pytest.fixture(scope="module")
def bare(folder, tmp_path_factory):
    """GPT-2 as it lies on the hub: no ``transformer.`` before the names, and the masks of its attention among them."""
    import shutil

    place = tmp_path_factory.mktemp("bare") / "gpt2"
    shutil.copytree(folder, place)
    tensors = {
        name.removeprefix("transformer."): value for name, value in load_file(folder / "model.safetensors").items()
    }
    masks = {f"h.{i}.attn.bias": np.tril(np.ones((1, 1, 128, 128), np.float32)) for i in range(2)}
    save_file(tensors | masks, place / "model.safetensors", metadata={"format": "pt"})
    return open_target(place, session=Session())


def test_names_are_those_on_disk_even_if_the_model_calls_them_otherwise(target, bare):
    options = {"steps": 3, "learning_rate": 1e-3}
    usual = npo(target, FORGET, RETAIN, rng=keyed("x"), **options).tensors
    change = npo(bare, FORGET, RETAIN, rng=keyed("x"), **options).tensors
    assert {f"transformer.{name}" for name in change} == set(usual)
    assert set(change) <= set(bare.weights())
    for name, value in usual.items():
        assert np.array_equal(value, change[name.removeprefix("transformer.")]), name


def test_a_parameter_that_has_no_name_on_disk_is_one_sentence(target, monkeypatch):
    known = target.weights()
    monkeypatch.setattr(target, "weights", lambda: {n: known[n] for n in known if "mlp.c_fc" not in n})
    with pytest.raises(ProbatumError, match=r"do not hold transformer\.h\.0\.mlp\.c_fc"):
        npo(target, FORGET, RETAIN, rng=keyed("x"), steps=1)
