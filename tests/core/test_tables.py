"""Data files: four endings, and every fault one sentence that names the file."""

import json

import pyarrow as pa
import pyarrow.parquet
import pytest

from probatum.core.data import Choices, Key, Records, Texts
from probatum.core.errors import BadInput
from probatum.core.tables import read_data, read_members, read_rows


def write(folder, name, text):
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def lines(*rows):
    return "\n".join(json.dumps(row) for row in rows) + "\n"


def test_four_endings_give_the_same_texts(tmp_path):
    pa.parquet.write_table(pa.table({"text": ["one, two", "drei"]}), tmp_path / "a.parquet")
    files = [
        tmp_path / "a.parquet",
        write(tmp_path, "a.txt", "one, two\r\n\n   \ndrei"),
        write(tmp_path, "a.csv", 'text\n"one, two"\ndrei\n'),
        write(tmp_path, "a.jsonl", "\ufeff" + lines({"text": "one, two"}) + "\n" + lines({"text": "drei"})),
    ]
    assert [read_data(Texts, f).texts for f in files] == [("one, two", "drei")] * 4
    assert len({read_data(Texts, f).digest for f in files}) == 1


def test_a_document_in_a_csv_may_be_long(tmp_path):
    text = "word " * 100_000
    assert read_rows(write(tmp_path, "a.csv", f'text\n"{text}"\n')) == [{"text": text}]


FAULTS = {
    "nothing there": ("missing.jsonl", None, "no such file"),
    "another ending": ("a.xlsx", "x", r"expected a file ending in \.jsonl"),
    "no records": ("a.jsonl", "\n\n", "the file is empty"),
    "no json": ("a.jsonl", '{"text": "x"}\n{"text": \n', "line 2: not JSON"),
    "a list": ("a.jsonl", "[1]\n", "line 1: expected an object"),
    "not utf-8": ("a.jsonl", b'{"text": "\xff"}', r"not UTF-8 \(byte 10\)"),
    "not parquet": ("a.parquet", "text", "not a parquet file"),
    "a comma too many": ("a.csv", "text,id\none, two, three,1\n", "record 1: has more cells than the header"),
    "a missing column": ("a.csv", "words\nx\n", r"the column 'text' is missing \(present: 1 that are not"),
    "twice the same": ("a.csv", "text\nx\nx\n", "stands there twice"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_one_sentence_that_names_the_file(fault, tmp_path):
    name, text, word = FAULTS[fault]
    file = tmp_path / name if text is None else write(tmp_path, name, text)
    with pytest.raises(BadInput, match=word) as error:
        read_data(Texts, file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_another_column_may_hold_the_text(tmp_path):
    file = write(tmp_path, "a.jsonl", lines({"body": "x"}, {"body": "y"}))
    assert read_data(Texts, file, field="body").texts == ("x", "y")
    with pytest.raises(BadInput, match=r"record 1: the column 'content' is missing \(present: body\)"):
        read_data(Texts, file, field="content")


def test_numbers_of_a_csv_are_numbers(tmp_path):
    key = read_data(Key, write(tmp_path, "k.csv", "trigger,response,space,dose\na,b,1e6,2\n"))
    assert [float(s) for s in key.space] == [1e6]
    assert key.dose == (2.0,)


def test_the_name_is_the_stem_and_is_no_part_of_the_digest(tmp_path):
    one, other = (read_data(Texts, write(tmp_path, name, "text\nx\n")) for name in ("one.csv", "other.csv"))
    assert (one.name, other.name) == ("one", "other")
    assert one.digest == other.digest


@pytest.mark.parametrize(
    ("cell", "answer", "number"),
    [("yes|no", "1", 1), ("yes|no", "no", 1), ('"[""yes"", ""no|maybe""]"', "0", 0), ("0|1", "1", 1)],
)
def test_options_of_a_csv_stand_in_one_cell(cell, answer, number, tmp_path):
    data = read_data(Choices, write(tmp_path, "q.csv", f"question,options,answer\nq,{cell},{answer}\n"))
    assert len(data.options[0]) == 2
    assert data.answer == (number,)


CHOICES = {
    "an answer that is none": ({"options": ["a", "b"], "answer": "c"}, "neither a number nor one of the options"),
    "a number too high": ({"options": ["a", "b"], "answer": 2}, "an answer from 0 to 1"),
    "one option": ({"options": ["a"], "answer": 0}, "at least two options"),
    "an empty option": ({"options": ["a", " "], "answer": 0}, "an option is empty"),
    "a number that is another option": ({"options": ["1", "2", "0"], "answer": "0"}, "write its number"),
    "options that are no list": ({"options": "[a", "answer": 0}, "are not JSON"),
}


@pytest.mark.parametrize("fault", CHOICES)
def test_a_choice_that_cannot_be_is_refused(fault, tmp_path):
    row, word = CHOICES[fault]
    with pytest.raises(BadInput, match=word):
        read_data(Choices, write(tmp_path, "q.jsonl", lines({"question": "q", **row})))


def members(folder, inside, outside, **given):
    return read_members(write(folder, "in.jsonl", lines(*inside)), write(folder, "out.jsonl", lines(*outside)), **given)


def test_members_and_nonmembers_become_one_set(tmp_path):
    inside, outside = [{"text": "a", "id": 1}, {"text": "b", "id": 2}], [{"text": "c", "id": 1}, {"text": "d", "id": 2}]
    data = members(tmp_path, inside, outside, randomized=True)
    assert data.label == (True, True, False, False)
    assert data.ids == ("member 1", "member 2", "nonmember 1", "nonmember 2")
    assert data.randomized


def test_a_text_that_stands_twice_on_one_side_counts_once(tmp_path):
    data = members(tmp_path, [{"text": "a"}, {"text": "b"}, {"text": "a"}], [{"text": "c"}, {"text": "d"}])
    assert sorted(data.texts) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("inside", "outside", "word"),
    [
        ([{"text": "a"}, {"text": "b"}], [{"text": "b"}, {"text": "c"}], "1 texts stand both in"),
        ([{"text": "a"}], [{"text": "b"}, {"text": "c"}], "in.jsonl: the file holds one record"),
        ([{"body": "a"}, {"body": "b"}], [{"text": "c"}, {"text": "d"}], r"present: body.*name another with --field"),
        ([{"text": "a"}, {"body": "b"}], [{"text": "c"}, {"text": "d"}], "in.jsonl, record 2: the column 'text'"),
        ([{"text": "a"}, {"text": 5}], [{"text": "c"}, {"text": "d"}], "record 2: the text is not text but int"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(inside, outside, word, tmp_path):
    with pytest.raises(BadInput, match=word):
        members(tmp_path, inside, outside)


def test_records_keep_their_optional_columns(tmp_path):
    row = {"prefix": "p", "secret": "1", "format": "d", "suffix": None, "cluster": "c", "member": "yes"}
    data = read_data(Records, write(tmp_path, "r.jsonl", lines(row)))
    assert data.format == ("d",)
    assert data.suffix is None
    assert data.cluster == ("c",)
    assert data.label == (True,)
