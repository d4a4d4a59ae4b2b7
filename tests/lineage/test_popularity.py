"""Popularity against claims, measurements and documentation: planted orders are found, chance is not."""

import json

import numpy as np
import pytest

from probatum.core.errors import BadInput
from probatum.lineage.popularity import correlations, of_cards, popularity, read_popularity
from probatum.lineage.results import audits, claims, matched
from probatum.statistics.rank_correlation import kendall

NAMES = [f"org/m{i}" for i in range(12)]


def card(value, about="sst2", kind="accuracy"):
    return {"model-index": [{"results": [{"dataset": {"name": about}, "metrics": [{"type": kind, "value": value}]}]}]}


def table(tmp_path, text):
    (tmp_path / "p.csv").write_text(text)
    return tmp_path / "p.csv"


@pytest.mark.parametrize("seed", range(6))
def test_tau_b_counts_pairs_with_ties(seed):
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 6, 15), rng.integers(0, 6, 15)
    signs = [(np.sign(x[i] - x[j]), np.sign(y[i] - y[j])) for i in range(15) for j in range(i)]
    top = sum(a * b for a, b in signs)
    below = np.sqrt(sum(a != 0 for a, _ in signs) * sum(b != 0 for _, b in signs))
    found = kendall(x, y)
    assert found.value == pytest.approx(top / below)
    assert found.low < found.value < found.high
    assert found.p_value_kind == "asymptotic"


def test_the_interval_covers_and_the_p_value_holds_its_level():
    rng = np.random.default_rng(1)
    for rho in (0.0, 0.6, 0.988):
        draws = [rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], 14) for _ in range(300)]
        found = [kendall(z[:, 0], z[:, 1]) for z in draws]
        true = 2 / np.pi * np.arcsin(rho)
        assert np.mean([f.low <= true <= f.high for f in found]) >= 0.92
        if not rho:
            assert np.mean([f.p_value <= 0.05 for f in found]) <= 0.09


def test_a_perfect_order_has_an_interval_too():
    found = kendall(range(10), range(10))
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.4 < found.low < 0.95
    assert found.p_value == pytest.approx(2 / 3628800)  # two of 10! orders


def test_no_ranking_is_no_number():
    with pytest.raises(ValueError, match="same throughout"):
        kendall([1] * 12, range(12))
    with pytest.raises(ValueError, match="10"):
        kendall(range(9), range(9))


def test_a_planted_order_is_found_and_nine_models_are_too_few():
    own = {n: float(i) for i, n in enumerate(NAMES)}
    rows = correlations(
        {"downloads": own}, {"claim": own, "few": dict(list(own.items())[:9]), "flat": dict.fromkeys(own, 1.0)}
    )
    done, few, flat = rows
    assert done["tau"] == 1
    assert done["p_value"] <= done["adjusted_p_value"] < 0.001
    assert (few["status"], few["tau"], few["n"]) == ("not established", None, 9)
    assert "same for all" in flat["reason"]


def test_p_values_of_one_table_are_corrected_together():
    rng = np.random.default_rng(3)
    own = {n: float(i) for i, n in enumerate(NAMES)}
    others = {f"x{k}": dict(zip(NAMES, rng.permutation(12).astype(float), strict=True)) for k in range(20)}
    rows = correlations({"downloads": own}, others)
    least = min(r["p_value"] for r in rows)
    assert min(r["adjusted_p_value"] for r in rows) == pytest.approx(min(1.0, 20 * least))


def test_a_csv_is_read_by_whole_or_last_name(tmp_path):
    file = table(tmp_path, 'model,downloads,likes\norg/m1,"1,200",3\nM2,7,\nother/m3,9,9\nelse,1,1\n')
    assert read_popularity(file, NAMES) == {"downloads": {"org/m1": 1200, "org/m2": 7}, "likes": {"org/m1": 3}}


@pytest.mark.parametrize(
    ("text", "said"),
    [("name,downloads\na,1\n", "expected the columns"), ("model,stars\norg/m1,1\n", "expected the columns"),
     ("model,downloads\norg/m1,many\n", "line 2: expected a count"), ("model,downloads\norg/m1,-4\n", "a count"),
     ("model,downloads\nx,1\n", "names none of the 12 models"), ("", "expected the columns")],
)  # fmt: skip
def test_a_wrong_csv_is_one_sentence(text, said, tmp_path):
    with pytest.raises(BadInput, match=said):
        read_popularity(table(tmp_path, text), NAMES)


def test_cards_may_carry_their_numbers():
    assert of_cards({"a": {"downloads": 5, "likes": "x"}, "b": {"downloads": True}}) == {"downloads": {"a": 5.0}}


def test_the_metric_that_most_claim_is_taken_on_one_scale():
    cards = {"a": card(0.9), "b": card(88.0), "c": card(0.7), "d": card(0.1, kind="f1"), "e": {"model-index": "x"}}
    assert claims(cards) == ("accuracy on sst2", {"a": 0.9, "b": 0.88, "c": 0.7})
    assert claims({"a": {}}) == ("", {})


def test_names_that_could_mean_two_models_mean_none():
    assert matched("a/m", ["a/m", "b/m"]) == "a/m"
    assert matched("m", ["a/m", "b/m"]) is None
    assert matched("c/m", ["a/m"]) is None


def report(folder, name, **estimates):
    folder.mkdir(parents=True)
    rows = [{"probe": p, "outcome": o, "estimate": {"value": v}} for p, (o, v) in estimates.items()]
    (folder / "report.json").write_text(json.dumps({"subject": {"name": name}, "findings": rows}))


def test_audits_give_measured_numbers_and_the_share_that_overstates(tmp_path):
    for i, name in enumerate(NAMES):
        claimed = ("evidence" if i < 9 else "no evidence", 0.2)
        report(tmp_path / str(i), f"./models/{name}", accuracy=("measured", i / 12), card_claims=claimed,
               spoiled=("inconclusive", 1.0))  # fmt: skip
    values, told = audits(tmp_path, NAMES)
    assert values["accuracy"] == {n: i / 12 for i, n in enumerate(NAMES)}
    assert "spoiled" not in values
    assert (told["count"], told["n"]) == (9, 12)
    assert told["low"] < 0.75 < told["high"]
    own = table(tmp_path, "model,likes\n" + "".join(f"{n},{20 - i}\n" for i, n in enumerate(NAMES)))
    rows, _ = popularity({n: card(0.5 + i / 50) for i, n in enumerate(NAMES)}, dict.fromkeys(NAMES, 3), own, tmp_path)
    by = {r["against"]: r for r in rows}
    assert by["measured accuracy"]["tau"] == by["claimed accuracy on sst2"]["tau"] == -1
    assert by["sections of the card filled"]["status"] == "not established"


def test_audits_of_other_models_are_bad_input(tmp_path):
    report(tmp_path / "r", "somebody", accuracy=("measured", 1.0))
    with pytest.raises(BadInput, match=r"no report\.json below it"):
        audits(tmp_path, NAMES)
    with pytest.raises(BadInput, match="there is none here"):
        audits(tmp_path / "nothing", NAMES)
