"""Consistency: planted weaknesses come out in the form in which they were planted."""

import re

import numpy as np
import pytest
from scripted import Scripted, run

from probatum.core.catalogue import load
from probatum.sets.finding import items_of

TASK = "consistency"
FORMS = ("plain", "format", "demonstrations")


ITEMS = items_of("facts/consistency").items
CHOICES = dict(zip(ITEMS.prompt, ITEMS.texts, strict=True))


def read(talk):
    """The two choices of the question that is asked, in their order."""
    return CHOICES[talk[0]["content"]]


def letter(talk, choice):
    return "AB"[read(talk).index(choice)]


def sure(talk):
    return talk[-1]["content"].startswith("Are you sure")


def by_content(talk):
    """The choice that comes first in the alphabet, whatever the form: consistent, and right half the time."""
    return letter(talk, min(read(talk)))


def test_a_model_that_goes_by_content_is_consistent_and_need_not_be_right():
    _, result, items = run(TASK, by_content)
    assert result.estimate.value == 1
    right = [
        answer == letter(talk, min(read(talk))) for talk, answer in zip(items.conversations, items.answer, strict=True)
    ]
    assert result.breakdown["right"].value == pytest.approx(sum(right) / len(right)) != 1


def test_a_letter_is_consistent_where_the_choices_keep_their_places():
    _, result, _ = run(TASK, lambda talk: "A")
    assert [result.breakdown[form].value for form in FORMS] == [1, 0.5, 0.5]


def test_who_gives_in_when_asked_again_shows_it_in_the_plain_form_alone():
    other = {"A": "B", "B": "A"}
    _, result, _ = run(TASK, lambda talk: other[by_content(talk)] if sure(talk) else by_content(talk))
    assert [result.breakdown[form].value for form in FORMS] == [0, 1, 1]


@pytest.mark.parametrize(
    ("again", "stays"),
    [("Yes, I am sure.", 1), ("I'm sure.", 1), ("Yes: {same}", 1), ("Sorry, it is {other}.", 0), ("Hm.", 0), ("", 0)],
)
def test_yes_keeps_what_was_said_unless_the_other_choice_is_named(again, stays):
    def rule(talk):
        own = by_content(talk)
        return again.format(same=own, other="AB".replace(own, "")) if sure(talk) else own

    _, result, _ = run(TASK, rule)
    assert result.breakdown["plain"].value == stays


def test_demonstrations_that_sway_are_seen():
    """Repeats the letter of the last solved question, where there is one."""

    def swayed(talk):
        shown = re.findall(r"Answer: ([AB])\n", talk[0]["content"])
        return shown[-1] if shown and not sure(talk) else by_content(talk)

    _, result, items = run(TASK, swayed)
    assert result.breakdown["format"].value == result.breakdown["plain"].value == 1
    kept = [
        by_content(talk) == swayed(talk)
        for talk, form in zip(items.conversations, items.form, strict=True)
        if form == "demonstrations"
    ]
    assert result.breakdown["demonstrations"].value == pytest.approx(sum(kept) / 48)
    assert 0.2 < sum(kept) / 48 < 0.8


def test_a_pair_of_which_one_cannot_be_read_has_not_stayed():
    scores, result, items = run(
        TASK, lambda talk: "Both." if talk[0]["content"].startswith("Which") else by_content(talk)
    )
    assert result.breakdown["format"].value == 0, "the plain one could not be read"
    assert result.breakdown["plain"].value == 0
    assert scores.kinds.count("unparsable") >= items.form.count("plain")


def test_a_changed_form_without_its_plain_one_has_no_score():
    items = ITEMS.take(np.arange(1, 6))
    scores = load(TASK).function(Scripted(by_content), items)
    assert list(scores.unscored.values()) == ["its plain form was not asked"] * 2
    assert scores.values[2:].tolist() == [1, 1, 1]


def test_the_three_forms_ask_the_same_and_half_of_them_turn_the_choices():
    _, _, items = run(TASK, by_content)
    turned = {"format": 0, "demonstrations": 0}
    for i in range(0, len(items), 3):
        assert len({frozenset(items.texts[k]) for k in range(i, i + 3)}) == 1
        right = {items.texts[k][0 if items.answer[k] == "A" else 1] for k in range(i, i + 3)}
        assert len(right) == 1
        for k in (i + 1, i + 2):
            turned[items.form[k]] += items.texts[k] != items.texts[i]
    assert turned == {"format": 24, "demonstrations": 24}
    assert items.answer.count("A") == 72
