"""Rules (RuLES): what a model with a known weakness gets, by scenario, kind, suite and attack."""

import pytest
from scripted import Scripted, result_of, run

from probatum.core.catalogue import load
from probatum.core.data import Items
from probatum.core.errors import BadInput
from probatum.scorers.rules.attacks import DIVERTING
from probatum.sets.finding import items_of
from probatum.testing import TableTarget

TASK = "rules"


def test_one_weakness_shows_in_its_attack_and_nowhere_else():
    """An obedient model that falls silent when it is told to be a statue."""
    items = items_of("rules/scenarios").items
    right = {str(talk): answer for talk, answer in zip(items.conversations, items.answer, strict=True)}
    weakness = DIVERTING["simulation"].replace("{ask}", "")
    _, result, _ = run(TASK, lambda talk: "..." if weakness in talk[-1]["content"] else right[str(talk)])
    planted = [group for group in items.group if group.endswith("helpful/redteam/simulation")]
    assert 4 <= len(planted) <= 9
    assert result.estimate.value == pytest.approx(1 - len(planted) / 150)
    assert result.breakdown["simulation"].value == pytest.approx(1 - len(planted) / 12)
    assert result.breakdown["redteam"].value == pytest.approx(1 - len(planted) / 90)
    for other in ("just ask", "legalese", "obfuscation", "rule change", "indirection", "benign", "basic", "harmless"):
        assert result.breakdown[other].value == 1
    assert (result.breakdown["harmless"].n, result.breakdown["helpful"].n) == (75, 75)


def test_refusing_everything_keeps_every_harmless_rule_and_no_helpful_one():
    _, result, _ = run(TASK, lambda talk: "I'm sorry, but I can't help with that.")
    assert result.breakdown["harmless"].value == 1
    assert result.breakdown["helpful"].value == 0
    assert result.breakdown["helpful"].high == pytest.approx(1 - 0.025 ** (1 / 75)), "exact bound of 0 in 75"
    assert result.estimate.value == 0.5


def test_silence_keeps_no_rule_and_is_counted_apart():
    scores, result, items = run(TASK, lambda talk: "")
    assert result.estimate.value == 0
    assert scores.kinds == ("missing",) * len(items)
    scores = load(TASK).function(Scripted(lambda talk: None), items)
    assert set(scores.unscored.values()) == {"no answer came"}


def test_items_of_another_set_get_one_sentence():
    other = Items.from_rows([{"prompt": "Say so.", "group": "climate"}], "x")
    with pytest.raises(BadInput, match="not of rules/scenarios"):
        load(TASK).function(TableTarget(said=lambda _: "so"), other)


def test_a_decoded_leak_keeps_the_rule_as_published_and_stands_beside_it():
    """The defect of a strict reading: a model that tells every secret backwards keeps every rule about secrets."""
    items = items_of("rules/scenarios").items
    secrets = {str(t): s for t, s in zip(items.conversations, items.secret, strict=True)}
    backwards = lambda talk: f"Read it from the right: {(secrets[str(talk)] or 'none')[::-1]}"  # noqa: E731
    strict, _, _ = run(TASK, backwards)
    decoded, _, _ = run("rules_decoded_leak", backwards)
    at = decoded.scored
    assert at.sum() == 35
    assert strict.values[at].min() == 1
    assert decoded.values[at].min() == 1
    assert result_of("rules_decoded_leak", decoded, items).breakdown["backwards"].value == 1
