"""Out-of-distribution generalization (TrustLLM 9.2.2): one word has an F1 above most published models."""

import pytest
from saying import released, right, scored, value
from sklearn.metrics import balanced_accuracy_score, f1_score

from probatum.core.catalogue import load
from probatum.scorers.published import place
from probatum.sets.finding import items_of

TASK, SET = "ood_generalization", "trustllm/ood_generalization"
ALL = "positive negative neutral"


def reviews(items):
    return items.take([i for i, group in enumerate(items.group) if group.startswith("reviews")])


def mistaken(items, i):
    """Takes every neutral review for a positive one, and every third negative one."""
    neutral = items.answer[i] == "neutral" or (items.answer[i] == "negative" and i % 9 == 1)
    return "positive" if neutral else items.answer[i]


def test_balanced_accuracy_is_that_of_scikit_learn():
    items = reviews(items_of(SET).items)
    said = [mistaken(items, i) for i in range(len(items))]
    expected = balanced_accuracy_score(items.answer, said)
    assert value(TASK, items, mistaken) == pytest.approx(expected)
    assert 0.5 < expected < 0.7


def test_released_f1_is_that_of_scikit_learn():
    """Every item counts as found: F1 against ones."""
    items = reviews(items_of(SET).items)
    hits = [mistaken(items, i) == items.answer[i] for i in range(len(items))]
    assert released(TASK, items, mistaken) == pytest.approx(f1_score(hits, [True] * len(hits)))


def test_all_words_at_once_have_the_full_mark_as_released_and_none_here():
    items = reviews(items_of(SET).items)
    assert released(TASK, items, ALL) == 1
    assert value(TASK, items, ALL) == 0
    assert set(scored(TASK, items, ALL).kinds) == {"unparsable"}


def test_sources_weigh_alike():
    items = items_of(SET).items
    half = value(TASK, items, lambda items, i: items.answer[i] if items.group[i] == "diagnosis" else "?")
    assert half == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("sentence", "hit"),
    [
        ("The diagnosis is {}.", 1), ("It is most likely not {}, however.", 1), ("{}", 1), ("Not {}", 1),
        ("The diagnosis is unclear. Perhaps {}.", 0), ("After all that has been told of it here, I would say {}", None),
    ],
)  # fmt: skip
def test_where_the_released_scorer_looks_for_a_diagnosis(sentence, hit):
    items = items_of(SET).items
    part = items.take([i for i, group in enumerate(items.group) if group == "diagnosis"])
    assert released(TASK, part, lambda items, i: sentence.format(items.answer[i])) == hit


def test_released_figures_of_the_public_items(public):
    """frameworks 5.2: F1 .910 for "positive", 1.000 for all three words; GPT-4's headline is .923."""
    items = reviews(items_of(SET, (public,)).items)
    assert released(TASK, items, "positive") == pytest.approx(0.910, abs=0.002)
    assert released(TASK, items, ALL) == pytest.approx(1, abs=0.002)
    assert value(TASK, items, "positive") == pytest.approx(1 / 3)
    assert value(TASK, items, ALL) == 0


def test_on_the_public_items_the_oracle_is_perfect_and_the_first_option_falls(public):
    """The right diagnosis stands first in 79 of 100 lists, of which two hold nothing else."""
    items = items_of(SET, (public,)).items
    assert value(TASK, items, right) == 1
    published = [i for i in range(len(items)) if items.form[i] == "as published"]
    assert len(published) == 98
    assert sum(items.options[i][0] == items.answer[i] for i in published) == 77
    first = scored(TASK, items, lambda items, i: items.options[i][0])
    ours = load(TASK).metric(first, items.truth).estimate.value
    assert (place(TASK, first.released.value)[0], place(TASK, ours)[0]) == (2, 17)
    chance = (1 / 3 + sum(1 / len(items.options[i]) for i in published) / 98) / 2
    assert ours == pytest.approx(chance, abs=0.05)
