"""A thousand honest files of every format: none raises an alarm."""

import gzip
import pickle

import benign
import pictures
import pytest
from drive import rules, scan_bytes

from probatum.scan.formats import FORMATS

COUNT = 1000


def test_no_false_alarms():
    wrong, formats, misread = [], set(), 0
    for kind, name, data, verdict in benign.files(COUNT):
        result = scan_bytes(data, name)
        formats.add(result.format)
        if kind == "pickles_in_a_row" and rules(result) == {"PKL019"}:
            misread += 1
        elif result.verdict != verdict:
            wrong.append((kind, name, result.verdict, [(f.rule, f.member, f.message) for f in result.findings]))
    assert wrong == []
    assert misread <= 2
    named = {
        "gzip",
        "bzip2",
        "xz",
        "lzma",
        "zlib",
        "joblib z-file",
        "torch zip",
        "pmml",
        "svg",
        "toml",
        "ELF",
        "7z",
        *pictures.MADE,
    }
    assert {f.NAME for f in FORMATS} - formats <= {
        "compressed",
        "executable",
        "opaque",
        "tensorflow graph",
        "install",
        "image",
        "git",
    }
    assert named <= formats


def test_estimators_are_named():
    for made in benign.estimators():
        result = scan_bytes(benign.dumped(made, ("zlib", 3), 4))
        assert (result.verdict, result.format) == ("executes unknown code", "zlib")
        assert any(type(made).__name__ in f.message for f in result.findings)


@pytest.mark.parametrize("name", benign.RECOGNIZED)
def test_what_is_only_recognized_has_its_name(name):
    result = scan_bytes(benign.RECOGNIZED[name] + bytes(200), "file")
    assert result.verdict == "not covered"
    assert rules(result) & {"CMP005", "FMT001"}
    assert result.format not in ("unknown", "opaque")


@pytest.mark.parametrize("text", ["ORCHID\n", "binfmt\n", "LZIP is a format\n", "ID3 tags\n", "Obj\x01"])
def test_letters_at_the_beginning_of_a_text_make_no_other_format(text):
    assert (scan_bytes(text.encode(), "notes.txt").format == "text") is text.endswith("\n")


@pytest.mark.parametrize("value", [
    b"x\x9c", b"x\x01ab", b"BZh and more", b"\x80\x04", b"\x80\x02 some bytes", b"\x1f\x8b\x08",
    "gAsoline is a text of a tank", [f"80{n:025}" for n in range(400)], [f"80{n:026}" for n in range(400)],
    [f"eA text, number {n:020}" for n in range(400)], "78 and 9c are bytes of a header",
])  # fmt: skip
def test_a_few_bytes_like_an_archive_are_data(value):
    for protocol in range(6):
        assert scan_bytes(pickle.dumps(value, protocol)).findings == ()


@pytest.mark.parametrize("start", ["The code", "BSD 3-Clause", "This work", "Jane", "Meta", "Go on", "X is"])
def test_long_texts_that_begin_like_an_opcode_with_a_length(start):
    """Four letters as a length ask for more than a gigabyte, which no text has."""
    text = (start + " is licensed under these terms.\n") * 400
    assert scan_bytes(text.encode(), "noname").findings == ()
    assert scan_bytes(gzip.compress(text.encode()), "README.gz").findings == ()
