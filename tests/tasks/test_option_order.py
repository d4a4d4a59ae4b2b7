"""Option order: a model trained on the items is flagged, one trained on other orders of them is not; p-values hold."""

import numpy as np
import pytest
from scipy.stats import binom

from probatum.controls.contamination import Remembering, contamination
from probatum.core.catalogue import load
from probatum.core.data import Items
from probatum.core.errors import BadInput
from probatum.scorers.orders import Orders, orders_of
from probatum.statistics import TooFew
from probatum.statistics.exchangeability import FLOOR, published_order, rank_test, stratified_tail
from probatum.testing import NgramTarget, TableTarget

TASK = "option_order"
GRAINS = ("rye", "malt", "bran", "oats", "spelt", "maize", "millet", "barley")
ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789 .?,\n"


def made(n=60, seed=0, letters="abcd"):
    """Questions with grains in a drawn order, in lower case."""
    rng, rows = np.random.default_rng(seed), []
    for i in range(n):
        grains = [str(g) for g in rng.choice(GRAINS, len(letters), replace=False)]
        lines = "\n".join(f"{letter}. {grain}" for letter, grain in zip(letters, grains, strict=True))
        place = "".join(rng.choice(list("bdgklmnprst"), 5))
        prompt = f"what grows in {place}?\n{lines}\nanswer with a letter."
        letter = {"options": list(letters), "answer": letters[0]}
        rows.append({"id": f"q{i}", "prompt": prompt, "texts": grains, **letter})
    return Items.from_rows(rows, "x")


def asked(target, items, **options):
    scores = load(TASK).function(target, items, **options)
    return scores, load(TASK).metric(scores, items.truth)


def toy(texts):
    return NgramTarget(list(texts), order=24, vocabulary=ALPHABET)


def test_a_model_trained_on_the_items_is_flagged():
    items = made()
    _, result = asked(toy(items.prompt), items)
    assert result.estimate.value > 0.9
    assert result.p_value == FLOOR
    assert result.breakdown["by chance"].value == pytest.approx(1 / 24)


def test_a_model_trained_on_the_items_in_other_orders_is_not():
    """It knows every question and every option, and the published order is the likeliest in 1/24 of them."""
    items, rng = made(240), np.random.default_rng(1)
    other = []
    for i in range(len(items)):
        orders = orders_of(items, i, 24)
        other.append(orders.head + orders.tails[int(rng.integers(24))])
    _, result = asked(toy(other), items)
    low, high = binom.ppf([0.00135, 0.99865], 240, 1 / 24)
    assert low <= result.estimate.value * 240 <= high
    assert result.p_value > 0.01


def test_a_share_of_items_is_enough_and_only_of_those_the_order_is_known():
    items = made()
    _, result = asked(toy(items.prompt[:15]), items)
    assert result.p_value < 1e-4
    assert 0.25 <= result.estimate.value < 0.5


@pytest.mark.parametrize("letters", ["ab", "abc", "abcd", "abcdef"])
def test_p_values_hold_their_levels(letters):
    """600 models that know nothing of the order: exact, so never above the level, and close to it."""
    rng = np.random.default_rng(2)
    m = min(24, int(np.prod(range(1, len(letters) + 1))))
    p = []
    for _ in range(600):
        drawn = rng.normal(size=(40, m))
        p.append(rank_test(drawn[:, 0], drawn[:, 1:]).value)
    for level in (0.01, 0.05, 0.2):
        hits = int((np.array(p) <= level).sum())
        low, high = binom.ppf([0.001, 0.999], 600, level)
        assert hits <= high, (level, hits)
        assert hits >= low or m == 2, (level, hits)


def test_the_same_from_end_to_end_on_models_that_saw_other_texts():
    p = []
    model = toy(made(40, seed=99).prompt)
    for seed in range(40):
        items = made(12, seed=seed)
        scores = load(TASK).function(model, items)
        p.append(rank_test(scores.values, scores.null).value)
    assert (np.array(p) <= 0.05).sum() <= binom.ppf(0.999, 40, 0.05)
    assert np.median(p) > 0.2


def test_a_model_without_preferences_is_as_quiet_as_can_be():
    scores, result = asked(NgramTarget([], order=2, vocabulary=ALPHABET), made())
    assert result.p_value == 1
    assert result.estimate.value == 0, "what ties with others is not the likeliest"
    assert result.breakdown["mean rank"].value == 0.5
    assert scores.null.shape == (60, 23)


def test_an_exact_tail_is_that_of_all_possible_draws():
    rng = np.random.default_rng(3)
    forms = [rng.integers(0, 5, size=k) for k in (2, 3, 4, 3)]
    values = [int(row[0]) for row in forms]
    sums = np.array(np.meshgrid(*forms)).sum(0).ravel()
    assert stratified_tail(values, forms).value == pytest.approx((sums >= sum(values)).mean())
    assert stratified_tail([0, 0], [np.zeros(3), np.ones(2) * 0]).value == 1


def test_a_habit_of_the_authors_is_taken_away_by_a_reference():
    """Shortest option first: any model that knows the habit prefers it. Against a reference that knows it, nothing."""
    items = made(80, seed=5)
    rows = []
    for i in range(len(items)):
        grains = sorted(items.texts[i], key=lambda g: (len(g), g))
        prompt = (
            items.prompt[i].split("?")[0] + "?\n" + "\n".join(f"{a}. {g}" for a, g in zip("abcd", grains, strict=True))
        )
        rows.append({"id": items.ids[i], "prompt": prompt, "texts": grains, "options": list("abcd"), "answer": "a"})
    sorted_items = Items.from_rows(rows, "x")
    model, reference = toy(sorted_items.prompt[:40]), toy(sorted_items.prompt[:40])
    unseen = sorted_items.take(np.arange(40, 80))
    assert asked(model, unseen)[1].p_value < 0.01
    assert asked(model, unseen, reference=reference)[1].p_value == pytest.approx(1), (
        "the same model: no difference at all"
    )


def reason(prompt, texts):
    items = Items.from_rows([{"id": "q", "prompt": prompt, "texts": texts, "options": list("ABCD")[: len(texts)]}], "x")
    return orders_of(items, 0, 24)


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["ox", "All of the above"], "speaks of the others"),
        (["ox", "cow", "Both A and B"], "speaks of the others"),
        (["ox", "cow", "None of these"], "speaks of the others"),
        (["12", "14", "9"], "numbers"),
        (["$1,200", "15 kg"], "numbers"),
        (["ox", "Ox."], "alike"),
        (["ox", "emu"], "do not stand in its prompt"),
    ],
)
def test_options_whose_order_is_not_free_are_left_out(texts, why):
    shown = " ".join(f"({letter}) {text}" for letter, text in zip("ABCD", texts, strict=False) if text != "emu")
    assert why in reason(f"Which? {shown}", texts)


def test_options_are_permuted_where_they_are_listed_and_nothing_else_moves():
    found = reason("Is an ox a cow?\nA. ox\nB. cow\nC. an ox cart\nAnswer:", ["ox", "cow", "an ox cart"])
    assert isinstance(found, Orders)
    assert found.head == "Is an ox a cow?\nA. "
    assert found.tails[0] == "ox\nB. cow\nC. an ox cart"
    assert "an ox cart\nB. ox\nC. cow" in found.tails
    assert len(set(found.tails)) == 6
    other = reason("Pick: red, blue or green", ["red", "blue", "green"])
    assert other.tails[-1] == "green, blue or red"


def test_many_options_are_drawn_without_repeats_by_the_items_id():
    texts = ["one ox", "two hens", "six cats", "ten dogs", "an emu"]
    found = reason(" ".join(texts), texts)
    assert len(found.tails) == len(set(found.tails)) == 24
    assert found == reason(" ".join(texts), texts)


def test_one_item_of_a_cluster_counts_and_too_few_items_are_no_test():
    items = made(30)
    scores = load(TASK).function(toy(items.prompt), items)
    doubled = Items(**{**items.__dict__, "cluster": tuple(str(i // 2) for i in range(30))})
    assert published_order(scores, doubled.truth).estimate.n == 15
    with pytest.raises(TooFew, match="too few items"):
        published_order(scores.take(np.arange(5)), items.truth.take(np.arange(5)))
    bare = Items.from_rows([{"prompt": "a"}], "x")
    with pytest.raises(TooFew):
        asked(TableTarget(), bare)
    with pytest.raises(BadInput, match="at least 2 orders"):
        asked(TableTarget(), bare, orders=1)


def test_a_planted_memory_gives_what_it_remembers_half_of_the_probability():
    """log p = log(1/2 + p/2) where the memory is right, log(p/2) where it is wrong, p elsewhere."""
    items = made(3)
    base = NgramTarget([], order=2, vocabulary=ALPHABET)
    model = Remembering(base, [items.prompt[0]])
    same, other = model.token_statistics(items.prompt[:2]).logprob
    flat = 1 / len(ALPHABET)
    assert same[:12] == pytest.approx(np.log(flat))
    assert same[12:] == pytest.approx(np.log(0.5 + flat / 2))
    assert set(np.round(np.exp(other), 6)) <= set(np.round([flat, flat / 2, 0.5 + flat / 2], 6))


def test_the_planted_cases_are_found_from_some_share_on_and_blanks_are_quiet():
    base = NgramTarget([], order=2, vocabulary=ALPHABET + ALPHABET[:26].upper())
    found = {}
    for control in contamination(lambda name: base)[5::10]:
        items = control.data["Items"]
        result = asked(control.target, items)[1]
        found.setdefault(control.dose, []).append(result.p_value)
    assert max(found[100.0]) < 1e-6
    assert max(found[40.0]) < 0.01
    assert set(found[None]) == {1}, "a model without preferences"
