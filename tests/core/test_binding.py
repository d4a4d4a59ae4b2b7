"""What the runner puts into parameters, and what it says when something is missing."""

from typing import Literal

import numpy as np
import pytest

from probatum import Access, Choices, Members, Scores, Target, Texts, probe
from probatum.core.binding import bind, missing, options_of
from probatum.core.errors import BadInput
from probatum.statistics import auroc
from probatum.testing import UniformTarget, toy_data

SAID = {"paper": "P001", "question": "Is it so?", "needs": Access.LOGPROBS, "metric": auroc, "dimension": "privacy"}


@probe(**SAID)
def toy(
    target: Target,
    data: Members,
    corpus: Texts,
    choices: Choices | None = None,
    *,
    reference: Target,
    judge: Target | None = None,
    rng: np.random.Generator,
    count: int = 3,
    share: float = 0.5,
    flag: bool = False,
    word: str = "x",
    way: Literal["kl", "loss"] = "kl",
) -> Scores: ...


@probe(**SAID, learns=True)
def learner(target: Target, data: Members) -> Scores: ...


MODEL, DATA = UniformTarget(), {k: toy_data()[k] for k in ("Members", "Texts")}
METHOD = toy.method


def test_the_signature_is_sorted_by_type_and_name():
    s = METHOD.signature
    assert s.roles == ("reference", "judge")
    assert s.data == {"data": "Members", "corpus": "Texts", "choices": "Choices"}
    assert s.optional == ("choices", "judge")
    assert s.rng
    assert {name: default for name, (_, default) in s.options.items()} == {
        "count": 3, "share": 0.5, "flag": False, "word": "x", "way": "kl",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("access", "data", "roles", "reason"),
    [
        (MODEL.access, DATA, {"reference": MODEL}, None),
        (Access.TEXT, DATA, {"reference": MODEL}, "needs LOGPROBS, this toy model gives TEXT"),
        (Access(0), DATA, {"reference": MODEL}, "needs LOGPROBS, this toy model gives nothing"),
        (MODEL.access, {}, {}, "needs --members and --nonmembers FILE"),
        (MODEL.access, {"Members": DATA["Members"]}, {}, "needs --texts FILE"),
        (MODEL.access, DATA, {}, "needs --reference MODEL"),
        (MODEL.access, DATA, {"judge": MODEL}, "needs --reference MODEL"),
    ],
)
def test_what_is_missing_is_said_with_the_option_that_brings_it(access, data, roles, reason):
    assert missing(METHOD, MODEL.giving(access), data, roles) == reason


def test_data_arrives_blind_unless_the_probe_learns():
    assert bind(METHOD, DATA, {}, {})["data"].label is None
    assert bind(METHOD, DATA, {}, {})["data"].dose is None
    assert bind(learner.method, DATA, {}, {})["data"].label is not None


def test_what_is_optional_and_missing_is_none():
    arguments = bind(METHOD, DATA, {"reference": MODEL}, {"share": 0.1})
    assert arguments["choices"] is None
    assert arguments["judge"] is None
    assert arguments["reference"] is MODEL
    assert arguments["share"] == 0.1


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("count", "7", 7), ("count", 7.0, 7), ("share", "0.1", 0.1), ("share", 1, 1.0), ("flag", "true", True),
        ("flag", True, True), ("flag", "0", False), ("word", 5, "5"), ("way", "loss", "loss"),
    ],
)  # fmt: skip
def test_options_are_converted_as_the_signature_says(name, given, value):
    found = options_of(METHOD, {name: given})
    assert found[name] == value
    assert type(found[name]) is type(value)
    assert set(found) == set(METHOD.signature.options)


@pytest.mark.parametrize(
    ("name", "given", "word"),
    [
        ("count", "seven", "toy.count must be an int, got 'seven'"),
        ("count", 7.5, "must be an int"),
        ("share", "much", "must be a float"),
        ("share", "nan", "must be a float"),
        ("share", "inf", "must be a float"),
        ("flag", "perhaps", "must be a bool"),
        ("way", "l2", "must be one of kl, loss, got 'l2'"),
        ("shares", 1, "has no option 'shares'; did you mean share"),
        ("zzz", 1, "it has count, share, flag, word, way"),
        ("rng", 1, "has no option 'rng'"),
        ("reference", "x", "has no option 'reference'"),
    ],
)
def test_an_option_that_cannot_be_is_refused(name, given, word):
    with pytest.raises(BadInput, match=word):
        options_of(METHOD, {name: given})
