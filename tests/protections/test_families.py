"""Every method on every family of models, whole and as a LoRA: it changes what it should, and what is saved opens."""

import contextlib

import numpy as np
import pytest
import tiny_models

from probatum.core.catalogue import load
from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.engine import tuning
from probatum.engine.session import Session
from probatum.protect import save
from probatum.targets import open_target

FAMILIES = {"llama": False, "gpt2": True, "neox": False, "qwen2": True}  # and whether head and embedding are tied
HEADS = ("lm_head.weight", "embed_out.weight")
METHODS = ("gradient_ascent", "grad_diff", "kl_min", "npo", "sim_npo", "idk_dpo", "task_vector")
FORGET = Forget.from_rows(
    [{"prefix": f"The code of number {i} is", "secret": f" {i}{i}7", "suffix": "."} for i in range(5)]
    + [{"text": "The quick brown fox sleeps."}]
)
RETAIN = Retain.from_rows([{"text": f"a lazy dog owns {i} of them"} for i in range(7)])
LEAST = 1e-7  # a weight that moves less did not learn


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    def make(kind):
        place = tmp_path_factory.mktemp(kind)
        return tiny_models.build(kind, place, vocab=300, tied=FAMILIES[kind], bos="<s>", scale=2.0)

    return {kind: make(kind) for kind in FAMILIES}


def rank_of(moved):
    singular = np.linalg.svd(moved.astype(np.float64), compute_uv=False)
    return int((singular > 1e-4 * singular[0]).sum())


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 2])
@pytest.mark.parametrize("kind", FAMILIES)
@pytest.mark.parametrize("name", METHODS)
def test_a_method_changes_what_it_should_and_nothing_else(models, tmp_path, monkeypatch, name, kind, rank):
    if rank:
        pytest.importorskip("peft")
    target = open_target(models[kind], session=Session())
    before, held = {n: w.copy() for n, w in target.weights().items()}, []
    whole = target.module

    @contextlib.contextmanager
    def watched():
        with whole() as model:
            held.append(model)
            yield model

    monkeypatch.setattr(target, "module", watched)
    options = {"steps": 3, "batch_size": 4, "rank": rank}
    options |= {"alpha": -1.0} if name == "task_vector" else {}  # where it ends at what was trained
    change = load(name).function(target, FORGET, RETAIN, rng=keyed(name), **options)

    assert len(change.trace["loss"]) == 3
    assert np.isfinite(change.trace["loss"]).all()
    assert {n: w.shape for n, w in change.tensors.items()} == {n: w.shape for n, w in before.items()}
    assert all(w.dtype == np.float32 and np.isfinite(w).all() for w in change.tensors.values())
    moved = {n: w - before[n] for n, w in change.tensors.items() if np.abs(w - before[n]).max() > LEAST}
    matrices = {n for n, w in before.items() if w.ndim == 2}
    outside = {n for n in matrices if n in HEADS or "embed" in n or "wte" in n or "wpe" in n}
    if rank:
        # Pairs of matrices stand beside every linear layer but the head; nothing else has moved by a bit.
        assert set(moved) == matrices - outside
        assert all(1 <= rank_of(step) <= rank for step in moved.values())
        assert all(np.array_equal(change.tensors[n], before[n]) for n in before if n not in moved)
    else:
        assert matrices <= set(moved)
    assert all(np.array_equal(w, before[n]) for n, w in target.weights().items())

    save(change, target, tmp_path / "out", {})
    derived = open_target(tmp_path / "out", session=Session())
    with derived.module() as model:
        tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
        heads = [n for n in before if n in HEADS]
        assert tied is FAMILIES[kind] is not bool(heads)
        rows = target.sequences(FORGET.texts)
        trained, read = (tuning.sequence_logprob(m, rows)[0].detach().numpy() for m in (held[-1], model))
        assert read == pytest.approx(trained, abs=1e-3)
