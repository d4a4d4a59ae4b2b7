"""Decisions by group: against fairlearn's definitions by hand, intervals that cover, small groups that say so."""

import itertools

import numpy as np
import pytest

from probatum.core.draws import keyed
from probatum.core.estimate import Truth
from probatum.core.scores import Scores
from probatum.statistics import TooFew
from probatum.statistics.groups import group_difference, largest_difference, parts_of, worst_group_accuracy

ODDS, PARITY = "equalized odds difference", "demographic parity difference"


def asked(values, label, group, cluster=None, null=None, seed=0, **parameters):
    ids = [str(i) for i in range(len(values))]
    truth = Truth(label=label, group=np.asarray(group, dtype=object), cluster=cluster, seed=seed)
    return group_difference(Scores(ids, values, "yes", null=null, parameters=parameters), truth)


def drawn(rng, n, rates, groups=("a", "b", "c")):
    """Decisions of ``n`` people in each group and label, with (tpr, fpr) of the group."""
    cells = [(g, y, r) for g, pair in zip(groups, rates, strict=False) for y, r in zip((1, 0), pair, strict=True)]
    rows = [(g, y, rng.random(n) < r) for g, y, r in cells]
    values = np.concatenate([hit for _, _, hit in rows]).astype(float)
    return values, np.repeat([y for _, y, _ in rows], n).astype(bool), np.repeat([g for g, _, _ in rows], n)


def test_both_differences_are_those_of_the_definitions():
    rng = np.random.default_rng(0)
    for _ in range(20):
        n = 400
        value, label, group = rng.random(n) < 0.4, rng.random(n) < 0.5, rng.choice(list("abc"), n)
        result = asked(value.astype(float), label, group)

        def gap(of, value=value, group=group):
            rates = [value[of & (group == g)].mean() for g in "abc"]
            return max(rates) - min(rates)

        assert result.estimate.value == pytest.approx(max(gap(label), gap(~label)))
        assert result.breakdown[PARITY].value == pytest.approx(gap(np.ones(n, bool)))
        assert result.breakdown["true positive rate, a"].value == pytest.approx(value[label & (group == "a")].mean())


def test_the_interval_covers_the_largest_difference_where_groups_are_equal_and_where_they_are_not():
    rng = np.random.default_rng(1)
    for rates, truth in ((((0.7, 0.2),) * 3, 0.0), (((0.8, 0.2), (0.7, 0.3), (0.5, 0.2)), 0.3)):
        covered = 0
        for _ in range(200):
            e = asked(*drawn(rng, 60, rates)).estimate
            covered += e.low - 1e-12 <= truth <= e.high
        assert covered >= 190, covered  # 95 % of 200, and never less


def test_two_groups_have_newcombes_interval():
    values, _, group = drawn(np.random.default_rng(2), 100, ((0.9, 0.5), (0.7, 0.2)), ("x", "y"))
    parts = [p for p in parts_of(None, group) if p.n]
    estimate, where = largest_difference(PARITY, values, parts)
    assert estimate.method == "Newcombe hybrid score"
    assert estimate.low < estimate.value < estimate.high
    assert where == "selection rate, x over y"


def test_clusters_widen_the_interval_and_repeated_rows_tell_nothing_new():
    values, label, group = drawn(np.random.default_rng(3), 50, ((0.8, 0.4), (0.5, 0.2)), ("x", "y"))
    once = asked(values, label, group)
    people = np.repeat(np.arange(len(values)), 4).astype(str)
    four = [np.repeat(column, 4) for column in (values, label, group)]
    naive, right = asked(*four), asked(*four, cluster=people)
    assert right.estimate.value == pytest.approx(once.estimate.value)
    width = [r.estimate.high - r.estimate.low for r in (once, naive, right)]
    assert width[1] < 0.6 * width[0]
    assert width[2] == pytest.approx(width[0], rel=0.2)
    assert right.estimate.n == 200


def test_clusters_that_all_agree_still_have_a_width():
    n = 40
    values, label = np.zeros(4 * n), np.tile([True, False], 2 * n)
    group, cluster = np.repeat(["x", "y"], 2 * n), np.repeat(np.arange(2 * n), 2).astype(str)
    estimate = asked(values, label, group, cluster=cluster, least=10).estimate
    assert estimate.value == 0
    assert 0.05 < estimate.high < 0.3


def test_small_groups_are_shown_named_and_not_compared():
    values, label, group = drawn(np.random.default_rng(4), 40, ((0.8, 0.4), (0.5, 0.2)), ("x", "y"))
    more = (np.append(values, [1.0] * 20 + [0.0] * 12), np.append(label, [True] * 9 + [False] * 23),
            np.append(group, ["tiny"] * 32))  # fmt: skip
    without, result = asked(values, label, group), asked(*more)
    assert result.estimate.value == without.estimate.value
    assert "tiny (32 records, 9 with the label, 23 without)" in result.note
    assert result.breakdown["true positive rate, tiny"].n == 9
    assert "fewer than 30" in result.breakdown["true positive rate, tiny"].method
    assert "fewer" not in result.breakdown["selection rate, tiny"].method  # 32 are enough for that one
    assert asked(*more, least=5).estimate.value > without.estimate.value
    with pytest.raises(TooFew, match="no rate has two groups with 100 records"):
        asked(*more, least=100)


def test_the_intersection_shows_what_either_column_hides():
    """Each column by itself is even; together they are not (fairness gerrymandering, Kearns et al. 2018)."""
    cells = list(itertools.product("mf", "uv", (True, False)))
    n = 60
    group = np.array([[f"sex={s}", f"town={t}"] for s, t, _ in cells for _ in range(n)], dtype=object)
    label = np.array([y for _, _, y in cells for _ in range(n)])
    values = np.array(
        [float(i < n * (0.9 if (s == "m") == (t == "u") else 0.3)) for s, t, _ in cells for i in range(n)]
    )
    result = asked(values, label, group)
    assert result.breakdown[f"{ODDS}, sex"].value == pytest.approx(0)
    assert result.breakdown[f"{ODDS}, town"].value == pytest.approx(0)
    assert result.breakdown[f"{ODDS}, sex and town"].value == pytest.approx(0.6)
    assert result.estimate.value == pytest.approx(0.6)
    assert result.note.split(";")[0].count("sex=") == 2  # a pair of cells, and no column by itself


def test_what_runs_against_its_label_is_named_and_not_averaged_away():
    rng = np.random.default_rng(5)
    label = np.tile([True, False], 300)
    group = np.repeat(["x", "y", "z"], 200)
    score = rng.normal(size=600) + np.where(label, 1.5, 0) * np.where(group == "z", -1, 1)
    result = asked((score > 0.5).astype(float), label, group, null=score[:, None])
    assert "the score runs against its label in z (AUROC 0.1" in result.note
    assert "decisions run against their label in z (-0." in result.note
    assert "in x" not in result.note.split("against")[1]
    assert result.breakdown["AUROC of the score, x"].low > 0.5
    fair = asked((score > 0.5).astype(float)[:400], label[:400], group[:400], null=score[:400, None])
    assert "against" not in fair.note


def test_without_labels_there_is_parity_alone():
    values, _, group = drawn(np.random.default_rng(6), 50, ((0.8, 0.4), (0.5, 0.2)), ("x", "y"))
    result = asked(values, None, group)
    assert result.estimate.metric == PARITY
    assert ODDS not in result.breakdown
    assert "nothing can be said of errors" in result.note


def test_worst_group_accuracy_gives_a_constant_answer_nothing():
    _, label, group = drawn(np.random.default_rng(7), 50, ((0.8, 0.4), (0.5, 0.2)), ("x", "y"))
    ids = [str(i) for i in range(len(label))]
    truth = Truth(label=label, group=group.astype(object))

    def worst(values, kinds=None):
        return worst_group_accuracy(Scores(ids, values, "yes", kinds=kinds), truth)

    assert worst(np.ones(200)).estimate.value == 0
    assert worst(np.zeros(200)).estimate.value == 0
    assert 0.05 < worst(np.zeros(200)).estimate.high < 0.12  # zero of 50 keeps its bound, four cells together
    assert worst(label.astype(float)).estimate.value == 1
    half = label.astype(float)
    half[np.flatnonzero((group == "y") & ~label)[:25]] = 1.0
    assert worst(half).estimate.value == 0.5
    assert worst(half).note.startswith("lowest in y where the right answer is no")
    refused = worst(np.zeros(200), ["refused"] * 200)
    assert refused.estimate.value == 0
    assert refused.breakdown["accuracy"].value == 0  # a refusal is not a right no


def test_the_order_of_the_records_changes_nothing():
    values, label, group = drawn(np.random.default_rng(8), 40, ((0.8, 0.4), (0.5, 0.2), (0.6, 0.3)))
    cluster = np.repeat(np.arange(60), 4).astype(str)
    order = keyed("order").permutation(len(values))
    for units in (None, cluster):
        a = asked(values, label, group, cluster=units)
        b = asked(values[order], label[order], group[order], cluster=None if units is None else units[order])
        assert a == b
