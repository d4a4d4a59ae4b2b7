"""Known texts as a prefix: as many as fit, none that is judged, the same draw whatever the order."""

import numpy as np
import pytest

from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.shots import log_likelihoods, shot_prefixes
from probatum.core.target import RECORD
from probatum.testing import TableTarget, UniformTarget

POOL = ["alpha beta gamma.", "delta epsilon zeta eta.", "theta iota kappa.", "lambda mu nu xi.", "omicron pi rho."]


def prefixes(pool=POOL, texts=("something else entirely",), context=None, shots=7, number=1, seed=0):
    target = UniformTarget()
    if context is not None:
        target.context = context
    return shot_prefixes(target, pool, texts, keyed(seed), shots=shots, prefixes=number)


def test_all_shots_stand_in_one_prefix_where_nobody_says_how_long_the_context_is():
    (prefix,) = prefixes()
    assert sorted(prefix.split(". ")) == sorted([*(t.rstrip(".") for t in POOL), ""])
    (few,) = prefixes(shots=2)
    assert few.count(".") == 2


@pytest.mark.parametrize("context", [200, 100, 60, 50])
def test_as_many_as_fit_in_half_of_the_context(context):
    """A token per character; the next shot of the draw would be too long."""
    (prefix,) = prefixes(context=context)
    (order,) = prefixes()
    assert order.startswith(prefix)
    assert len(prefix) <= context // 2
    rest = order[len(prefix) :]
    assert not rest or len(prefix) + rest.index(".") + 2 > context // 2


def test_a_shot_that_alone_is_too_long_is_cut():
    (prefix,) = prefixes(pool=["word " * 100], context=64)
    assert len(prefix) <= 32
    assert ("word " * 100).startswith(prefix.rstrip())


def test_several_prefixes_have_no_shot_in_common():
    got = prefixes(context=60, number=3)
    assert len(got) == 3
    shots = [s for p in got for s in p.rstrip().split(". ")]
    assert len(set(shots)) == len(shots)
    assert len(prefixes(shots=5, number=9)) == 1  # no more than there are texts


def test_the_draw_goes_by_the_seed_and_not_by_the_order():
    assert prefixes(POOL[::-1], context=100) == prefixes(context=100)
    assert len({tuple(prefixes(context=60, seed=seed)) for seed in range(9)}) > 1


def test_near_duplicates_of_judged_texts_and_empty_ones_are_left_out():
    """Published tools draw the prefix from the judged texts; after itself any text is likely."""
    judged = ["DELTA  epsilon zeta eta!", "first. lambda mu nu xi. last."]
    (prefix,) = prefixes([*POOL, "", "  "], judged)
    assert "delta" not in prefix
    assert "lambda" not in prefix
    assert prefix.count(".") == 3
    assert prefixes(POOL, POOL) == []
    assert prefixes([], judged) == []


@pytest.mark.parametrize(("shots", "number"), [(0, 1), (1, 0), (-3, 1)])
def test_no_shot_is_no_prefix(shots, number):
    with pytest.raises(BadInput, match="at least 1"):
        prefixes(shots=shots, number=number)


def table(texts):
    """Text to log-probabilities of its characters; None where a character has none."""
    rows = {}
    for text, values in texts.items():
        row = np.zeros(len(text), RECORD)
        row["logprob"], row["end"] = [0 if v is None else v for v in values], np.arange(1, len(text) + 1)
        rows[text] = row[[v is not None for v in values]]
    return TableTarget(rows)


def test_only_the_tokens_of_the_text_count():
    """A published tool averages over prefix and text."""
    target = table({"ab": [-1.0, -2.0], "PQ ab": [-50.0, -60.0, -70.0, -3.0, -5.0]})
    assert log_likelihoods(target, ["ab"], ["PQ "]).tolist() == [[-1.5], [-4.0]]


def test_without_a_start_token_the_first_token_counts_in_neither():
    target = table({"ab": [None, -2.0], "P ab": [None, -9.0, -30.0, -5.0], "": [], "P ": [None, -9.0]})
    got = log_likelihoods(target, ["ab", ""], ["P "])
    assert got[:, 0].tolist() == [-2.0, -5.0]
    assert np.isnan(got[:, 1]).all()


def test_a_text_known_by_heart_can_be_divided_by():
    target = table({"ab": [0.0, 0.0], "P ab": [-1.0, -1.0, -1.0, -3.0]})
    alone, after = log_likelihoods(target, ["ab"], ["P "])[:, 0]
    assert np.isfinite(after / alone)
    assert after / alone > 1e5
