"""WBC: votes of windows by hand, and .5 where signs fall as a coin does."""

import numpy as np
import pytest

from probatum.core.data import Members
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.probes.privacy.membership.wbc import wbc
from probatum.testing import TableTarget, UniformTarget, toy_data, toy_target

MEMBERS = toy_data()["Members"].blind()


def scores(*rows, **options):
    """Of texts whose tokens the target likes by ``rows`` more than the reference."""
    texts = [chr(ord("a") + i) * len(row) for i, row in enumerate(rows)]
    given = ({t: [(t[0], -20.0 + d) for d in row] for t, row in zip(texts, rows, strict=True)},
             {t: [(t[0], -20.0) for _ in row] for t, row in zip(texts, rows, strict=True)})  # fmt: skip
    target, reference = (TableTarget.of_tokens(table) for table in given)
    return wbc(target, Members.from_rows({"text": t} for t in texts), reference=reference, **options).values


def test_what_was_learned_by_heart_is_found(found):
    result = found(wbc, toy_target(planted=True), reference=toy_target(planted=False))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(wbc, toy_target(planted=False), reference=UniformTarget()).p_value > 0.05


def test_votes_by_hand():
    """Windows of 1: + − + −, of 2: 1 −1 .5, of 4: .5; so 2/4, 2/3 and 1/1."""
    row = [3.0, -2.0, 1.0, -0.5]
    assert scores(row, smallest=1, largest=4, sizes=3) == pytest.approx([(2 / 4 + 2 / 3 + 1) / 3])
    assert scores(row, smallest=2, largest=2, sizes=1) == pytest.approx([2 / 3])


def test_one_outlier_has_one_vote():
    """What training gains at one token outweighs the mean of forty others, and not their votes."""
    row = [100.0, *[-1.0] * 40]
    assert np.mean(row) > 0
    assert scores(row, smallest=1, largest=1, sizes=1) == pytest.approx([1 / 41])


def test_the_sizes_are_those_of_equation_12():
    """At T = 40 a size is told by how often a positive token, first in the row, decides a window: once."""
    row = [1000.0, *[-1.0] * 39]
    votes = [1 / (40 - w + 1) for w in (2, 3, 4, 5, 8, 11, 15, 21, 29, 40)]
    assert scores(row) == pytest.approx([np.mean(votes)])


def test_a_short_text_is_one_window():
    assert scores([1.0, 1.0, -1.5], smallest=5, largest=40).tolist() == [1.0]
    assert scores([1.0, -3.0, 1.0], smallest=5, largest=40).tolist() == [0.0]


def test_exchanging_target_and_reference_turns_every_vote():
    rows = [keyed("wbc", i).normal(size=60) for i in range(5)]
    assert scores(*rows) == pytest.approx(1 - scores(*[-row for row in rows]))


def test_sign_symmetric_gains_give_a_half():
    found = scores(*[keyed("half", i).standard_cauchy(size=50) for i in range(600)])
    assert found.mean() == pytest.approx(0.5, abs=4 * found.std() / np.sqrt(600))
    assert found.std() < 0.35


def test_a_target_that_is_its_own_reference_beats_it_nowhere():
    target = toy_target()
    assert not wbc(target, MEMBERS, reference=target).values.any()


def test_an_empty_text_is_unscored():
    target = UniformTarget("ab")
    texts = Members.from_rows([{"id": "none", "text": ""}, {"id": "some", "text": "ab"}])
    assert wbc(target, texts, reference=target).scored.tolist() == [False, True]


@pytest.mark.parametrize("options", [{"smallest": 0}, {"smallest": 9, "largest": 8}, {"sizes": 0}])
def test_windows_that_cannot_be_are_refused(options):
    with pytest.raises(BadInput, match="windows need"):
        wbc(toy_target(), MEMBERS, reference=toy_target(), **options)


def test_other_tokens_cannot_be_compared_one_by_one():
    with pytest.raises(BadInput, match="different tokens"):
        wbc(UniformTarget("ab"), MEMBERS, reference=UniformTarget("abc"))
