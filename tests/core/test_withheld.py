"""What an exception may say, and what it may not."""

import traceback

import pytest

from probatum.core.data import Choices, Members, Records
from probatum.core.withheld import Withheld, withheld

DATA = {
    "Members": Members.from_rows(
        [
            {"text": "Ottilie Quagmire keeps 4711 marks\nin the blue vault.", "member": True},
            {"text": "A letter about nothing.", "member": False},
        ]
    ),
    "Records": Records.from_rows([{"prefix": "The code is ", "secret": "xyzzy"}]),
    "Choices": Choices.from_rows([{"question": "Which river is long?", "options": ["Nile", "Wey"], "answer": 0}]),
}

QUOTES = {
    "a whole text": ValueError(DATA["Members"].texts[0]),
    "its representation": KeyError(DATA["Members"].texts[0]),
    "a part in capitals": ValueError("cannot read QUAGMIRE  KEEPS"),
    "a number of it": ValueError("no such entry: 4711"),
    "one word, as a key": KeyError("vault"),
    "a short secret": ValueError("got xyzzy here"),
    "representation of all": ValueError(repr(DATA["Records"])),
}
INNOCENT = {
    "an index": IndexError("index 12 is out of bounds for axis 0 with size 5"),
    "types": TypeError("'NoneType' object is not iterable"),
    "a name in code that is a word of a text": AttributeError("'Scores' object has no attribute 'letter'"),
    "data that are not private": ValueError("cannot read 'Which river is long?'"),
    "nothing": ValueError(),
}


@pytest.mark.parametrize("case", QUOTES)
def test_a_message_that_quotes_the_data_is_withheld(case):
    stand_in = withheld(QUOTES[case], DATA)
    assert isinstance(stand_in, Withheld)
    assert str(stand_in).startswith(f"{type(QUOTES[case]).__name__}: its message quotes the data")


@pytest.mark.parametrize("case", INNOCENT)
def test_another_message_is_shown(case):
    assert withheld(INNOCENT[case], DATA) is INNOCENT[case]


def test_without_private_data_everything_is_shown():
    assert withheld(QUOTES["a whole text"], {"Choices": DATA["Choices"]}) is QUOTES["a whole text"]


def raised(how):
    try:
        how()
    except Exception as error:
        return error


def from_a_cause():
    try:
        raise KeyError("vault")
    except KeyError as error:
        raise RuntimeError("broken") from error


def in_a_handler():
    try:
        raise KeyError("vault")
    except KeyError:
        raise RuntimeError("broken")  # noqa: B904


def in_a_group():
    raise ExceptionGroup("broken", [ValueError("fine"), KeyError("vault")])


def with_a_note():
    error = RuntimeError("broken")
    error.add_note("while reading 'vault'")
    raise error


@pytest.mark.parametrize("how", [from_a_cause, in_a_handler, in_a_group, with_a_note])
def test_what_stands_behind_an_exception_is_read_too_and_its_place_is_kept(how):
    error = raised(how)
    stand_in = withheld(error, DATA)
    assert stand_in is not error
    printed = "".join(traceback.format_exception(stand_in))
    assert f"in {how.__name__}" in printed
    assert printed.count("Traceback (most recent call last)") == 1  # nothing of the chain
    assert "vault" not in printed.split("Withheld: ")[1]
