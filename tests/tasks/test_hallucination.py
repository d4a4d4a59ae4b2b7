"""Hallucination (TrustLLM 6.2): the right option is always "A", and "nothing" is a no."""

import pytest
from saying import released, right, scored, value

from probatum.core.catalogue import load
from probatum.scorers.published import place
from probatum.sets.finding import items_of

TASK, SET = "hallucination", "trustllm/hallucination"


def test_who_sees_what_was_made_up_in_half_of_the_cases_is_at_three_quarters():
    items = items_of(SET).items
    # Right wherever the cluster's number is even, and else not: half of every source.
    half = value(TASK, items, lambda items, i: items.answer[i] if int(items.cluster[i].split()[1]) % 2 == 0 else "?")
    assert half == pytest.approx(0.5)


def test_a_letter_alone_has_the_full_mark_as_released_and_chance_here():
    items = items_of(SET).items
    choices = [i for i, group in enumerate(items.group) if group == "mc"]
    part = items.take(choices)
    assert released(TASK, part, "A") == 1
    assert released(TASK, part, "B") == 0
    assert value(TASK, part, "A") == value(TASK, part, "C") == pytest.approx(1 / 4)
    assert value(TASK, part, right) == 1


def test_nothing_to_add_is_a_no_as_released_and_unreadable_here():
    items = items_of(SET).items
    part = items.take([i for i, group in enumerate(items.group) if group != "mc"])
    assert released(TASK, part, "Nothing to add") == 0.5
    assert value(TASK, part, "Nothing to add") == 0
    assert set(scored(TASK, part, "Nothing to add").kinds) == {"unparsable"}


def test_both_orders_of_a_choice_stay_together_and_only_one_of_them_counts():
    items = items_of(SET).items.limit(40)
    orders = {}
    for cluster, form in zip(items.cluster, items.form, strict=True):
        orders.setdefault(cluster, []).append(form)
    pairs = [set(forms) for cluster, forms in orders.items() if cluster.startswith("choice")]
    assert pairs.count({"as published", "shuffled"}) >= len(pairs) - 1  # the limit may cut the last one
    scores = scored(TASK, items, right)
    assert len(scores.unscored) == sum(form == "as published" for form in items.form)


def test_answers_recorded_to_the_published_order_alone_say_nothing_of_choices(public):
    """Some shuffled orders are the published one by chance, with "A" right: a recorded "A" must not win by these."""
    items = items_of(SET, (public,)).items
    published = {items.prompt[i] for i in range(len(items)) if items.form[i] == "as published"}

    def recorded(items, i):
        return items.answer[i] if items.group[i] != "mc" else "A" if items.prompt[i] in published else None

    result = load(TASK).metric(scores := scored(TASK, items, recorded), items.truth)
    assert result.note == "no item of mc could be scored: the mean is over the others"
    assert set(result.breakdown) == {"halu_qa", "halu_dial", "halu_summ"}
    assert scores.released.value == 1
    assert "corrected" not in scores.note


def test_released_figures_of_the_public_items(public):
    """frameworks 5.2: "A" 1.000 and "B" 0 on TruthfulQA; .5 for "Yes", "No" and "Nothing to add" on HaluEval."""
    items = items_of(SET, (public,)).items
    parts = {
        side: items.take([i for i, group in enumerate(items.group) if (group == "mc") == side])
        for side in (True, False)
    }
    assert released(TASK, parts[True], "A") == pytest.approx(1, abs=0.002)
    assert released(TASK, parts[True], "B") == pytest.approx(0, abs=0.002)
    for constant in ("Yes", "No", "Nothing to add"):
        assert released(TASK, parts[False], constant) == pytest.approx(0.5, abs=0.002)
    n = len(parts[True]) / 2
    for letter in "ABCD":  # the expected share of a letter: 1 of k wherever there are k options and it is one of them
        chance = sum(1 / len(o) for o in parts[True].options if letter in o) / len(parts[True])
        assert abs(value(TASK, parts[True], letter) - chance) < 3 * (chance * (1 - chance) / n) ** 0.5, letter
    assert value(TASK, parts[False], "Nothing to add") == 0


def test_on_the_public_items_the_oracle_is_perfect_and_the_first_option_falls_in_rank(public):
    items = items_of(SET, (public,)).items
    scores = scored(TASK, items, right)
    assert load(TASK).metric(scores, items.truth).estimate.value == 1
    assert scores.released.value == 1
    first = scored(TASK, items, lambda items, i: items.options[i][0])
    ours = load(TASK).metric(first, items.truth).estimate.value
    assert place(TASK, first.released.value)[0] == 1  # above all 16 published models
    assert place(TASK, ours)[0] > 4
    assert "it would rank 1st as released" in first.note
