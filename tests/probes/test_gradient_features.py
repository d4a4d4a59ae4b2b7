"""Gradient features: what is learned from one half of the texts must hold on the other."""

import numpy as np
import pytest

from probatum.core.access import Access
from probatum.core.data import Members
from probatum.core.draws import keyed
from probatum.core.target import Target
from probatum.probes.privacy.membership.gradient_features import gradient_features
from probatum.statistics import auroc
from probatum.testing import NgramTarget

N = 60  # of each side


def word(*key):
    return "".join(keyed(*key).choice(list("bdgklmnprstz"), size=4))


ROWS = [
    {"id": f"{i}", "text": f"the {word('a', i)} of {word('b', i)} met {word('c', i)}.", "member": i % 2 == 0}
    for i in range(2 * N)
]
DATA = Members.from_rows(ROWS)
SEEN = [row["text"] for row in ROWS if row["member"]]


class Drawn(Target):
    """Gradients of a normal law, the same for the same text; those of ``members`` are shifted along one axis."""

    name = "drawn"

    def __init__(self, members=(), shift=0.0):
        self._members, self._shift = frozenset(members), shift

    def gradient_features(self, texts, *, dimension=32, seed=0):
        out = np.full((len(texts), 2 * dimension), np.nan, np.float32)
        for row, text in zip(out, texts, strict=True):
            if text:
                row[:] = keyed("drawn", seed, text).normal(size=2 * dimension)
                row[0] += self._shift * (text in self._members)
        return out


def test_what_was_learned_by_heart_is_found(found):
    result = found(gradient_features, NgramTarget(SEEN, order=8).giving(Access.GRADIENTS), DATA)
    assert result.p_value < 1e-5
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    other = [f"a {word('x', i)} sold {word('y', i)} to {word('z', i)}." for i in range(N)]
    assert found(gradient_features, NgramTarget(other, order=8).giving(Access.GRADIENTS), DATA).p_value > 0.05


def test_a_direction_is_learned_with_the_accuracy_of_the_normal_law():
    """Shifted by s along an axis that the classifier must find among others: AUROC at most Φ(s/√2)."""
    from scipy.stats import norm

    known, asked = DATA.halves()
    scores = gradient_features(Drawn(SEEN, 3.0), asked.blind(), known, dimension=2, c=1.0)
    value = auroc(scores, asked.truth).estimate.value
    bound = norm.cdf(3 / np.sqrt(2))
    assert bound - 0.06 < value < bound + 0.03


def test_a_length_is_learned_whatever_the_direction():
    """What the paper's neural network can see and a linear classifier cannot."""

    class Shorter(Drawn):
        def gradient_features(self, texts, **given):
            found = super().gradient_features(texts, **given)
            return found * np.where([t in self._members for t in texts], 0.5, 1)[:, None].astype(np.float32)

    known, asked = DATA.halves()
    scores = gradient_features(Shorter(SEEN), asked.blind(), known)
    assert auroc(scores, asked.truth).estimate.value > 0.95


def test_only_the_other_half_is_scored():
    known, asked = DATA.halves()
    scores = gradient_features(Drawn(), asked.blind(), known)
    assert scores.ids == asked.ids
    assert not set(scores.ids) & set(known.ids)
    assert scores.towards == "member"


def test_where_a_coin_gives_the_labels_p_is_below_a_in_at_most_a_of_the_cases():
    """There are more numbers than texts, so the known half is told apart without an error; the other half is not."""
    rng = np.random.default_rng(0)
    target, p = Drawn(), []
    for run in range(200):
        labels = rng.permutation(2 * N) < N
        rows = [{**row, "member": bool(m)} for row, m in zip(ROWS, labels, strict=True)]
        known, asked = Members.from_rows(rows).halves(run)
        p.append(auroc(gradient_features(target, asked.blind(), known, dimension=40, c=1.0), asked.truth).p_value)
    for level in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p) <= level) <= level + 3 * np.sqrt(level * (1 - level) / len(p))


def test_the_order_of_the_known_texts_does_not_matter():
    known, asked = DATA.halves()
    there, back = (
        gradient_features(Drawn(SEEN, 1.0), asked.blind(), k) for k in (known, known.take(np.arange(len(known))[::-1]))
    )
    np.testing.assert_array_equal(there.values, back.values)


def test_an_empty_text_is_neither_scored_nor_learned_from():
    known, asked = DATA.halves()
    holes = [{"id": f"hole {m}", "text": "", "member": m} for m in (True, False)]
    rows = [{"id": i, "text": t, "member": m} for i, t, m in zip(known.ids, known.texts, known.label, strict=True)]
    more = [{"id": i, "text": t} for i, t in zip(asked.ids, asked.texts, strict=True)]
    whole = gradient_features(Drawn(SEEN, 1.0), asked.blind(), known)
    scores = gradient_features(
        Drawn(SEEN, 1.0), Members.from_rows([*more, {"id": "none", "text": ""}]), Members.from_rows([*rows, *holes])
    )
    assert scores.unscored.keys() == {"none"}
    assert scores.values[:-1] == pytest.approx(whole.values, abs=1e-6)


def test_one_sided_knowledge_teaches_nothing_and_says_so():
    known, asked = DATA.halves()
    one_sided = known.take(np.flatnonzero(known.label))
    scores = gradient_features(Drawn(), asked.blind(), one_sided)
    assert not scores.scored.any()
    assert all("nothing to learn from" in reason for reason in scores.unscored.values())
