"""The sensitivity probe: passes what is bounded, catches what is not."""

import numpy as np
import plain_clipping as plain
import pytest
import torch
from plain_clipping import records, users

from probatum.core.errors import BadInput
from probatum.engine.clip_keep import Factors
from probatum.engine.clipping import Clipping
from probatum.engine.private_probe import PAIRS, Sensitivity, sensitivity

UNITS = records(*np.random.default_rng(0).integers(3, 60, 30))


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def probe(model, units=UNITS, limit=1.0, pairs=PAIRS, **options):
    return sensitivity(Clipping(model, **options), units, limit, np.random.default_rng(1), pairs=pairs)


def batch_mean(nll, scored):
    """What an ordinary trainer's loss is: the mean over the tokens of all rows, times the rows."""
    return ((nll * scored).sum() / scored.sum()).expand(len(nll))


@pytest.mark.parametrize("kind", ["llama tied", "gpt2"])
@pytest.mark.parametrize("limit", [0.05, 1.0, 1e4])
def test_one_unit_moves_the_sum_by_at_most_c(kind, limit):
    found = probe(plain.model(kind, torch.float32), limit=limit)
    assert found.holds
    assert found.pairs == 20
    found.require()
    assert found.ratio > 0.99, "nothing was clipped in any pair, so nothing was probed"


@pytest.mark.parametrize("kind", ["llama tied", "gpt2"])
@pytest.mark.parametrize("limit", [0.05, 1.0, 1e4])
def test_a_mean_over_the_batch_is_caught_at_any_limit(kind, limit):
    """5.5 C was measured for the common pattern, with 16 equal short records and a long one."""
    found = probe(plain.model(kind, torch.float32), limit=limit, pairs=5, loss=batch_mean)
    assert found.ratio > 2
    assert not found.holds
    assert "equal short ones" in found.worst_kind
    with pytest.raises(BadInput, match=r"no epsilon can be certified.*mean over the batch"):
        found.require()


def test_it_is_caught_among_records_of_one_length_too():
    """Then only cut records show it."""
    found = probe(plain.model("llama", torch.float32), units=records(*[40] * 8), pairs=5, loss=batch_mean)
    assert found.ratio > 2


def test_a_tied_matrix_clipped_as_two_is_caught(monkeypatch):
    """A peer does so without a word; the sum then has norm 1.117 C."""
    found = probe(plain.model("llama tied", torch.float32), pairs=10)
    assert found.holds
    squares = Factors.squares

    def apart(self):
        kept, self._looked_up = self._looked_up, None
        alone = squares(self)
        self._looked_up = kept
        return alone if kept is None else alone + kept.squares()

    from probatum.engine import clip_plan

    forced = {"llama": "factors"}
    way_of = clip_plan.way_of
    monkeypatch.setattr(
        clip_plan,
        "way_of",
        lambda *given, **more: {
            n: forced["llama"] if "embed_tokens" in n else w for n, w in way_of(*given, **more).items()
        },
    )
    monkeypatch.setattr(Factors, "squares", apart)
    clip = Clipping(plain.model("llama tied", torch.float32))
    clip._checked = True  # which would refuse it first
    assert not sensitivity(clip, UNITS, 1.0, np.random.default_rng(1), pairs=10).holds


def test_users_and_mixed_precision_are_bounded_too():
    units = users((9, 30, 2), (5,), (7, 7), (60,), (3, 3), (20,))
    assert probe(plain.model("neox tied", torch.float32), units, pairs=10).holds
    for limit in (0.1, 1e4):
        assert probe(plain.model("llama tied", torch.float32), limit=limit, autocast="bfloat16").holds


def test_what_is_no_number_does_not_hold_and_nothing_to_probe_is_said():
    assert not Sensitivity(float("nan"), 1, "drawn from the data", 3, 1.0).holds
    with pytest.raises(BadInput, match="cannot be probed"):
        probe(plain.model("llama", torch.float32), units=[[], *records(0)])
