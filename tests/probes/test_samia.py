"""SaMIA: recall by hand, every word as often as it was said, and draws that differ."""

import zlib

import numpy as np
import pytest

from probatum.core.access import Access
from probatum.core.data import Members
from probatum.core.draws import keyed
from probatum.core.errors import BadInput, NotOffered
from probatum.core.target import Target
from probatum.probes.privacy.membership.samia import samia
from probatum.statistics import auroc
from probatum.testing import UniformTarget, short_data, toy_data, toy_target

MEMBERS = toy_data()["Members"].blind()


class Says(Target):
    """Says what a function of (prompt, seed) tells it to."""

    access = Access.TEXT

    def __init__(self, said):
        self.said, self.asked = said, []

    def generate(self, prompts, *, max_new_tokens=32, temperature=0.0, stop=None, seed=0):
        self.asked.append((tuple(prompts), max_new_tokens, temperature, seed))
        return [self.said(p, seed) for p in prompts]


def texts(*rows: str) -> Members:
    return Members.from_rows({"id": str(i), "text": text} for i, text in enumerate(rows))


def score(text: str, continuation: str, **options) -> float:
    return samia(Says(lambda prompt, seed: continuation), texts(text), rng=keyed(1), **options).values[0]


def test_what_was_learned_by_heart_is_found(found):
    result = found(samia, toy_target(planted=True))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(samia, toy_target(planted=False)).p_value > 0.05


@pytest.mark.parametrize(
    ("continuation", "recall"),
    [
        ("to be or not to be", 1),  # an echo
        ("whether tis nobler", 0),
        ("be to", 2 / 6),  # said once each: as sets of words this would be half, as a hit-or-miss list 4/6
        ("to to to to be or", 4 / 6),
        ("TO, be! Or?", 3 / 6),
        ("a b c d e f to be or not", 0),  # talking on does not help
        ("", 0),
    ],
)
def test_recall_by_hand(continuation, recall):
    assert score("and so he asked us: once to be or not to be", continuation) == pytest.approx(recall)


def test_the_prompt_is_the_first_half_without_the_blank_after_it():
    target = Says(lambda prompt, seed: "")
    samia(target, texts("one  two\nthree four five", "six seven"), rng=keyed(1), samples=1)
    assert {p for prompts, *_ in target.asked for p in prompts} == {"one  two", "six"}


def test_the_mean_over_draws_that_differ():
    seeds = []

    def said(prompt, seed):
        seeds.append(seed)
        return "c d" if len(seeds) % 2 else "c"

    scores = samia(Says(said), texts("a b c d"), rng=keyed(1), samples=4)
    assert scores.values[0] == pytest.approx((1 + 0.5) / 2)
    assert len(set(seeds)) == 4


def test_the_seed_of_the_audit_decides_the_draws():
    def asked(key):
        target = Says(lambda prompt, seed: "")
        samia(target, texts("a b c d"), rng=keyed(key), temperature=0.7)
        return target.asked

    assert asked(1) == asked(1)
    assert asked(1) != asked(2)
    assert {temperature for _, _, temperature, _ in asked(1)} == {0.7}


def test_the_cut_is_handed_on_only_where_one_is_asked_for():
    class Cuts(Says):
        cuts: list[int]

        def generate(self, prompts, *, top_k=0, **how):
            self.cuts.append(top_k)
            return super().generate(prompts, **how)

    for options, cut in (({}, 0), ({"temperature": 1.0, "top_k": 50}, 50)):
        target = Cuts(lambda prompt, seed: "")
        target.cuts = []
        samia(target, texts("a b c d"), rng=keyed(1), samples=2, **options)
        assert target.cuts == [cut, cut]
    with pytest.raises(NotOffered, match="likeliest tokens"):
        samia(toy_target(), texts("a b c d"), rng=keyed(1), top_k=50)


def test_compressed_weighs_by_the_size_of_what_was_said():
    said = "c c c c c"
    plain, weighed = (score("a b c d", said, compressed=c) for c in (False, True))
    assert weighed == pytest.approx(plain * len(zlib.compress(said.encode())))


def test_texts_of_like_length_share_a_call():
    target = Says(lambda prompt, seed: "")
    rows = [f"{i} " + "word " * n for i, n in enumerate([20, 21, 22, 80, 81])]
    samia(target, texts(*rows), rng=keyed(1), samples=3)
    lengths = sorted({length for _, length, _, _ in target.asked})
    assert len(target.asked) == 3 * len(lengths) <= 3 * 3
    assert all(length % 16 == 0 for length in lengths)
    assert lengths[-1] >= len("word " * 40) / 5  # a word is a token of most tokenizers


def test_p_values_of_texts_that_no_one_learned_are_not_too_small():
    """300 audits of 15 and 15 texts by a model that says anything: P(p <= a) <= a."""
    words, label, p = list("abcdefgh"), np.repeat([True, False], 15), []
    for audit in range(300):
        rng = keyed("null", audit)
        rows = [" ".join(rng.choice(words, 12)) for _ in range(30)]
        rows = [{"id": str(i), "text": f"{i} {row}", "member": bool(label[i])} for i, row in enumerate(rows)]
        data = Members.from_rows(rows)
        target = Says(lambda prompt, seed: " ".join(keyed(prompt, seed).choice(words, 8)))
        p.append(auroc(samia(target, data.blind(), rng=rng, samples=2), data.truth).p_value)
    for a in (0.01, 0.05, 0.2):
        assert np.mean(np.array(p) <= a) <= a + 3 * np.sqrt(a * (1 - a) / len(p))
    assert np.mean(np.array(p) <= 0.2) > 0.1


def test_texts_without_two_halves_are_unscored():
    scores = samia(Says(lambda prompt, seed: ""), texts("word", "two words", "so ...", "  "), rng=keyed(1))
    reason = "too short: no words in one of its halves"
    assert scores.unscored == {"0": reason, "2": reason, "3": reason}
    assert samia(toy_target(), short_data()["Members"].blind(), rng=keyed(1)).unscored == {"short": reason}


@pytest.mark.parametrize("options", [{"samples": 0}, {"temperature": 0.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(BadInput, match="samples >= 1 and a temperature above 0"):
        samia(UniformTarget(), MEMBERS, rng=keyed(1), **options)
