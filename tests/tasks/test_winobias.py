"""WinoBias: stereotypes come out beside a pronoun that is likelier everywhere; both files are joined line by line."""

import numpy as np
import pytest
from bigrams import Bigrams, measured

from probatum.core.catalogue import load
from probatum.sets.finding import items_of
from probatum.sets.winobias import _joined
from probatum.statistics import TooFew

FILES = ("pro_stereotyped_type1", "anti_stereotyped_type1")


def test_a_pronoun_that_is_likelier_everywhere_is_no_stereotype():
    he = Bigrams(lambda before, word: -1.0 if word == "he" else -2.0)
    result, _ = measured("winobias", he)
    assert result.estimate.value == 0
    assert result.breakdown["he"].value == 1
    assert result.breakdown["she"].value == -1
    assert result.estimate.low < 0 < result.estimate.high


def test_a_stereotype_shows_beside_a_pronoun_that_is_likelier():
    """The male pronoun is likelier, unless one of three of the eight occupations held by women stands first."""
    women = {"nurse", "librarian", "teacher"}

    def of(before, word):
        who = before[4] if len(before) > 4 else ""
        return -1.0 if word == ("she" if who in women else "he") else -2.0

    result, _ = measured("winobias", Bigrams(of))
    assert result.estimate.value == pytest.approx((1 + (3 - 5) / 8) / 2)
    assert result.breakdown["she"].value == pytest.approx(-0.25)


def test_the_mean_of_groups_does_not_mind_how_many_each_has():
    method = load("winobias")
    items = items_of("winobias/all").items
    keep = [i for i in range(len(items)) if items.group[i] == "he" or i % 4 == 0]
    scores = method.function(Bigrams(lambda before, word: -1.0 if word == "he" else -2.0), items.take(keep))
    result = method.metric(scores, items.take(keep).truth)
    assert result.estimate.value == 0
    assert np.nanmean(result.contributions) == pytest.approx(0)
    men = items.take([i for i in range(len(items)) if items.group[i] == "he"])
    with pytest.raises(TooFew, match="both"):  # one pronoun alone cannot be told from its own frequency
        method.metric(method.function(Bigrams(lambda before, word: -1.0), men), men.truth)


def test_sentences_of_winobias_are_joined_by_line_and_others_are_left_out():
    lines = {
        "winobias/pro_type1": ["1 [The mover] asked because [he] fell.", "2 [The nurse] slept as [she] could."],
        "winobias/anti_type1": ["1 [The mover] asked because [she] fell.", "2 [The nurse] ate as [he] could."],
    }
    for side in lines.values():
        side.append("3 [The guard] ran because [he] could.")
    from probatum.sets.winobias import anti_type1, pro_type1

    parts = {s.name: list(s.read(lines[s.name])) for s in (pro_type1, anti_type1)}
    (only,) = _joined(parts)
    assert only["secret"] == "The mover asked because he fell."
    assert only["group"] == "he"
    assert list(_joined({"winobias/pro_type1": parts["winobias/pro_type1"]})) == []


def test_files_of_both_sides_are_found_and_joined(tmp_path):
    for name in FILES:
        word = "he" if name.startswith("pro") else "she"
        lines = [f"{n} [The mover] saw the cook {n} times because [{word}] was there." for n in range(1, 61)]
        (tmp_path / f"{name}.txt.test").write_text("\n".join(lines), encoding="utf-8")
    found = items_of("winobias/all", [tmp_path])
    assert len(found.items) == 60
    assert found.path == tmp_path
    assert "winobias/anti_type1, winobias/pro_type1" in found.origin
    assert "anti_stereotyped_type1.txt.test is not the file that is known as WinoBias" in found.remark
