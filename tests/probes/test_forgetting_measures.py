"""Measures of forgetting on tables and toys whose answers are known, and on the invented people."""

import numpy as np
import pytest

from probatum import BadInput
from probatum.core.access import Access
from probatum.core.catalogue import load
from probatum.core.data import Forget, Holdout, Retain
from probatum.core.estimate import Truth
from probatum.core.ragged import Ragged
from probatum.core.target import LensTokens, OptionScores, Target
from probatum.probes.privacy.forgetting.false_answers import false_answers
from probatum.probes.privacy.forgetting.knowmem import knowmem
from probatum.probes.privacy.forgetting.layer_readout import layer_readout
from probatum.probes.privacy.forgetting.model_utility import model_utility
from probatum.probes.privacy.forgetting.privleak import privleak
from probatum.probes.privacy.forgetting.rank_anomaly import rank_anomaly
from probatum.probes.privacy.forgetting.truth_ratio import truth_ratio
from probatum.probes.privacy.forgetting.verbmem import verbmem
from probatum.probes.privacy.forgetting.wrongly_unknown import wrongly_unknown
from probatum.scorers.continuation import continued
from probatum.testing import TableTarget, toy_data, toy_target

KNOWN, NEW = toy_target(True), toy_target(False)
FORGET, RETAIN = toy_data()["Forget"], toy_data()["Retain"]


class Chooser(Target):
    """Gives each option the log-probability of a table, by prompt and option; every option has as many tokens as
    blanks."""

    access = Access.LOGPROBS

    def __init__(self, table):
        self.table = table

    def choices(self, prompts, options):
        logprob = [[self.table[p][o] for o in row] for p, row in zip(prompts, options, strict=True)]
        tokens = [[o.count(" ") for o in row] for row in options]
        return OptionScores(Ragged.of(logprob, float), Ragged.of(tokens, np.int64), Ragged.of(tokens, np.int64))


def facts(kind=Forget, **columns):
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return kind.from_rows([{"id": str(i), **row} for i, row in enumerate(rows)])


def value(probe, target, *data, **options):
    return probe.method.metric(probe(target, *data, **options), Truth()).estimate.value


@pytest.mark.parametrize("probe", [verbmem, knowmem])
def test_who_learned_by_heart_says_it_and_who_did_not_does_not(probe):
    assert value(probe, KNOWN, FORGET) == 1
    assert value(probe, NEW, FORGET) < 0.4  # one grain of four is a guess


def test_verbmem_gives_credit_for_a_part_and_none_for_talking_on():
    asked = facts(prefix=["a", "b", "c"], secret=[" one two three four", " one two", " one"])
    said = {"a": " one two nine four five", "b": " one two and on and on", "c": ""}
    assert verbmem(TableTarget(said=said), asked).values.tolist() == pytest.approx([0.75, 1, 0])


def test_a_long_text_is_asked_by_its_first_half_and_a_short_one_not():
    words = [f"w{i}" for i in range(40)]
    asked = facts(text=[" ".join(words), "a few words"])
    found = verbmem(TableTarget(said={" ".join(words[:20]): " " + " ".join(words[20:])}), asked)
    assert found.values[0] == 1
    assert "fewer than 20 words" in found.unscored["1"]


def test_room_is_left_for_every_digit():
    room = []

    class Counted(TableTarget):
        def generate(self, prompts, *, max_new_tokens, **_):
            room.append(max_new_tokens)
            return [" 12345678901234567890"]

    assert continued(Counted(), ["code is"], [" 12345678901234567890"])[1].tolist() == [1]
    assert room == [32]


def test_knowmem_is_the_mean_over_the_paraphrases():
    asked = facts(prefix=["p", "q"], secret=[" one", " two"], paraphrases=[["a", "b"], None])
    found = knowmem(TableTarget(said={"a": " one", "b": " nine"}), asked)
    assert found.values[0] == 0.5
    assert found.unscored == {"1": "no paraphrases of it are given"}


def table(texts):
    return TableTarget.of_tokens({t: list(zip(t, rows, strict=True)) for t, rows in texts.items()})


def test_privleak_by_hand():
    """Min-40 % of five tokens takes two of them, of four one, of one that one."""
    target = table({"abcde": [-1, -2, -9, -3, -4], "wxyz": [-1, -2, -3, -7], "k": [-5], "mmmmm": [-1, -1, -1, -8, -5]})
    gone, held = facts(text=["abcde", "wxyz"]), facts(Holdout, text=["k", "mmmmm"])
    found = privleak(target, gone, held)
    assert found.values.tolist() == [0.25, 0.0]  # -6.5 against -5 (above) and -6.5 (a tie); -7 against both
    assert privleak(target, gone, held, k=1.0).values.tolist() == [0.5, 0.5]  # -3.8, -3.25 against -5, -3.2
    with pytest.raises(BadInput, match="k must lie"):
        privleak(target, gone, held, k=0)


def test_privleak_knows_members_and_is_even_for_others():
    held = toy_data()["Holdout"]
    assert value(privleak, KNOWN, FORGET, holdout=held) > 0.95
    assert value(privleak, NEW, FORGET, holdout=held) == pytest.approx(0.5, abs=0.15)
    twin = Forget(**{name: getattr(held, name) for name in ("ids", "prefix", "secret", "cluster")})
    assert value(privleak, NEW, twin, holdout=held) == pytest.approx(0.5)


CHOICES = {
    "asked": {" t": np.log(0.5), " u": np.log(0.2), " v w": 2 * np.log(0.05)},
    "other": {" t": np.log(0.1), " u": np.log(0.2), " v w": 2 * np.log(0.05)},
}


def one(**more):
    return facts(prefix=["asked"], secret=[" t"], others=[[" u", " v w"]], **more)


def test_the_truth_ratio_by_hand():
    target = Chooser(CHOICES)
    assert truth_ratio(target, one()).values[0] == pytest.approx(np.sqrt(0.2 * 0.05) / 0.5)
    assert truth_ratio(target, one(), mean="arithmetic").values[0] == pytest.approx(0.125 / 0.5)
    both = one(paraphrases=[["asked", "other"]])
    assert truth_ratio(target, both).values[0] == pytest.approx(np.sqrt(0.2 * 0.05) / np.sqrt(0.5 * 0.1))
    assert truth_ratio(target, both, mean="arithmetic").values[0] == pytest.approx(0.125 / 0.3)


def test_a_value_that_is_the_secret_is_no_wrong_one_and_what_is_lacking_is_said():
    asked = facts(
        prefix=["asked", "asked", "", "asked"],
        secret=[" t", " t", " t", ""],
        others=[[" t", " u", " u"], [" t"], [" u"], [" u"]],
    )
    found = truth_ratio(Chooser(CHOICES), asked)
    assert found.values[0] == pytest.approx(0.2 / 0.5)
    assert list(found.unscored) == ["1", "2", "3"]


def test_an_impossible_truth_is_still_a_number():
    ratio = truth_ratio(Chooser({"asked": {" t": -5000.0, " u": -1.0, " v w": -1.0}}), one()).values[0]
    assert np.isfinite(ratio)
    assert ratio > 1e300


@pytest.mark.parametrize(("logprob", "rank"), [(-0.1, 0.0), (-2.0, 0.5), (-9.0, 1.0), (-1.5, 0.25)])
def test_the_rank_is_the_share_of_likelier_wrong_values(logprob, rank):
    target = Chooser({"asked": {" t": logprob, " u": -1.5, " v w": -3.0}})
    assert rank_anomaly(target, one()).values.tolist() == [rank]


def test_over_unlearning_shows_as_a_rank_above_that_of_who_never_knew():
    pushed = Chooser({"asked": {" t": -30.0, " u": -1.5, " v w": -3.0}})
    assert value(rank_anomaly, pushed, one()) == 1
    assert value(rank_anomaly, KNOWN, FORGET) == 0
    assert value(rank_anomaly, NEW, FORGET) == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize(("p", "false"), [(0.6, 1), (0.5, 1), (0.49, 0)])
def test_an_answer_is_confidently_false_from_half_of_the_mass_on(p, false):
    target = Chooser({"asked": {" t": np.log(0.1), " u": np.log(p), " v w": np.log(0.01)}})
    assert false_answers(target, one()).values.tolist() == [false]
    assert false_answers(target, one(), confidence=0.7).values.tolist() == [0]


def test_the_truth_is_no_false_answer():
    assert value(false_answers, KNOWN, FORGET) == 0


def test_who_says_unknown_to_everything_is_found():
    asked = facts(Retain, prefix=["who", "who", "", "who"], secret=[" Ann", " unknown", " Eve", ""])
    rows = [(" unknown", -0.1, -0.2, 0.1)]
    shy = TableTarget.of_tokens({"who unknown": [("who", -1, -1, 0.5), *rows]})
    found = wrongly_unknown(shy, asked.take([0, 1]))
    assert found.values[0] == 1
    assert found.unscored == {"1": "the refusal is its true answer"}
    told = TableTarget.of_tokens({"who unknown": [("who", -1, -1, 0.5), (" unknown", -5, -1, 0.5, " Ann")]})
    assert wrongly_unknown(told, asked.take([0])).values.tolist() == [0]
    with pytest.raises(BadInput, match="refusal must be"):
        wrongly_unknown(told, asked, refusal=" ")


def test_model_utility_of_who_knows_all_is_1_and_of_who_knows_nothing_less():
    truth = RETAIN.truth
    full, none = (model_utility.method.metric(model_utility(t, RETAIN), truth).estimate for t in (KNOWN, NEW))
    assert full.value > 0.9
    assert none.value < 0.3
    assert "3 numbers" in full.method


class Layers(TableTarget):
    """Three layers that hold the tokens of ``held`` (ids from 100 on are others)."""

    def __init__(self, table, held):
        super().__init__(table._table)
        self.access |= Access.HIDDEN
        self.held = held

    def lens(self, prompts, *, top=10):
        rows = np.array(self.held)[None, :, :top].repeat(len(prompts), 0)
        return LensTokens(rows, rows, rows)


def test_a_token_of_any_layer_counts_and_the_budget_is_read_from_the_last():
    one_token = {text: [(text, -1)] for text in ("who is", " Ann", " Eve")}
    words = TableTarget.of_tokens({"who is Ann": [("who is", -1), (" Ann", -1)], **one_token})
    # " Ann" is token 1: second in the middle layer
    target = Layers(words, [[100, 101, 102], [103, 1, 104], [105, 106, 107]])
    asked = facts(prefix=["who is"], secret=[" Ann"], others=[[" Eve"]])
    assert layer_readout(target, asked, top=2).values.tolist() == [1]
    assert layer_readout(target, asked, top=1).values.tolist() == [0]
    order = [105, 103, 100, 106, 1]  # likeliest of each layer, last first, then the next
    for budget in range(1, 7):
        assert layer_readout(target, asked, top=3, budget=budget).values[0] == float(1 in order[:budget])
    assert layer_readout(target, asked, top=1).expected.tolist() == [1.0]  # three guesses among two names
    with pytest.raises(BadInput, match="top >= 1"):
        layer_readout(target, asked, top=0)


MEASURES = (
    *("verbmem", "knowmem", "privleak", "truth_ratio", "model_utility", "specificity", "false_answers"),
    *("wrongly_unknown", "layer_readout", "rank_anomaly"),
)


@pytest.mark.slow
@pytest.mark.parametrize("name", MEASURES)
def test_on_the_invented_people_each_lies_where_it_says(name):
    from probatum.engine.session import Session
    from probatum.runner import Runner
    from probatum.targets import open_target

    method = load(name)
    assert {"people", "people_gold0"} <= set(method.expected)
    proof = Runner(open_target("people"), {}, {}, Session()).prove(method, {})
    assert proof.failure == ""
    assert all(control.passed for control in proof.controls)
