"""Whatever the bytes: no exception, steps in proportion to the bytes, no huge allocation. `fuzzed.py N` runs more."""

import io
import subprocess
import sys
import zipfile
from pathlib import Path

import fuzzed
import hypothesis
import hypothesis.strategies as st
import pytest
from drive import rules, scan_bytes

from probatum.scan.pickle.opcodes import COUNTED, FIXED, LINES, NAMES

SETTINGS = hypothesis.settings(
    max_examples=400, deadline=None, derandomize=True, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)
NO_NUL = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
LINE = st.sampled_from(
    [b"0", b"1", b"I", b"5L", b"0x1", b"builtins", b"eval", b"numpy", b"dtype", b"'x'", b"", b"\xff"]
)


def opcode(code: int) -> st.SearchStrategy[bytes]:
    """One opcode with an argument that is mostly well-formed."""
    head = bytes([code])
    if code in COUNTED:
        size = COUNTED[code]
        return st.binary(max_size=12).map(lambda b: head + len(b).to_bytes(size, "little") + b)
    if code in LINES:
        return st.lists(LINE, min_size=LINES[code], max_size=LINES[code]).map(
            lambda lines: head + b"".join(x + b"\n" for x in lines)
        )
    return st.binary(min_size=FIXED.get(code, 0), max_size=FIXED.get(code, 0)).map(lambda b: head + b)


STREAMS = st.lists(st.one_of([opcode(code) for code in NAMES]), max_size=60).map(b"".join)
STARTS = [
    b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\0", b"BZh91AY&SY", b"\xfd7zXZ\0", b"]\0\0\x80\0", b"x\x9c", b"ZF0x10",
    b"\x93NUMPY\x01\0", b"GGUF\x03\0\0\0", b"\x89HDF\r\n\x1a\n", b"\x08\x08\x12\x02", b"\n\x05\n\x03", b"\x82\xa1a",
    b"MZ", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", b"{\"a\":", b"{% if", b"{{ ", b"<?xml ", b"<svg ", b"<html>",
    b"#!/bin/sh\n", b"import os\n", b"a: !!python/", b"[tool]\n", b"\x08\0\0\0\0\0\0\0{}", b"\x03\0\0\0\x01\0\0\0",
]  # fmt: skip
NAMED = ["m.pkl", "a.py", "c.yaml", "t.jinja", "x.xml", "p.html", "config.json", "pyproject.toml", "requirements.txt",
         "n.ipynb", "r.sh", "README.md", "w.npy", "noname"]  # fmt: skip


@SETTINGS
@hypothesis.given(st.sampled_from([b"", b"\x80\x02", b"\x80\x04", b"\x80\x05"]), STREAMS, st.sampled_from([b"", b"."]))
def test_any_opcodes(start, stream, stop):
    assert fuzzed.checked(start + stream + stop, "m.pkl")[1] == []


@SETTINGS
@hypothesis.given(st.sampled_from(STARTS), st.binary(max_size=300), st.sampled_from(NAMED))
def test_any_bytes_behind_any_beginning(start, rest, name):
    assert fuzzed.checked(start + rest, name)[1] == []


@SETTINGS
@hypothesis.given(st.text(max_size=300), st.sampled_from(STARTS), st.sampled_from(NAMED))
def test_any_text_under_any_name(text, start, name):
    assert fuzzed.checked(start + text.encode("utf-8", "surrogatepass"), name)[1] == []


@SETTINGS
@hypothesis.given(
    st.lists(st.tuples(st.text(NO_NUL, min_size=1, max_size=9), st.binary(max_size=60)), max_size=4),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_any_archive(members, method, changes):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name.encode("utf-8", "replace").decode(), data)
    raw = bytearray(out.getvalue())
    for at, value in changes:
        raw[at % len(raw)] = value
    assert fuzzed.checked(bytes(raw), "a.zip")[1] == []


def test_mutated_files():
    outcome = fuzzed.run(5000, seed=3)
    assert outcome["wrong"] == []
    assert outcome["files"] == 5000


def test_a_broken_end_is_looked_for_in_few_calls():
    """The bytes before an error are found piece by piece, so many small members cannot take hours."""
    import bz2
    import time

    data = bytearray(bz2.compress(b"\0" * 900_000))
    data[-12] ^= 255
    start = time.process_time()
    result = scan_bytes(bytes(data), "a.bz2")
    assert "CMP002" in rules(result)
    assert time.process_time() - start < 2


HUGE = {
    "npy": b"\x93NUMPY\x01\0v\0{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,), }".ljust(128)
    + b"\n",
    "gguf": b"GGUF\x03\0\0\0" + b"\xff" * 16,
    "gguf string": b"GGUF\x03\0\0\0" + bytes(8) + b"\x01" + bytes(7) + b"\xff\xff\xff\x7f" + bytes(4) + b"x",
    "safetensors": (1 << 40).to_bytes(8, "little") + b'{"a":1}',
    "pickle text": b"\x80\x04\x8d\xff\xff\xff\xff\xff\0\0\0abc.",
    "pickle memo": b"\x80\x02Nr\xff\xff\xff\xff.",
    "pickle bytearray": b"\x80\x05\x96\xff\xff\xff\xff\xff\0\0\0abc.",
    "pickle number": b"\x80\x02\x8b\xff\xff\xff\x7fabc.",
    "number of many digits": b"\x80\x02L" + b"9" * 5000 + b"L\n.",
    "xz": b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x02\0!\x01\x28\0\0\0" + b"\xff" * 40,
    "lzma": b"]\0\0\0\x7f" + b"\xff" * 8 + bytes(60),
    "msgpack": b"\xdf\xff\xff\xff\xff\xa1a\xdd\xff\xff\xff\xff",
    "onnx": b"\x08\x08\x3a\xff\xff\xff\xff\x0f",
    "tar": b"a".ljust(124, b"\0") + b"77777777777\0".ljust(133, b"\0") + b"ustar\0".ljust(255, b"\0"),
    "zip": b"PK\x05\x06" + bytes(4) + b"\xff\xff\xff\xff" + b"\xff\xff\xff\xff" * 2 + bytes(2),
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
def test_no_number_in_a_header_is_an_allocation(tmp_path):
    """All of them in one process."""
    for name, data in HUGE.items():
        (tmp_path / name).write_bytes(data)
    code = (
        "import resource, sys\nfrom probatum.scan import scan\n"
        "resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20))\n"
        "result = scan([sys.argv[1]])\n"
        "print(len(result.files), sorted({f.rule for r in result.files for f in r.findings}))\n"
        "print(next(x.split()[1] for x in open('/proc/self/status') if x.startswith('VmHWM')))\n"
    )
    path = str(Path(fuzzed.__file__).parents[2] / "src")
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env={"PYTHONPATH": path}, capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()
    first, last = ran.stdout.decode().splitlines()
    assert first.startswith(str(len(HUGE)))
    assert "FIL004" not in first
    assert int(last) < 60_000  # KiB
