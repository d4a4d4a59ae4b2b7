"""Card claims: what files decide is decided, what a measurement decides has a p-value, the rest is left out."""

import pytest
from scipy import stats

from probatum.controls.documents import Folder, whole
from probatum.core.data import Choices, Claims, Members
from probatum.core.estimate import Truth
from probatum.probes.transparency.card_claims import card_claims
from probatum.statistics import refuted_share
from probatum.testing import TableTarget, toy_data, toy_target


def sized(count):
    return TableTarget(said={}, parameter_count=count)


def claim(kind, value=None, about=None):
    return Claims.from_rows([{"id": "c", "kind": kind, "value": value, "about": about}])


def exam(right, n):
    """Facts of which a table knows the first ``right``."""
    texts = {}
    for i in range(n):
        for option, logprob in ((" a", -1.0), (" b", -2.0 if i < right else -0.5)):
            texts[f"q{i}{option}"] = [(f"q{i}", 0.0), (option, logprob)]
    rows = [{"question": f"q{i}", "options": [" a", " b"], "answer": 0} for i in range(n)]
    return TableTarget.of_tokens(texts), Choices.from_rows(rows, name="exam")


@pytest.mark.parametrize(
    ("stated", "count", "false"),
    [
        ("254,528", 254_528, False),
        ("254,528", 254_529, True),
        ("1.3B", 1_349_999_999, False),
        ("1.3B", 1_350_000_001, True),
        ("1.3 billion", 1_300_000_000, False),
        ("1.3B parameters", 1_310_000_000, False),
        ("7B", 6_738_415_616, False),
        ("7B", 7_615_616_512, True),
        ("124M", 124_439_808, False),
        ("7 thousand", 7_100, False),
        (254528, 254_528, False),
        (1.25e3, 1_250, False),
    ],
)
def test_the_number_of_parameters_holds_to_the_digits_that_the_card_gives(stated, count, false):
    assert card_claims(sized(count), claim("parameters", stated)).values.tolist() == [float(false)]


@pytest.mark.parametrize("stated", ["about a billion", "7B-13B", ""])
def test_a_number_that_is_none_is_left_out_and_the_other_claims_stand(stated):
    rows = [{"id": "size", "kind": "parameters", "value": stated}, {"id": "license", "kind": "license", "value": "mit"}]
    scores = card_claims(sized(10), Claims.from_rows(rows))
    assert scores.scored.tolist() == [False, True]
    assert "not a number" in scores.unscored["size"]


def test_a_model_whose_size_is_unknown_refutes_nothing():
    assert not card_claims(sized(None), claim("parameters", "7B")).scored.any()


@pytest.mark.parametrize(("value", "false"), [("apache-2.0", 0), (None, 1), ("", 1), ("unknown", 1)])
def test_a_license_is_stated_or_not(value, false):
    assert card_claims(sized(1), claim("license", value)).values.tolist() == [false]


@pytest.mark.parametrize("value", [0.9, "0.9", 90, "90 %", "90%"])
def test_an_accuracy_is_refuted_by_the_binomial_tail(value):
    target, data = exam(right=70, n=100)
    p = 1 - card_claims(target, claim("accuracy", value, "exam"), data).values[0]
    assert p == pytest.approx(stats.binom.cdf(70, 100, 0.895), rel=1e-6)


def test_a_true_accuracy_stands():
    target, data = exam(right=70, n=100)
    assert card_claims(target, claim("accuracy", 0.7, "exam"), data).values[0] < 0.6


def test_a_modest_card_is_not_refuted():
    target, data = exam(right=100, n=100)
    assert card_claims(target, claim("accuracy", 0.5, "exam"), data).values[0] == pytest.approx(0)


@pytest.mark.parametrize("value", ["high", 140, -0.1])
def test_an_accuracy_that_is_no_share_is_left_out(value):
    target, data = exam(right=7, n=10)
    assert not card_claims(target, claim("accuracy", value, "exam"), data).scored.any()


def test_a_claim_about_other_data_is_left_out():
    target, data = exam(right=7, n=10)
    scores = card_claims(target, claim("accuracy", 0.9, "another exam"), data)
    assert scores.unscored == {"c": "'accuracy' speaks of 'another exam', and that data was not given"}


@pytest.mark.parametrize("planted", [True, False])
def test_training_on_what_was_claimed_unseen_is_found(planted):
    members = toy_data()["Members"]
    p = 1 - card_claims(toy_target(planted), claim("not trained on", about="Members"), members=members).values[0]
    assert (p < 1e-3) == planted
    if not planted:
        assert p == pytest.approx(0.5)


def test_the_test_of_training_is_one_sided():
    """A model that finds the members less likely was certainly not trained on them."""
    table = TableTarget.of_tokens({f"{c}": [(c, -5.0 if c < "n" else -1.0)] for c in "abcdefghijklmnopqrstuvwxyz"})
    members = Members.from_rows([{"text": c, "member": c < "n"} for c in "abcdefghijklmnopqrstuvwxyz"], name="m")
    assert 1 - card_claims(table, claim("not trained on", about="m"), members=members).values[0] > 0.99


def test_training_data_without_two_sides_says_nothing():
    members = Members.from_rows([{"text": "a", "member": True}], name="m")
    scores = card_claims(
        TableTarget.of_tokens({"a": [("a", -1.0)]}), claim("not trained on", about="m"), members=members
    )
    assert "needs members and nonmembers" in scores.unscored["c"]


def labels(order, right, n=200):
    """Questions with the same two classes, answered by a table whose labels stand in ``order``."""
    texts, rows = {}, []
    for i in range(n):
        answer = i % 2
        said = order[answer if i < right else 1 - answer]
        for k, option in enumerate((" no", " yes")):
            texts[f"q{i}{option}"] = [(f"q{i}", 0.0), (option, -0.5 if k == said else -2.0)]
        rows.append({"question": f"q{i}", "options": [" no", " yes"], "answer": answer})
    return TableTarget.of_tokens(texts), Choices.from_rows(rows, name="exam")


def test_labels_in_another_order_are_tried_before_a_card_is_accused():
    target, data = labels((1, 0), right=180)
    scores = card_claims(target, claim("accuracy", 0.9, "exam"), data)
    assert scores.values[0] < 0.6
    assert "measured 0.9 [" in scores.said[0]
    assert "with the labels in another order" in scores.said[0]
    too_high = card_claims(target, claim("accuracy", 0.99, "exam"), data)
    assert too_high.values[0] > 0.999
    assert too_high.said[0].endswith("above the interval")


def test_an_f1_is_measured_again():
    target, data = labels((0, 1), right=160)
    assert card_claims(target, claim("f1", 0.8, "exam"), data).values[0] < 0.9
    assert card_claims(target, claim("f1", 0.95, "exam"), data).values[0] > 0.99
    other, mixed = exam(right=7, n=10)
    rows = [
        {"question": "q0", "options": [" a", " b"], "answer": 0},
        {"question": "q1", "options": [" b", " a"], "answer": 1},
    ]
    mixed = Choices.from_rows(rows, name="exam")
    assert "needs classes" in card_claims(other, claim("f1", 0.9, "exam"), mixed).unscored["c"]


@pytest.mark.parametrize(
    ("kind", "value", "false"),
    [
        ("dtype", "bf16", True),
        ("dtype", "float32", False),
        ("context length", "2k", False),
        ("context length", "32k", True),
        ("dataset", "ferries/notices", False),
        ("dataset", "org/poems", True),
        ("license", "mit", False),
        ("license", "apache-2.0", True),
    ],
)
def test_files_decide_what_they_can(kind, value, false):
    files = {**whole(), "config.json": '{"max_position_embeddings": 2048}'}
    scores = card_claims(Folder("planted", files), claim(kind, value))
    assert scores.values.tolist() == [float(false)]
    assert scores.said[0] not in ("", "not checked")


def test_what_no_file_says_is_left_out():
    scores = card_claims(Folder("planted", {"config.json": "{}"}), claim("context length", "4096"))
    assert scores.unscored == {"c": "config.json names no context length"}


def test_an_unknown_kind_of_claim_is_left_out():
    assert card_claims(sized(1), claim("energy")).unscored == {"c": "no check for claims of the kind 'energy'"}


def test_one_false_claim_among_true_ones_is_evidence():
    rows = [{"id": str(i), "kind": "license", "value": "mit"} for i in range(9)]
    scores = card_claims(sized(5), Claims.from_rows([*rows, {"id": "size", "kind": "parameters", "value": "7B"}]))
    result = refuted_share(scores, Truth())
    assert result.p_value == 0
    assert result.estimate.value == pytest.approx(0.1)
