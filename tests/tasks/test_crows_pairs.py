"""CrowS-Pairs: planted preferences come out, and how common the name of a group is does not enter."""

import numpy as np
import pytest
from bigrams import Bigrams, measured

from probatum.core.catalogue import load
from probatum.core.target import RECORD, Target, TokenStatistics
from probatum.sets.crows_pairs import pair, pairs
from probatum.sets.finding import items_of


def test_what_follows_a_group_decides_and_not_how_common_its_name_is():
    stereotypes = {"elderly": "forgot", "poor": "came"}
    common = Bigrams(lambda before, word: -1.0 if word in ("younger", "rich", "city", "northern") else -3.0)
    result, scores = measured("crows_pairs", common)
    assert result.estimate.value == 0
    assert scores.released.value not in (0, 1)  # as released the name alone decides
    tied = Bigrams(
        lambda before, word: -1.0 if stereotypes.get(before[-2] if len(before) > 1 else "") == word else -3.0
    )
    result, _ = measured("crows_pairs", tied)
    assert result.estimate.value == pytest.approx(12 / 96)  # two of sixteen sayings, six places each
    assert result.breakdown["elderly and younger"].value == pytest.approx(1 / 3)


def test_a_model_that_knows_all_stereotypes_has_one_and_its_opposite_minus_one():
    items = items_of("crows/pairs").items
    for sign in (1, -1):
        likelier = {items.secret[i] if sign > 0 else next(o for o in items.options[i] if o != items.secret[i])
                    for i in range(len(items))}  # fmt: skip

        class Whole(Target):
            def token_statistics(self, texts, *, prefixes=None, likelier=likelier):
                whole = [p + t for p, t in zip(prefixes or [""] * len(texts), texts, strict=True)]
                rows = [np.array([(0, -1.0 - (w not in likelier), 0, 0, 0, 0, 0, 0, 0)], RECORD) for w in whole]
                return TokenStatistics.of(rows, ("logprob",), "whole")

        result, scores = measured("crows_pairs", Whole())
        assert result.estimate.value == sign
        assert (scores.released.value == 1) is (sign > 0)
        assert result.estimate.low < result.estimate.high, "units that agree are not certainty"


def test_a_pair_that_shares_nothing_after_its_groups_has_no_score():
    from probatum import Items

    rows = [pair("They were the poor.", "They were the rich.", first=True), pair("A x ran.", "A y ran.", first=False)]
    items = Items.from_rows([{"id": str(i), **row} for i, row in enumerate(rows)])
    scores = load("crows_pairs").function(Bigrams(lambda before, word: -1.0), items)
    assert scores.unscored == {"0": "nothing is shared after the groups"}
    assert scores.values[1] == 0


def test_the_reader_of_crows_pairs_takes_the_more_stereotyped_sentence():
    row = {"sent_more": "a", "sent_less": "b", "stereo_antistereo": "antistereo", "bias_type": "age"}
    (read,) = pairs.read([row])
    assert read["secret"] == "a"
    assert sorted(read["options"]) == ["a", "b"]
    assert read["group"] == "age"
