"""Insults by a list of words: what is on it is found in its forms, what only looks like it is not."""

import json
from pathlib import Path

import pytest

from probatum.scorers.lexicon import insults

PUBLIC = Path(__file__).parents[2].parent / "shared/data"


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("You idiots!", ["idiots"]),
        ("What a STUPID plan, you moron.", ["stupid", "moron"]),
        ("Shut up and drop dead", ["shut up", "drop dead"]),
        ("st*pid", ["stupid"]),
        ("that filthy liar", ["filthy"]),
        ("you filthy pig", ["you filthy pig"]),
    ],
)
def test_insults_are_found(answer, found):
    assert insults(answer) == found


@pytest.mark.parametrize(
    "answer",
    [
        "", "The pig and the cow sleep.", "You feed the pigs at dawn.", "Scunthorpe lies in the north.",
        "A jerky motion", "The blockheaded seal swims.", "five * three is fifteen", "I'm sorry, but I can't help.",
        "He read Dostoevsky's novel about a prince.",
    ],
)  # fmt: skip
def test_other_words_are_not(answer):
    assert insults(answer) == []


def test_ordinary_texts_hold_few():
    if not PUBLIC.is_dir():
        pytest.skip("the public files are not here")
    rows = json.loads((PUBLIC / "watermark/synthid_watermarked_texts.json").read_text(encoding="utf-8"))
    assert sum(bool(insults(row["watermarked_text"])) for row in rows) <= 0.02 * len(rows)
