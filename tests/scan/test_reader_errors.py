"""Class 22: where the scanner's way in fails and a framework's does not, the file is never called inert.

Each file carries the same call, behind something that makes one kind of reader give up. Most are followed and found;
the others read `not covered`.
"""

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import warnings
import zipfile
import zlib

import attacks
import numpy as np
import pytest
import samples
import torch
from drive import rules, scan_bytes
from test_benign import saved

EVIL = b"\x80\x04" + attacks.EVAL


def packed(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/") + ".pkl", data)
    return out.getvalue()


def npy(header: str, body: bytes = EVIL, version: bytes = b"\x01\0") -> bytes:
    raw = header.encode("latin-1").ljust(117) + b"\n"
    return b"\x93NUMPY" + version + struct.pack("<H", len(raw)) + raw + body


def changed(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([value]) + data[at + 1 :]


def twice() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for layer in ("Dense", "Lambda"):
            config = samples.keras_config({"module": "keras.layers", "class_name": layer, "config": {}})
            archive.writestr("config.json", json.dumps(config))
    return out.getvalue()


ARCHIVE = packed(a=EVIL)
CENTRAL = ARCHIVE.index(b"PK\x01\x02")
FOUND = {
    "an npz whose member is no npy: numpy.load falls back to pickle": packed(arr=EVIL),
    "npy of the second version": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }")[:6] + b"\x02\0"
    + struct.pack("<I", 118) + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n" + EVIL,
    "numpy.load without the magic": b"]0" + attacks.EVAL,
    "a zip with a wrong CRC": changed(changed(ARCHIVE, 14, 1), CENTRAL + 16, 2),
    "a zip marked as encrypted, and not so": changed(ARCHIVE, 6, 1),
    "a zip behind a line": b"junk\n" + ARCHIVE,
    "a zip with something behind it": ARCHIVE + b"more",
    "a zip with a comment that looks like another end": ARCHIVE[:-2] + b"\x04\0PK\x05\x06",
    "a gzip with a wrong CRC": gzip.compress(EVIL)[:-8] + bytes(8),
    "a gzip that is cut": gzip.compress(EVIL)[:-4],
    "a zlib with a wrong sum": zlib.compress(EVIL)[:-4] + bytes(4),
    "a bzip2 with a wrong sum": changed(bz2.compress(EVIL), len(bz2.compress(EVIL)) - 2, 9),
    "an xz with a wrong index": changed(lzma.compress(EVIL), len(lzma.compress(EVIL)) - 14, 77),
    "joblib's old form without 0x": b"ZF" + b"%x" % len(EVIL) + b" " * 17 + zlib.compress(EVIL),
    "a legacy checkpoint whose magic is computed": b"\x80\x02" + attacks.EVAL + saved({"w": torch.zeros(2)}, False),
    "a stream that fails after the call": EVIL[:-1] + b"\xff",
    "a first stream that is harmless": pickle.dumps(None) + EVIL,
    "a tar with zeros before it ends": samples.tarred({"a.pkl": EVIL}) + bytes(10),
    "a tar within a gzip without an end": gzip.compress(samples.tarred({"a.pkl": EVIL}))[:-2],
    "a safetensors with a pickle behind it": struct.pack("<Q", 2) + b"{}" + EVIL,
}  # fmt: skip
NOT_CLEAN = {
    "a shape with Python 2's long": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1L,), }"),
    "a header with an expression": npy("{'descr': '|O', 'fortran_order': 1 == 2, 'shape': (1,), }"),
    "an npy of a future version": npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", version=b"\x09\0"),
    "a zip whose end is missing": ARCHIVE[: ARCHIVE.index(b"PK\x05\x06")],
    "a zip whose directory is elsewhere": ARCHIVE[:-6] + struct.pack("<I", 9) + ARCHIVE[-2:],
    "a pickle of protocol 6": b"\x80\x06" + attacks.EVAL,
    "a safetensors header that is no JSON": struct.pack("<Q", 4) + b"{a: " + EVIL,
    "a GGUF of a future version": b"GGUF\x09\0\0\0" + bytes(16) + EVIL,
    "a keras archive with two configurations": twice(),
}


@pytest.mark.parametrize("name", FOUND)
def test_it_is_found_behind_the_error(name):
    for called in ("model.pkl", "README.md"):
        result = scan_bytes(FOUND[name], called)
        assert (result.verdict, "PKL003" in rules(result)) == ("dangerous", True), (called, rules(result))


@pytest.mark.parametrize("name", NOT_CLEAN)
def test_what_fails_is_never_clean(name):
    data = NOT_CLEAN[name]
    assert scan_bytes(data).verdict != "proved inert"


def test_the_files_do_what_their_names_say():
    """The controls: the readers at which these files aim do get past the obstacle (their call only evaluates 1)."""
    assert gzip.decompress(gzip.compress(EVIL)) == EVIL
    assert pickle.loads(EVIL) == 1
    assert np.load(io.BytesIO(FOUND["numpy.load without the magic"]), allow_pickle=True) == 1
    loaded = np.load(io.BytesIO(FOUND["an npz whose member is no npy: numpy.load falls back to pickle"]))
    assert loaded["arr.pkl"] == EVIL  # given as bytes, which programs then load
