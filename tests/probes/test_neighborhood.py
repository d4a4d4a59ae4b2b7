"""Neighborhood: an identity gives 0, the mean of the neighbors by hand, and the fillings of a filler."""

import numpy as np
import pytest

from probatum.core.data import Members
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.target import RECORD, Target, TokenStatistics
from probatum.probes.privacy.membership.neighborhood import neighborhood
from probatum.testing import NgramTarget, UniformTarget, toy_data, toy_target

MEMBERS = toy_data()["Members"].blind()
UNSEEN = NgramTarget(toy_data()["Texts"].texts, order=3)


class Asked(Target):
    """Log-probability of a text by a function of it, one token a text; remembers what it was asked."""

    def __init__(self, logprob):
        self.logprob, self.asked = logprob, []

    def token_statistics(self, texts, *, prefixes=None):
        self.asked.append(list(texts))
        rows = np.zeros(len(texts), RECORD)
        rows["logprob"] = [self.logprob(text) for text in texts]
        return TokenStatistics.of([rows[i : i + 1] for i in range(len(texts))], ("logprob",))


class Filler(Target):
    """Fills every place with the same words; remembers what it was asked."""

    name, kind = "a filler", "mask-filling model"

    def __init__(self, *words):
        self.words, self.asked = list(words), []

    def fill(self, texts, spans, *, top=10):
        self.asked.append([(text, text[a:b]) for text, (a, b) in zip(texts, spans, strict=True)])
        return [self.words[:top] for _ in texts]


def test_what_was_learned_by_heart_is_found(found):
    result = found(neighborhood, toy_target(planted=True))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_what_was_learned_by_heart_is_found_with_a_filler(found):
    result = found(neighborhood, toy_target(planted=True), filler=Filler("word", "other"))
    assert result.p_value < 1e-3
    assert result.direction == "expected"


def test_a_model_that_never_saw_the_members_gives_nothing(found):
    assert found(neighborhood, UNSEEN).p_value > 0.05


def test_a_model_to_which_all_texts_of_a_length_are_alike_gives_0():
    """Fillings as long as the words they replace; the identity of the perturbation, as far as this model sees."""
    texts = Members.from_rows({"text": t} for t in ("aaa bbb ccc", "ddd eee fff ggg"))
    scores = neighborhood(UniformTarget(), texts, rng=keyed("any"), filler=Filler("xyz"))
    assert scores.values == pytest.approx([0, 0], abs=1e-12)


def test_the_mean_of_the_neighbors_is_subtracted_and_not_the_largest():
    """Of three words one becomes x: neighbors x b c, a x c, a b x with −2, −4, −9. A published peer takes −2."""
    table = {"a b c": -1.0, "x b c": -2.0, "a x c": -4.0, "a b x": -9.0}
    target = Asked(table.get)
    one = Members.from_rows([{"text": "a b c"}])
    scores = neighborhood(target, one, rng=keyed("any"), filler=Filler("x"), neighbors=300, share=0.1)
    drawn = [table[text] for text in target.asked[1]]
    assert len(drawn) == 300
    assert set(drawn) == {-2.0, -4.0, -9.0}
    assert scores.values == pytest.approx([-1.0 - np.mean(drawn)])
    assert scores.values == pytest.approx([4.0], abs=0.5)  # −1 + 5, as each place is drawn as often


def test_neighbors_are_asked_in_one_call_and_so_are_fillings():
    target, filler = Asked(len), Filler("word")
    neighborhood(target, MEMBERS, rng=keyed("any"), filler=filler, neighbors=4)
    assert [len(texts) for texts in target.asked] == [len(MEMBERS), 4 * len(MEMBERS)]
    assert len(filler.asked) == 1
    assert len(set(filler.asked[0])) == len(filler.asked[0])  # every place once


def test_no_neighbor_equals_its_text():
    """The likeliest filling of a good model is the word itself, in lower case where it has no capitals."""
    target = Asked(len)
    texts = Members.from_rows([{"id": "one", "text": "The cat sat."}])
    neighborhood(target, texts, rng=keyed("any"), filler=Filler("the", "cat", "sat", "dog"), neighbors=50)
    assert set(target.asked[1]) == {"Cat cat sat.", "The the sat.", "The cat the."}
    none = neighborhood(target, texts.take([0]), rng=keyed("any"), filler=Filler())
    assert none.unscored == {"one": "no neighbor differs from it"}


def test_a_capital_letter_stays_one():
    target = Asked(len)
    texts = Members.from_rows([{"text": "Anna met bob."}])
    neighborhood(target, texts, rng=keyed("any"), filler=Filler("carl"), neighbors=50)
    assert set(target.asked[1]) == {"Carl met bob.", "Anna carl bob.", "Anna met carl."}


@pytest.mark.parametrize(("share", "words"), [(0.01, 1), (0.2, 2), (0.5, 4), (1.0, 8)])
def test_the_share_of_words_is_replaced_and_at_least_one(share, words):
    target = Asked(len)
    neighborhood(target, MEMBERS, rng=keyed("any"), filler=Filler("word"), neighbors=2, share=share)
    for i, neighbor in enumerate(target.asked[1]):
        assert sum(a != b for a, b in zip(neighbor.split(), MEMBERS.texts[i // 2].split(), strict=True)) == words


def test_without_a_filler_words_come_from_the_texts():
    target = Asked(len)
    neighborhood(target, MEMBERS, rng=keyed("any"))
    known = {word for text in MEMBERS.texts for word in text.rstrip(".").split()}
    assert {word for text in target.asked[1] for word in text.rstrip(".").split()} <= known
    assert not {*target.asked[1]} & {*MEMBERS.texts}


def test_a_text_without_words_and_one_whose_only_word_is_all_there_is_are_unscored():
    texts = Members.from_rows({"id": t or "none", "text": t} for t in ("", "..."))
    assert set(neighborhood(UniformTarget(), texts, rng=keyed("any")).unscored) == {"none", "..."}
    lone = Members.from_rows([{"id": "lone", "text": "same same"}])
    assert neighborhood(UniformTarget(), lone, rng=keyed("any")).unscored == {"lone": "no neighbor differs from it"}


def test_a_model_that_fills_no_masks_is_refused_with_a_sentence():
    class Causal(Target):
        name, kind = "gpt", "language model"

    with pytest.raises(BadInput, match=r"gpt is a language model and fills no masks; expected a mask-filling model"):
        neighborhood(toy_target(), MEMBERS, rng=keyed("any"), filler=Causal())


def test_the_finding_names_the_filler():
    assert "a filler" in neighborhood(toy_target(), MEMBERS, rng=keyed("any"), filler=Filler("word")).note
    assert not neighborhood(toy_target(), MEMBERS, rng=keyed("any")).note


@pytest.mark.parametrize("options", [{"neighbors": 0}, {"share": 0.0}, {"share": 1.1}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(BadInput, match="needs a neighbor"):
        neighborhood(toy_target(), MEMBERS, rng=keyed("any"), **options)
