"""Typed columns: ids, digests, blindness, and the faults of a record."""

import numpy as np
import pytest

from probatum.core.data import KINDS, Choices, Members, Records, Texts, digest_of
from probatum.core.errors import BadInput
from probatum.testing import toy_data


def members(n=8, **more):
    return Members.from_rows({"text": f"t{i}", "member": i % 2 == 0, "dose": i, **more} for i in range(n))


def test_a_digest_of_parts_is_no_digest_of_their_sum():
    assert digest_of("ab", "c") != digest_of("a", "bc")
    assert digest_of("a") == digest_of(b"a")
    assert digest_of("\ud800")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_toy_data_with_an_id_each(kind):
    data = toy_data()[kind]
    assert type(data) is KINDS[kind]
    assert len(set(data.ids)) == len(data) > 0
    assert all(len(getattr(data, column)) == len(data) for column in data.COLUMNS)
    assert data.FLAG


@pytest.mark.parametrize("kind", KINDS)
def test_a_blind_view_holds_no_truth(kind):
    blind = toy_data()[kind].blind()
    assert blind.label is None
    assert blind.dose is None
    assert blind.group is None


def test_the_digest_does_not_depend_on_the_order_and_does_on_everything_else():
    data = members()
    assert data.take([3, 1, 0, 2, 7, 6, 5, 4]).digest == data.digest
    others = [members(7), members(cluster="c"), data.blind(), Texts.from_rows({"text": f"t{i}"} for i in range(8))]
    assert len({data.digest, *(d.digest for d in others)}) == 5


def test_an_id_is_made_of_the_content_and_not_of_the_truth():
    a, b = (Members.from_rows([{"text": "x", "member": m}]) for m in (True, False))
    assert a.ids == b.ids
    assert Members.from_rows([{"text": "x", "id": 5}]).ids == ("5",)


def test_a_text_without_labels_has_no_truth_rather_than_false():
    assert Members.from_rows([{"text": "x"}, {"text": "y", "member": True}]).label is None


@pytest.mark.parametrize(
    ("said", "meant"), [("yes", True), ("1", True), (True, True), (0, False), ("False", False), (" no ", False)]
)
def test_labels_may_be_said_in_many_ways(said, meant):
    assert Members.from_rows([{"text": "x", "member": said}]).label == (meant,)


@pytest.mark.parametrize(
    ("kind", "rows", "word"),
    [
        (Texts, [], "holds no records"),
        (Texts, [{"text": "x"}, {"words": "y"}], r"record 2: the column 'text' is missing \(present: words\)"),
        (Members, [{"text": "x", "member": "maybe"}], "record 1: 'member' must be true or false$"),
        (Texts, [{"text": "x"}, {"text": "x"}], "stands there twice"),
        (Texts, [{"text": "x", "id": 1}, {"text": "y", "id": "1"}], "'1' stands there twice"),
        (Records, [{"prefix": "x"}], "'secret' is missing"),
        (Choices, [{"question": "q", "options": ["a", "b"], "answer": -1}], "an answer from 0 to 1"),
    ],
)
def test_a_record_that_cannot_be_is_refused(kind, rows, word):
    with pytest.raises(BadInput, match=word):
        kind.from_rows(rows, "the file")


def test_taking_records_keeps_their_columns_together():
    data = members().take(np.array([False, True, False, True, False, False, False, False]))
    assert data.texts == ("t1", "t3")
    assert data.dose == (1.0, 3.0)
    assert data.label == (False, False)


def test_a_limit_draws_by_hash_and_keeps_the_share_of_labels():
    data = members(40)
    cut = data.limit(10, seed=1)
    assert len(cut) == 10
    assert sum(cut.label) == 5
    turned = data.take(np.arange(40)[::-1]).limit(10, seed=1)
    assert set(turned.ids) == set(cut.ids) != set(data.limit(10, seed=2).ids)
    assert data.limit(None) is data
    assert data.limit(40) is data


def test_clusters_of_one_record_each_say_nothing():
    rows = [{"text": str(i), "cluster": i} for i in range(4)]
    assert Texts.from_rows(rows).truth.cluster is None
    assert Texts.from_rows({**row, "cluster": i // 2} for i, row in enumerate(rows)).truth.cluster is not None


def test_a_column_that_some_records_lack_is_not_half_there():
    data = Texts.from_rows([{"text": "x", "dose": 1}, {"text": "y"}])
    assert data.dose is None
