"""Weight lineage: strangers match as a random permutation would, one unit a layer."""

import numpy as np
import pytest
from scipy import stats

from probatum.core.estimate import Truth
from probatum.probes.accountability.weight_lineage import weight_lineage
from probatum.statistics import TooFew, unit_matches
from probatum.testing import ToyTarget

LLAMA = "model.layers.{}.mlp.gate_proj.weight"
GPT2 = "h.{}.mlp.c_fc.weight"


class Weights(ToyTarget):
    """A model of which only the weights exist."""

    def record(self, text):
        raise NotImplementedError


def model(seed, *, layers=3, units=40, width=16, name=LLAMA, **more) -> Weights:
    rng = np.random.default_rng(seed)
    return Weights(
        "m", str(seed), tensors={name.format(i): rng.normal(size=(units, width)) for i in range(layers)} | more
    )


def changed(target, change) -> Weights:
    return Weights("changed", "changed", tensors={n: change(w) for n, w in target.weights().items()})


def test_a_descendant_keeps_its_units():
    base = model(1)
    tuned = changed(base, lambda w: w + 0.3 * np.random.default_rng(2).normal(size=w.shape))
    scores = weight_lineage(tuned, ancestor=base)
    assert scores.values.tolist() == [40, 40, 40]
    assert unit_matches(scores, Truth()).p_value < 1e-80


def test_strangers_do_not(found):
    assert unit_matches(weight_lineage(model(1), ancestor=model(2)), Truth()).p_value > 0.01


def test_the_count_of_strangers_follows_poisson_with_one_a_layer():
    counts = np.array([weight_lineage(model(i), ancestor=model(1000 + i)).values.sum() for i in range(300)])
    assert counts.mean() == pytest.approx(3, abs=4 * np.sqrt(3 / 300))
    assert counts.var() == pytest.approx(3, abs=1.2)
    observed = [int((counts == k).sum()) for k in range(6)] + [int((counts >= 6).sum())]
    expected = 300 * np.append(stats.poisson.pmf(range(6), 3), stats.poisson.sf(5, 3))
    assert stats.chisquare(observed, expected).pvalue > 1e-3


def test_a_copy_whose_units_were_permuted_evades_it_as_its_notes_say():
    base = model(1)
    order = np.random.default_rng(3).permutation(40)
    assert weight_lineage(changed(base, lambda w: w[order]), ancestor=base).values.sum() < 12


@pytest.mark.parametrize("scale", [1e-3, 50.0])
def test_the_length_of_a_unit_does_not_matter(scale):
    base = model(1)
    assert weight_lineage(changed(base, lambda w: scale * w), ancestor=base).values.tolist() == [40] * 3


def test_gpt_2_stores_the_transpose():
    """There the hidden units are columns; taken as rows, inputs would be matched, which a stranger shares."""
    llama, gpt2 = model(5), model(6, name=GPT2)
    stored = changed(gpt2, np.transpose)
    other = changed(model(7, name=GPT2), np.transpose)
    assert stored.weights()[GPT2.format(0)].shape == (16, 40)
    assert weight_lineage(stored, ancestor=stored).values.tolist() == [40] * 3
    assert (
        weight_lineage(stored, ancestor=other).values.sum()
        == weight_lineage(gpt2, ancestor=model(7, name=GPT2)).values.sum()
    )
    assert not len(weight_lineage(llama, ancestor=stored))


def test_two_matrices_over_the_same_units_count_once():
    """Gate and up projection are assigned alike where units are alike; counting both would double every coincidence."""
    a, b = model(1, layers=1), model(2, layers=1)
    up = LLAMA.format(0).replace("gate", "up")
    doubled = [Weights("d", "d", tensors={**t.weights(), up: t.weights()[LLAMA.format(0)]}) for t in (a, b)]
    scores = weight_lineage(doubled[0], ancestor=doubled[1])
    assert scores.ids == (LLAMA.format(0),)
    assert np.array_equal(scores.values, weight_lineage(a, ancestor=b).values)


def test_a_part_of_the_units_is_enough():
    base = model(1)
    scores = weight_lineage(base, ancestor=base, max_units=10)
    assert scores.values.tolist() == [10] * 3


def test_models_of_other_shapes_have_nothing_to_compare():
    scores = weight_lineage(model(1), ancestor=model(2, units=41))
    assert "share no MLP" in scores.note
    with pytest.raises(TooFew):
        unit_matches(scores, Truth())


def test_weights_that_are_not_finite_are_unscored():
    base = model(1)
    broken = Weights(
        "b",
        "b",
        tensors={n: np.where(np.arange(16) == 3, np.nan, w) if "0" in n else w for n, w in base.weights().items()},
    )
    assert weight_lineage(broken, ancestor=base).unscored == {LLAMA.format(0): "the weights are not finite"}


def test_the_draw_of_units_does_not_depend_on_the_order_of_layers():
    a, b = model(1), model(2)
    turned = Weights("t", "t", tensors=dict(reversed(a.weights().items())))
    one, other = weight_lineage(a, ancestor=b, max_units=12), weight_lineage(turned, ancestor=b, max_units=12)
    assert dict(zip(one.ids, one.values, strict=True)) == dict(zip(other.ids, other.values, strict=True))


def test_gate_and_up_in_one_matrix_are_one_row_a_unit():
    name = LLAMA.replace("gate", "gate_up")
    base = model(1, name=name)
    assert weight_lineage(base, ancestor=base).values.tolist() == [20] * 3


def test_units_that_are_alike_keep_no_place_by_chance():
    """Equal rows could be assigned in any order; taking them in order would look like descent."""
    flat = changed(model(1), np.ones_like)
    assert unit_matches(weight_lineage(flat, ancestor=flat), Truth()).p_value > 1e-3
