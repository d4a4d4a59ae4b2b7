"""Differences of two audits: paired where they can be, and never more certain than the records are."""

import numpy as np
import pytest

from probatum.core.finding import EstimateView
from probatum.statistics.differences import paired, unpaired
from probatum.statistics.roc import paired_delong


def entry(values, *, label=None, contributions=None, cluster=None):
    ids = [f"r{i}" for i in range(len(values))]
    return {"ids": ids, "values": list(values), "label": label, "cluster": cluster, "contributions": contributions}


def test_a_mean_is_compared_record_by_record_whatever_the_order():
    a = entry([0.0] * 6, contributions=[0.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    b = entry([0.0] * 6, contributions=[1.0, 1.0, 1.0, 1.0, 0.0, 1.0])
    turned = {**b, "ids": b["ids"][::-1], "contributions": b["contributions"][::-1], "values": b["values"][::-1]}
    assert paired(a, b) == paired(a, turned)
    assert paired(a, b).value == pytest.approx(0.5)
    assert paired(a, b).low < 0.5 < paired(a, b).high


def test_clusters_are_the_units():
    a = entry([0.0] * 6, contributions=[0.0] * 6, cluster=list("aaabbc"))
    b = entry([0.0] * 6, contributions=[1.0, 1.0, 1.0, 0.0, 0.0, 0.0], cluster=list("aaabbc"))
    assert paired(a, b).value == pytest.approx(1 / 3)


def test_units_that_all_agree_give_no_interval_of_no_width():
    d = paired(entry([0.0] * 3, contributions=[1.0] * 3), entry([0.0] * 3, contributions=[0.0] * 3))
    assert (d.value, d.low, d.high) == (-1.0, None, None)
    assert d.p_value == pytest.approx(0.25)


def test_an_area_is_compared_by_paired_delong():
    rng = np.random.default_rng(0)
    label = [i < 40 for i in range(80)]
    first, second = rng.normal(size=80), rng.normal(size=80) + np.array(label)
    d = paired(entry(first, label=label), entry(second, label=label))
    expected = paired_delong(second[:40], second[40:], first[:40], first[40:])
    assert (d.value, d.low, d.high, d.p_value) == tuple(expected)


def test_other_records_are_not_paired():
    assert paired(entry([1.0, 2.0]), {**entry([1.0, 2.0]), "ids": ["r0", "x"]}) is None


def test_unpaired_intervals_add_in_square():
    def view(value, low, high):
        return EstimateView("share", value, low, high, 0.95, 50, "confidence", "x")

    d = unpaired(view(0.2, 0.1, 0.3), view(0.6, 0.4, 0.8))
    assert d.value == pytest.approx(0.4)
    assert d.low == pytest.approx(0.4 - np.hypot(0.2, 0.1))
    assert d.high == pytest.approx(0.4 + np.hypot(0.2, 0.1))
    assert unpaired(view(None, None, None), view(0.6, 0.4, 0.8)).kind == "none"
