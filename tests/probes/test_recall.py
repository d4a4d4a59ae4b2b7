"""ReCaLL: exactly 1 without context; the prefix holds none of the judged texts, and none of it is scored."""

import numpy as np
import pytest
from learners import Noise, at_most, drawn, model, records

from probatum.core.data import Members
from probatum.core.draws import keyed
from probatum.probes.privacy.membership.recall import recall
from probatum.statistics import auroc
from probatum.testing import TableTarget, UnigramTarget

LETTERS = {c: 1 + i for i, c in enumerate("abcdefghijklmnopqrstuvwxyz0123456789 .,")}
UNIGRAM = UnigramTarget({c: n / sum(LETTERS.values()) for c, n in LETTERS.items()})


class Heard:
    """A target that remembers what it was asked."""

    def __init__(self, target):
        self.target, self.prefixes, self.texts = target, [], []

    def __getattr__(self, name):
        return getattr(self.target, name)

    def token_statistics(self, texts, *, prefixes=None):
        self.texts.append(tuple(texts))
        self.prefixes.append(None if prefixes is None else tuple(prefixes))
        return self.target.token_statistics(texts, prefixes=prefixes)


def ask(target, data=None, known=None, **options):
    halves = records().halves()
    known, data = known or halves[0], data or halves[1]
    return recall(target, data.blind(), known, rng=keyed("test"), **options), data


def test_what_was_learned_by_heart_is_found():
    result = auroc(*(lambda s, d: (s, d.truth))(*ask(model(planted=True))))
    assert result.estimate.value > 0.95
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing():
    scores, data = ask(model(planted=False))
    assert auroc(scores, data.truth).p_value > 0.05


def test_a_model_that_heeds_no_context_gives_exactly_1():
    assert ask(UNIGRAM)[0].values == pytest.approx(1, abs=1e-12)
    assert ask(UNIGRAM, prefixes=3, shots=2)[0].values == pytest.approx(1, abs=1e-12)


def test_the_ratio_is_of_the_tokens_of_the_text_alone():
    """A published tool averages over prefix and text; here the prefix is as unlikely as can be."""
    table = {"ab": [("a", -1.0), ("b", -3.0)], "no. ab": [*((c, -99.0) for c in "no. "), ("a", -2.0), ("b", -8.0)]}
    known = Members.from_rows([{"text": "no.", "member": False}, {"text": "yes", "member": True}])
    scores, _ = ask(TableTarget.of_tokens(table), Members.from_rows([{"text": "ab"}]), known)
    assert scores.values == pytest.approx([5.0 / 2.0])


def test_the_prefix_is_the_same_for_all_and_of_known_nonmembers_only():
    """Published tools take it from the judged texts, and a member in it tells the label back."""
    known, data = records().halves()
    target = Heard(model(planted=True))
    scores, _ = ask(target)
    alone, after = target.prefixes
    assert alone is None
    assert len(set(after)) == 1
    assert target.texts == [data.texts, data.texts]
    assert scores.ids == data.ids
    inside = [t for t, member in zip(known.texts, known.label, strict=True) if t in after[0]]
    assert len(inside) == 7
    assert not any(t in after[0] for t, member in zip(known.texts, known.label, strict=True) if member)
    assert not any(t in after[0] for t in data.texts)


def test_near_duplicates_of_judged_texts_are_no_prefix():
    _, data = records().halves()
    rows = [{"text": f"{t} Indeed.", "member": False} for t in data.texts]
    target = Heard(UNIGRAM)
    scores, _ = ask(target, known=Members.from_rows(rows))
    assert target.prefixes == []
    assert set(scores.unscored.values()) == {"no known nonmember is left for the prefix"}
    assert scores.note


def test_several_prefixes_are_averaged():
    """LL(x | P) is the mean over the prefixes, as in the paper's ensemble."""
    target = Heard(model(planted=True))
    scores, data = ask(target, shots=1, prefixes=3)
    alone, *after = target.prefixes
    assert len({p for row in after for p in row}) == 3
    ll = [model(planted=True).token_statistics(data.texts, prefixes=p).logprob.mean() for p in (alone, *after)]
    assert scores.values == pytest.approx(np.mean(ll[1:], axis=0) / ll[0])


def test_where_labels_say_nothing_p_is_below_a_in_at_most_a_of_the_cases():
    p = []
    for i in range(120):
        known, data = drawn(i, 60).halves()
        p.append(auroc(ask(Noise(), data, known)[0], data.truth).p_value)
    assert max(at_most(p).values()) < 3


def test_without_labels_there_is_no_prefix():
    known, _ = records().halves()
    assert not ask(UNIGRAM, known=known.blind())[0].scored.any()
