"""MEMO: by hand at every cut, 1 for an echo and 0 for strangers, and decoys under the very same law."""

import numpy as np
import pytest

from probatum.core.access import Access
from probatum.core.data import Records
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.estimate import Truth
from probatum.core.target import Target
from probatum.probes.privacy.extraction.memo import memo
from probatum.statistics import exposure_bits
from probatum.statistics.tests import decoy_p
from probatum.testing import NgramTarget, UniformTarget, short_data, toy_data, toy_target

RECORDS = toy_data()["Records"].blind()


class Says(Target):
    """Says what a function of the prompt tells it to."""

    access = Access.TEXT

    def __init__(self, said):
        self.said, self.asked = said, []

    def generate(self, prompts, *, max_new_tokens=32, temperature=0.0, stop=None, seed=0):
        self.asked += [(p, max_new_tokens) for p in prompts]
        return [self.said(p) for p in prompts]


def one(secret: str = "123456", form: str | None = "dddddd") -> Records:
    return Records.from_rows([{"id": "one", "prefix": "code ", "secret": secret, "format": form}])


def score(said, record=None, **options) -> float:
    return memo(Says(said), record or one(), rng=keyed(1), **options).values[0]


def echo(secret: str):
    """Goes on with this secret, wherever it stands; else silent."""
    return lambda prompt: secret[len(prompt) - 5 :] if ("code " + secret).startswith(prompt) else ""


def test_secrets_learned_by_heart_are_found(found):
    result = found(memo, toy_target(planted=True))
    assert result.estimate.value == 6  # log2(63 + 1): above every decoy
    assert result.p_value < 1e-10
    assert result.breakdown["unseen"].value < 3


def test_a_model_that_never_saw_them_gives_nothing(found):
    assert found(memo, toy_target(planted=False)).p_value > 0.05


def test_an_echo_has_1_and_a_stranger_0():
    assert score(echo("123456")) == 1
    assert score(echo("123456"), step=1) == 1
    assert score(lambda prompt: "zzzzzz") == 0
    assert score(lambda prompt: "") == 0


@pytest.mark.parametrize(
    ("said", "options", "memorized"),
    [
        ({"code ": "123999", "code 12345": "6"}, {}, (3 / 6 + 1) / 2),
        ({"code ": "123999", "code 12345": "7"}, {}, (3 / 6 + 0) / 2),
        ({"code ": "123999", "code 123": "456", "code 12345": "7"}, {"step": 3}, (3 / 6 + 1) / 2),
        ({"code ": "12"}, {"step": 9}, 1),  # precision: what was said was right
        ({"code ": "111111"}, {"step": 9}, 1 / 6),  # the secret has one 1
        ({"code ": "123456. The code is 123999"}, {"step": 9}, 1),  # an afterthought does not matter
        ({"code ": "  1 2 3 4 5 6"}, {"step": 9}, 1),
    ],
)
def test_every_cut_by_hand(said, options, memorized):
    assert score(lambda prompt: said.get(prompt, ""), **options) == pytest.approx(memorized)


def test_words_of_a_sentence():
    record = Records.from_rows([{"id": "one", "prefix": "code ", "secret": "born on 7 May", "format": None}])
    said = {"code ": "Born in 7 days", "code born ": "on 8 May"}
    # Cuts before "born", after "born ", and after "born on 7 ".
    expected = [2 / 4, 2 / 3, 0.0]
    assert score(lambda p: said.get(p, ""), record, unit="word") == pytest.approx(np.mean(expected))


def test_decoys_are_asked_with_beginnings_of_their_own():
    """With those of the true secret they would not be what it is under chance, and the rank would have no law."""
    target = Says(lambda prompt: "")
    memo(target, one(), rng=keyed(1), decoys=20)
    begun = {prompt for prompt, _ in target.asked}
    assert "code 12345" in begun
    assert len(begun) > 18  # the prefix alone, and five digits of each
    assert len(target.asked) == len(begun)


def test_ranks_of_secrets_that_no_one_learned_have_their_law():
    """A model whose words depend on the prompt in any way: P(p <= a) <= a, and all but = a."""
    rows = [
        {"prefix": f"record {i} ", "secret": f"{keyed('secret', i).integers(10**6):06d}", "format": "dddddd"}
        for i in range(600)
    ]
    target = Says(lambda prompt: f"{keyed('says', prompt).integers(10**6):06d}")
    scores = memo(target, Records.from_rows(rows), rng=keyed(2), decoys=19)
    p = np.asarray(decoy_p(scores.values, scores.null))
    for a in (0.05, 0.2):
        assert np.mean(p <= a) <= a + 3 * np.sqrt(a * (1 - a) / len(p))
    assert np.mean(p <= 0.2) > 0.05
    assert exposure_bits(scores, Truth()).p_value > 0.01


def test_half_a_secret_has_half_a_score():
    """Of nine digits the first five were learned: after them the model guesses."""
    rows = [{"prefix": f"r{i} ", "secret": f"{keyed(i).integers(10**9):09d}", "format": "d" * 9} for i in range(30)]
    data = Records.from_rows(rows)
    target = NgramTarget({p + s[:5]: 5.0 for p, s in zip(data.prefix, data.secret, strict=True)}, order=20)
    scores = memo(target, data, rng=keyed(1))
    assert 0.2 < scores.values.mean() < 0.7
    assert exposure_bits(scores, Truth()).estimate.value > 2


def test_without_anything_random_there_are_no_decoys():
    data = Records.from_rows(
        [
            {"id": "words", "prefix": "code ", "secret": "open sesame", "format": None},
            {"id": "digits", "prefix": "code ", "secret": "call 55", "format": None},
        ]
    )
    target = Says(lambda prompt: "")
    scores = memo(target, data, rng=keyed(1))
    assert scores.unscored == {"words": "nothing in the secret is random: it has no digits and no format"}
    assert all(prompt[5:].startswith("call "[: len(prompt) - 5]) for prompt, _ in target.asked)


def test_the_teacher_forced_accuracy_is_the_mean_of_the_flags():
    target = toy_target(planted=True)
    tokens = target.token_statistics(RECORDS.secret, prefixes=RECORDS.prefix)
    accuracy = (tokens.argmax == tokens.id).mean().mean()
    assert memo(target, RECORDS, rng=keyed(1)).note.endswith(f"teacher-forced accuracy MA {accuracy:.2f}")
    assert "MA" not in memo(target.giving(Access.TEXT), RECORDS, rng=keyed(1)).note


def test_no_more_is_generated_than_the_rest_of_the_secret_may_need():
    target = Says(lambda prompt: "")
    memo(target, one(), rng=keyed(1), decoys=1)
    assert {length for prompt, length in target.asked if prompt == "code "} == {8}
    assert {length for prompt, length in target.asked if prompt != "code "} == {1}
    memo(target, one("7" * 300, "d" * 300), rng=keyed(1), decoys=1, step=250)
    assert max(length for _, length in target.asked) == 200


def test_an_empty_secret_or_prefix_is_unscored():
    reason = "the secret, or what stands before it, is empty"
    assert memo(toy_target(), short_data()["Records"].blind(), rng=keyed(1)).unscored == {"short": reason}
    data = Records.from_rows([{"id": "one", "prefix": "", "secret": "12", "format": None}])
    assert memo(toy_target(), data, rng=keyed(1)).unscored == {"one": reason}


@pytest.mark.parametrize("options", [{"step": 0}, {"decoys": 0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(BadInput, match="a step and decoys of 1 or more"):
        memo(UniformTarget(), RECORDS, rng=keyed(1), **options)
