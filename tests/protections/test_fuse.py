"""Fusing: the mean by hand, and every pair of models whose mean would be no model is refused in a sentence."""

import numpy as np
import pytest

from probatum.core.data import Forget, Retain
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.target import Target
from probatum.protections.unlearning.fuse import fuse

FORGET, RETAIN = Forget.from_rows([{"text": "a"}]), Retain.from_rows([{"text": "b"}])
DRAW = np.random.default_rng(0)
BASE = {n: DRAW.normal(size=s).astype(np.float32) for n, s in {"in": (8, 16), "out": (16, 8), "gain": (8,)}.items()}


class Weighted(Target):
    """Weights and a name; nothing else is asked of a model that is fused."""

    def __init__(self, name, tensors, tokenizer="words"):
        self.name, self.tensors, self.tokenizer_digest = name, tensors, tokenizer

    def weights(self):
        return self.tensors


def tuned(seed, size=0.3, base=BASE):
    draw = np.random.default_rng(seed)
    return {n: w + size * draw.normal(size=w.shape).astype(np.float32) for n, w in base.items()}


def fused(own, *others):
    roles = dict(zip(("other", "third"), others, strict=False))
    return fuse(Weighted("mine", own), FORGET, RETAIN, rng=keyed("fuse"), **roles)


def test_it_is_the_mean_of_two_and_of_three():
    models = [tuned(seed) for seed in range(3)]
    for n in (2, 3):
        change = fused(models[0], *(Weighted(f"m{i}", m) for i, m in enumerate(models[1:n])))
        for name in BASE:
            by_hand = sum(m[name].astype(np.float64) for m in models[:n]) / n
            assert change.tensors[name] == pytest.approx(by_hand, abs=1e-6)
            assert change.tensors[name].dtype == np.float32


def test_what_one_alone_has_learned_fades_and_what_both_have_stays():
    shared, lone = tuned(1), tuned(2)
    mean = fused({n: shared[n] + (lone[n] - BASE[n]) for n in BASE}, Weighted("m", shared)).tensors
    for name in BASE:
        assert mean[name] - shared[name] == pytest.approx((lone[name] - BASE[name]) / 2, abs=1e-5)


def test_it_says_how_close_the_models_are():
    change = fused(BASE, Weighted("sibling", tuned(1)))
    assert change.trace["cosine"]["other"] == pytest.approx(1 / np.sqrt(1 + 0.3**2), abs=0.03)


def test_gains_that_agree_between_strangers_do_not_make_them_relatives():
    gains = {"gain": np.ones(10_000, np.float32)}
    own, other = ({**tuned(seed, base={n: np.zeros_like(w) for n, w in BASE.items()}), **gains} for seed in (1, 2))
    with pytest.raises(BadInput, match="do not descend from one base"):
        fused(own, Weighted("stranger", other))


WIDE = {**BASE, "in": np.ones((8, 17), np.float32)}
BAD = {
    "another initialization": (Weighted("x", {n: DRAW.normal(size=w.shape) for n, w in BASE.items()}), "one base"),
    "another shape": (Weighted("x", WIDE), r"shape of in \(\(8, 16\) and \(8, 17\)\)"),
    "another tensor": (Weighted("x", {**BASE, "head": np.ones((2, 2))}), "only one has head"),
    "another tokenizer": (Weighted("x", tuned(1), tokenizer="bytes"), "different tokenizers"),
    "the same model": (Weighted("x", BASE), "the same weights"),
    "weights that are no numbers": (Weighted("x", {n: w * np.nan for n, w in BASE.items()}), "one base"),
}


@pytest.mark.parametrize("fault", BAD)
@pytest.mark.parametrize("place", ["other", "third"])
def test_what_cannot_be_fused_is_one_sentence_that_names_the_model(fault, place):
    bad, said = BAD[fault]
    others = [bad] if place == "other" else [Weighted("sibling", tuned(1)), bad]
    with pytest.raises(BadInput, match=said) as error:
        fused(BASE, *others)
    assert "fuse: mine and x" in str(error.value)
    assert "\n" not in str(error.value)
