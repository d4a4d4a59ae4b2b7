"""npy, npz, GGUF, MessagePack and HDF5."""

import io
import pickle
import struct

import numpy as np
import pytest
from attacks import EVAL, zipped
from drive import rules, scan_bytes
from samples import PLAIN, flax, gguf, hdf5, marray, mtext, npy, template, text

EVIL = b"\x80\x04" + EVAL
KINDS = "? b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16 S3 U4 V5 M8[ns] m8[10us] >f4 >i8 >U2"


@pytest.mark.parametrize("kind", KINDS.split())
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 4)])
def test_npy(kind, shape):
    data = npy(np.zeros(shape, dtype=kind))
    assert (scan_bytes(data).format, scan_bytes(data).findings) == ("npy", ())
    assert rules(scan_bytes(data + b"\0")) == {"NPY002"} or {"NPY002"} < rules(scan_bytes(data + b"\0"))


def test_npy_versions_order_fields_and_several_arrays():
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    fields = np.zeros(2, dtype=[("a", "<f4"), ("b", "<i8", (2, 2)), ("c", [("d", "U4")])])
    for version in ((1, 0), (2, 0), (3, 0)):
        out = io.BytesIO()
        np.lib.format.write_array(out, array, version=version)
        assert scan_bytes(out.getvalue()).findings == ()
    assert scan_bytes(npy(fields)).findings == ()
    assert scan_bytes(npy(array) + npy(fields)).findings == ()


def test_npy_with_objects_is_a_pickle():
    result = scan_bytes(npy(np.array([{}, 1], dtype=object), allow_pickle=True))
    assert "NPY003" in rules(result)
    assert result.verdict != "dangerous"
    head = npy(np.array([None], dtype=object), allow_pickle=True)
    head = head[: head.index(b"\n") + 1]
    assert {"NPY003", "PKL003"} <= rules(scan_bytes(head + EVIL))
    assert scan_bytes(head.replace(b"'|O'", b"[('a', '|O')]").replace(b" " * 9, b"", 1) + EVIL).verdict == "dangerous"


def header(said: bytes, data: bytes = b"") -> bytes:
    said += b" " * (-len(said) % 64) + b"\n"
    return b"\x93NUMPY\x01\0" + struct.pack("<H", len(said)) + said + data


@pytest.mark.parametrize(
    "said",
    [
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}" + b"; import os",
        b"{'descr': print, 'fortran_order': False, 'shape': (2,)}",
        b"{'descr': '<f8', 'descr': '|O', 'fortran_order': False, 'shape': (2,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (2,), 'more': 1}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-2,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': 2}",
        b"{'descr': '<f8', 'fortran_order': 0, 'shape': (2,)}",
        b"{'descr': '<f8' 'fortran_order': False, 'shape': (2,)}",
        b"{'descr': 'f8,O', 'fortran_order': False, 'shape': (2,)}",
        b"{'descr': '\\x7cO', 'fortran_order': False, 'shape': (2,)}",
        b"(" * 3000,
        b"",
    ],
)
def test_a_header_that_is_not_numpys(said):
    result = scan_bytes(header(said, bytes(16)))
    assert rules(result) == {"NPY001"}


def test_npz():
    out = io.BytesIO()
    np.savez(out, a=np.arange(3), b=np.zeros((2, 2)))
    assert (scan_bytes(out.getvalue()).verdict, scan_bytes(out.getvalue()).findings) == ("proved inert", ())
    head = npy(np.array([None], dtype=object), allow_pickle=True)
    bad = scan_bytes(zipped({"a.npy": npy(np.arange(3)), "b.npy": head[: head.index(b"\n") + 1] + EVIL}))
    assert "PKL003" in rules(bad)
    assert {f.member.split("#")[0] for f in bad.findings} == {"b.npy"}


def test_gguf():
    assert (scan_bytes(gguf()).format, scan_bytes(gguf()).findings) == ("gguf", ())
    blocks = [("q", [32, 1], 8, 0)]
    assert scan_bytes(gguf(tensors=blocks)[:-30]).findings == ()
    assert scan_bytes(gguf(tensors=[])[:-64]).findings == ()


@pytest.mark.parametrize(
    ("tensors", "rule"),
    [
        ([("w", [8], 0, 0), ("b", [8], 0, 0)], "GGF002"),
        ([("w", [9], 0, 0), ("b", [8], 0, 32)], "GGF002"),
        ([("w", [8], 0, 8)], "GGF002"),
        ([("w", [8], 0, 32)], "GGF002"),
        ([("w", [8], 0, 0), ("b", [99], 0, 32)], "GGF002"),
        ([("w", [8], 0, 0), ("w", [8], 0, 32)], "GGF002"),
        ([("w", [1 << 40, 1 << 40], 0, 0)], "GGF002"),
        ([("w", [7], 2, 0)], "GGF002"),
        ([("w", [8], 77, 0)], "GGF002"),
        ([("w", [8], 0, 0)], "GGF003"),
    ],
)
def test_tensors_of_gguf(tensors, rule):
    result = scan_bytes(gguf(tensors=tensors))
    assert rule in rules(result)
    assert result.verdict != "proved inert"


@pytest.mark.parametrize(
    "pair",
    [
        text("a") + struct.pack("<I", 99),
        text("a") + struct.pack("<IQ", 8, 1 << 60),
        text("a") + struct.pack("<IIQ", 9, 4, 1 << 60),
        text("a") + struct.pack("<IIQ", 9, 9, 1) * 9,
        struct.pack("<Q", 1 << 63) + b"a",
        b"\x01" + bytes(7) + b"\xff" + struct.pack("<I", 4) + bytes(4),
        text("general.alignment") + struct.pack("<II", 4, 3),
        template("x") + template("y"),
        text("tokenizer.chat_template") + struct.pack("<II", 4, 3),
    ],
)
def test_pairs_of_gguf(pair):
    result = scan_bytes(gguf(pairs=[pair]))
    assert result.verdict != "proved inert"


def test_a_chat_template_is_a_member():
    for key in ("tokenizer.chat_template", "tokenizer.chat_template.tool_use"):
        result = scan_bytes(gguf(pairs=[template("{{ ''.__class__.__mro__ }}", key)]))
        assert result.verdict != "proved inert"
        assert all(f.member.endswith("tokenizer.chat_template") for f in result.findings)
        assert result.findings


def test_an_archive_behind_gguf():
    assert {"GGF003", "FIL002", "PKL003"} <= rules(scan_bytes(gguf() + zipped({"data.pkl": EVIL})))


def test_flax():
    result = scan_bytes(flax())
    assert (result.format, result.verdict, result.findings) == ("msgpack", "proved inert", ())
    for leaf in (marray((), "float32", bytes(4)), marray((2,), "bfloat16", bytes(4)), b"\xc7\x03\x02\x92\x01\x02"):
        assert scan_bytes(flax(leaf)).findings == ()
    long = b"\xdf\x00\x00\x08\x00" + b"".join(mtext(f"key{n}") + marray() for n in range(2048))
    assert scan_bytes(long).findings == ()


@pytest.mark.parametrize(
    ("leaf", "rule"),
    [
        (b"\xc7\x04\x2a" + bytes(4), "MSG002"),
        (marray((2, 3), "float32", bytes(23)), "MSG002"),
        (marray((2, 3), "object", bytes(48)), "MSG002"),
        (b"\xc7\x04\x01" + bytes(4), "MSG002"),
        (b"\xc1", "MSG001"),
        (b"\xc6\xff\xff\xff\xff", "MSG001"),
        (b"\xdd\xff\xff\xff\xff", "MSG001"),
        (b"\x91" * 2000 + b"\x01", "MSG001"),
    ],
)
def test_a_leaf_that_is_wrong(leaf, rule):
    deep = b"\x82" + mtext("params") + b"\x81" + mtext("x" * 25) + b"\xda\x20\x00" + b"x" * 8192 + mtext("y") + leaf
    assert rule in rules(scan_bytes(deep))


def test_what_stands_behind_or_inside_msgpack():
    assert scan_bytes(flax() + EVIL).verdict != "proved inert"
    long = b"\xdf\x00\x00\x08\x00" + b"".join(mtext(f"key{n}") + marray() for n in range(2048))
    assert {"MSG003", "PKL003"} <= rules(scan_bytes(long + EVIL))
    result = scan_bytes(flax(b"\xc4" + bytes((len(EVIL),)) + EVIL))
    assert {"PKL015", "PKL003"} <= rules(result)


LAMBDA = {"class_name": "Lambda", "config": {"name": "l", "function": {"class_name": "__lambda__", "config": {}}}}


def test_hdf5_is_inert_and_its_configuration_is_found():
    good, bad = scan_bytes(hdf5()), scan_bytes(hdf5(LAMBDA))
    assert (good.format, good.verdict, rules(good)) == ("hdf5", "proved inert", set())
    assert (bad.verdict, rules(bad)) == ("executes unknown code", {"KER001"})
    assert {"HDF001", "KER001"} <= rules(scan_bytes(hdf5(LAMBDA)[:-8]))
    assert scan_bytes(bytes(512) + hdf5(LAMBDA)).format == "hdf5"


def test_pickles_are_still_pickles():
    for value in ({}, {"a": 1}, list(range(20)), "x" * 300):
        for protocol in range(6):
            assert scan_bytes(pickle.dumps(value, protocol)).format == "pickle"
    assert scan_bytes(PLAIN).format == "pickle"
