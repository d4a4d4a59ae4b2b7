"""Attack ensemble: the best of twenty on one half has a right p-value on the other, and a wrong one on the same."""

import numpy as np
from learners import Noise, at_most, drawn, model, records

from probatum.core.access import Access
from probatum.probes.privacy.membership.attack_ensemble import attack_ensemble
from probatum.statistics import learned_auroc
from probatum.statistics.features import attack_features


def ask(target, data=None, known=None, **options):
    halves = records().halves()
    known, data = known or halves[0], data or halves[1]
    return attack_ensemble(target, data.blind(), known, **options), data


def test_what_was_learned_by_heart_is_found():
    scores, data = ask(model(planted=True))
    result = learned_auroc(scores, data.truth)
    assert result.estimate.value > 0.95
    assert result.p_value < 1e-4


def test_a_model_that_never_saw_the_members_gives_nothing():
    scores, data = ask(model(planted=False))
    assert learned_auroc(scores, data.truth).p_value > 0.05


class Greedy(Noise):
    """Greedy decoding writes members always, or never: one statistic sees it, the others do not."""

    def __init__(self, inside, always):
        super().__init__(name="greedy")
        self.inside, self.always = inside, always

    def record(self, text):
        rows = super().record(text)
        if text in self.inside:
            rows["argmax"] = rows["id"] if self.always else -1
        return rows


def test_it_is_the_one_statistic_that_sees_it_and_the_note_says_which():
    data = drawn("greedy", 120)
    known, judged = data.halves()
    inside = {t for t, m in zip(data.texts, data.label, strict=True) if m}
    for always, sign in ((True, ""), (False, "low ")):
        scores, _ = ask(Greedy(inside, always), judged, known)
        assert f": {sign}share of tokens that are the likeliest (AUROC" in scores.note
        assert learned_auroc(scores, judged.truth).p_value < 1e-6
        assert learned_auroc(scores, judged.truth).direction == "expected"


def test_the_scores_are_the_chosen_statistic_itself():
    known, judged = drawn("itself", 80).halves()
    scores, _ = ask(Noise(), judged, known)
    named = attack_features(Noise().token_statistics(judged.texts), judged.texts)
    name = scores.note.split(": ")[1].split(" (AUROC")[0]
    sign = -1 if name.startswith("low ") else 1
    assert np.array_equal(scores.values, sign * named[name.removeprefix("low ")])
    assert f"among {len(named)} statistics" in scores.note
    assert len(named) >= 20


def test_the_choice_costs_nothing_and_would_on_the_same_records():
    """On noise: P(p <= a) <= a; of the best of all on the very records that chose it, several times that."""
    p, naive = [], []
    for i in range(150):
        known, data = drawn(i, 60).halves()
        p.append(learned_auroc(ask(Noise(), data, known)[0], data.truth).p_value)
        naive.append(learned_auroc(ask(Noise(), data, data)[0], data.truth).p_value)
    assert max(at_most(p).values()) < 3
    assert at_most(naive)[0.05] > 8


def test_an_endpoint_that_gives_log_probabilities_alone_has_fewer_to_choose_from():
    few = ask(model(planted=True).giving(Access.LOGPROBS))[0]
    all_ = ask(model(planted=True))[0]
    count = [int(s.note.split("among ")[1].split()[0]) for s in (few, all_)]
    assert 15 < count[0] < count[1]


def test_too_few_known_records_are_named():
    known, _ = records().halves()
    scores, _ = ask(model(planted=True), known=known.take(np.flatnonzero(known.label)))
    assert "15 known members and 0 known nonmembers" in scores.note
    assert not scores.scored.any()
    assert not ask(model(planted=True), known=known.blind())[0].scored.any()
