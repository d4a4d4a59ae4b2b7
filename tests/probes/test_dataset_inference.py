"""Dataset inference: weak signs add up; the judged half teaches nothing; two sets of unseen texts are alike."""

import numpy as np
import pytest
from learners import Noise, at_most, drawn, model, records
from scipy import stats

from probatum.core.data import Members
from probatum.probes.privacy.membership.dataset_inference import dataset_inference
from probatum.statistics import auroc, set_difference
from probatum.testing import TableTarget


def ask(target, data=None, known=None, **options):
    halves = records().halves()
    known, data = known or halves[0], data or halves[1]
    return dataset_inference(target, data.blind(), known, **options), data


def seen(data, shift):
    """Noise that finds the members of ``data`` likelier by a factor of their losses."""
    inside = {t for t, m in zip(data.texts, data.label, strict=True) if m}
    return Noise(lambda text: shift if text in inside else 0.0, name=f"seen {shift}")


def test_what_was_learned_by_heart_is_found():
    result = set_difference(*(lambda s, d: (s, d.truth))(*ask(model(planted=True))))
    assert result.p_value < 1e-6
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing():
    scores, data = ask(model(planted=False))
    assert set_difference(scores, data.truth).p_value > 0.05


def test_a_set_is_told_where_no_single_text_is():
    data = drawn("weak", 600)
    known, judged = data.halves()
    scores, _ = ask(seen(data, 0.12), judged, known)
    assert set_difference(scores, judged.truth).p_value < 0.01
    assert auroc(scores, judged.truth).estimate.value < 0.7


def test_members_that_are_made_unlikely_are_found_as_well():
    """The signs are learned: what an over-zealous unlearning leaves is evidence, and not the opposite of it."""
    data = drawn("unlearned", 200)
    known, judged = data.halves()
    assert set_difference(ask(seen(data, -0.7), judged, known)[0], judged.truth).p_value < 1e-3


def test_validation_against_validation_is_uniform():
    """The false-positive control of the paper: two sets that the model never saw."""
    p = []
    for i in range(160):
        known, data = drawn(i, 80).halves()
        p.append(set_difference(ask(Noise(), data, known)[0], data.truth).p_value)
    assert max(at_most(p).values()) < 3
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_paired_records_are_uniform_too():
    p = []
    for i in range(60):
        data = drawn(i, 96)
        label = np.array(data.label)
        place = np.empty(len(label), int)
        for side in (True, False):
            place[label == side] = np.arange((label == side).sum())
        pairs = Members(ids=data.ids, text=data.text, label=data.label, cluster=tuple(f"pair {i}" for i in place))
        known, judged = pairs.halves()
        assert set(known.cluster).isdisjoint(judged.cluster)
        p.append(set_difference(ask(Noise(), judged, known)[0], judged.truth).p_value)
    assert max(at_most(p).values()) < 3


def test_the_judged_half_has_no_say_in_its_own_scores():
    """A published tool clips and standardizes both halves together, members and nonmembers apart."""
    known, data = records().halves()
    target = model(planted=True)
    whole, part = ask(target, data, known)[0], ask(target, data.take(np.arange(5)), known)[0]
    assert part.values == pytest.approx(whole.values[:5])


def test_outliers_of_the_known_half_are_clipped():
    """Of a statistic that runs away in one known text, the weight must not follow."""
    data = drawn("clipped", 200)
    known, judged = data.halves()
    mad = known.texts[0]
    plain = seen(data, 0.5)
    wild = Noise(lambda text: -9.0 if text == mad else plain.level(text), name=plain.name)
    clipped, loose = (ask(wild, judged, known, clip=c)[0].values for c in (0.025, 0.0))
    expected = ask(plain, judged, known)[0].values
    assert np.corrcoef(clipped, expected)[0, 1] > 0.99
    assert np.corrcoef(loose, expected)[0, 1] < np.corrcoef(clipped, expected)[0, 1]


def test_a_text_known_by_heart_to_the_last_token_is_scored_highest():
    """A published tool drops tokens of loss 0, and then the text."""
    named = [f"{'abcd'[i % 4]}{i:02d}" for i in range(40)]
    texts = {t: [(c, 0.0 if i < 20 else -1.0 - (i % 7) / 5) for c in t] for i, t in enumerate(named)}
    rows = [{"id": t, "text": t, "member": i < 20} for i, t in enumerate(texts)]
    known, judged = Members.from_rows(rows).halves()
    scores, _ = ask(TableTarget.of_tokens(texts), judged, known)
    assert scores.scored.all()
    label = np.array(judged.label)
    assert scores.values[label].min() > scores.values[~label].max()


def test_a_reference_takes_out_what_makes_a_text_easy():
    """Some texts are far easier than others, for both models; the trace of membership is small beside that."""
    data = drawn("easy", 240)
    known, judged = data.halves()
    inside = {t for t, m in zip(data.texts, data.label, strict=True) if m}
    ease = dict(zip(data.texts, np.random.default_rng(0).normal(0, 1.5, len(data)), strict=True))
    base = Noise(lambda text: ease[text])
    target = Noise(lambda text: ease[text] + (0.1 if text in inside else 0.0))  # the same noise: the same losses
    alone, beside = (ask(target, judged, known, reference=r)[0] for r in (None, base))
    p = [set_difference(s, judged.truth).p_value for s in (alone, beside)]
    assert p[1] < 1e-6 < p[0]


def test_too_few_known_records_are_named():
    known, _ = records().halves()
    few = known.take(np.r_[np.flatnonzero(known.label)[:4], np.flatnonzero(~np.array(known.label))])
    scores, _ = ask(model(planted=True), known=few)
    assert "4 known members and 15 known nonmembers" in scores.note
    assert not scores.scored.any()
    assert not ask(model(planted=True), known=known.blind())[0].scored.any()
