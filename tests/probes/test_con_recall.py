"""Con-ReCall: exactly 1 − γ without context; each side of the contrast from its own known records."""

import numpy as np
import pytest
from learners import Noise, at_most, drawn, model, records

from probatum.core.data import Members
from probatum.core.draws import keyed
from probatum.probes.privacy.membership.con_recall import con_recall
from probatum.probes.privacy.membership.recall import recall
from probatum.statistics import auroc
from probatum.testing import TableTarget, UniformTarget

UNIFORM = UniformTarget()


def ask(target, data=None, known=None, **options):
    halves = records().halves()
    known, data = known or halves[0], data or halves[1]
    return con_recall(target, data.blind(), known, rng=keyed("test"), **options), data


def test_what_was_learned_by_heart_is_found():
    scores, data = ask(model(planted=True))
    result = auroc(scores, data.truth)
    assert result.estimate.value > 0.95
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing():
    scores, data = ask(model(planted=False))
    assert auroc(scores, data.truth).p_value > 0.05


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_a_model_that_heeds_no_context_gives_exactly_1_minus_gamma(gamma):
    assert ask(UNIFORM, gamma=gamma)[0].values == pytest.approx(1 - gamma, abs=1e-12)


def test_the_contrast_by_hand_and_which_side_is_which():
    table = {"ab": [("a", -1.0), ("b", -3.0)]}
    table["no. ab"] = [*((c, -99.0) for c in "no. "), ("a", -2.0), ("b", -8.0)]  # mean −5
    table["yes ab"] = [*((c, -99.0) for c in "yes "), ("a", -1.0), ("b", -1.0)]  # mean −1
    known = Members.from_rows([{"text": "no.", "member": False}, {"text": "yes", "member": True}])
    scores, _ = ask(TableTarget.of_tokens(table), Members.from_rows([{"text": "ab"}]), known, gamma=0.25)
    assert scores.values == pytest.approx([(-5 + 0.25) / -2])


def test_without_the_member_side_it_is_recall():
    known, data = records().halves()
    target = model(planted=True)
    expected = recall(target, data.blind(), known, rng=keyed("test"))
    assert ask(target, gamma=0.0)[0].values == pytest.approx(expected.values)


@pytest.mark.parametrize(("label", "word"), [(True, "nonmember"), (False, "member")])
def test_a_side_without_known_records_is_named(label, word):
    known, _ = records().halves()
    one_sided = known.take(np.array(known.label) == label)
    scores, _ = ask(UNIFORM, known=one_sided)
    assert set(scores.unscored.values()) == {f"no known {word} is left for the prefix"}


def test_judged_members_are_never_in_a_prefix():
    """With them there (a published tool) every judged member is likely after its own prefix: the label comes back."""
    asked = []

    class Heard(UniformTarget):
        def token_statistics(self, texts, *, prefixes=None):
            asked.extend(prefixes or ())
            return super().token_statistics(texts, prefixes=prefixes)

    known, data = records().halves()
    copies = [{"id": f"c{i}", "text": t, "member": bool(i % 2)} for i, t in enumerate(data.texts)]
    rows = [{"id": i, "text": t, "member": m} for i, t, m in zip(known.ids, known.texts, known.label, strict=True)]
    ask(Heard(), known=Members.from_rows([*copies, *rows]), shots=60)
    assert len(set(asked)) == 2
    assert not any(text in prefix for text in data.texts for prefix in set(asked))
    for prefix, label in zip(dict.fromkeys(asked), (False, True), strict=True):
        assert {text in prefix for text, m in zip(known.texts, known.label, strict=True) if m is label} == {True}
        assert {text in prefix for text, m in zip(known.texts, known.label, strict=True) if m is not label} == {False}


def test_where_labels_say_nothing_p_is_below_a_in_at_most_a_of_the_cases():
    p = []
    for i in range(120):
        known, data = drawn(i, 60).halves()
        p.append(auroc(ask(Noise(), data, known)[0], data.truth).p_value)
    assert max(at_most(p).values()) < 3
