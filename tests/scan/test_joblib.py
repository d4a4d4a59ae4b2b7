"""Arrays between opcodes, as joblib writes them: stepped over exactly, and read as opcodes for other loaders too."""

import pickle

import attacks
import numpy as np
import pytest
from benign import dumped
from drive import rules, scan_bytes

HEAD = b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81"
DTYPE = b"cnumpy\ndtype\n(Vu1\nI00\nI01\ntR"
EVIL = attacks.EVAL.removesuffix(b".")


def wrapper(size: bytes = b"I4\n", dtype: bytes = DTYPE, more: bytes = b"", mapped: bytes = b"I00\n") -> bytes:
    """The state of one wrapper and its BUILD."""
    state = (
        b"Vsubclass\ncnumpy\nndarray\nVshape\n(" + size + b"tVorder\nVC\nVdtype\n" + dtype + b"Vallow_mmap\n" + mapped
    )
    return b"(" + state + more + b"db"


ALIGNED = b"Vnumpy_array_alignment_bytes\nI16\n"


@pytest.mark.parametrize("more", [b"", ALIGNED])
@pytest.mark.parametrize("count", [0, 1, 4, 300])
def test_the_bytes_are_stepped_over_exactly(more, count):
    padding = b"\x03\xff\xff\xff" if more else b""
    start = HEAD + wrapper(b"I%d\n" % count, more=more) + padding
    assert scan_bytes(start + b"\0" * count + b".").verdict == "proved inert"
    assert "PKL003" in rules(scan_bytes(start + b"\0" * count + EVIL + b"."))
    assert scan_bytes(start + b"\0" * (count + 1) + b".").verdict == "not covered"
    if count:
        assert scan_bytes(start + b"\0" * (count - 1) + b".").verdict == "not covered"


def test_several_arrays_of_every_order_and_protocol():
    value = [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.ones((3, 4))), np.array(3), np.zeros((0, 2)), "end"]
    for protocol in range(6):
        for method in (0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)):
            assert scan_bytes(dumped(value, method, protocol)).findings == (), (protocol, method)


def test_what_another_loader_would_run():
    """Opcodes in the bytes of an array: joblib skips them, a plain loader runs them."""
    call = attacks.CALL
    data = HEAD + wrapper(b"I%d\n" % len(call)) + call + b"."
    assert rules(scan_bytes(data)) == {"PKL019"}
    worse = HEAD + wrapper(b"I%d\n" % (len(EVIL) + 1)) + EVIL + b".."
    assert (scan_bytes(worse).verdict, "PKL003" in rules(scan_bytes(worse))) == ("dangerous", True)
    behind = HEAD + wrapper(b"I2\n") + b"N." + b"." + attacks.EVAL
    assert scan_bytes(behind).verdict == "dangerous"
    padded = HEAD + wrapper(b"I1\n", more=ALIGNED) + b"cbuiltins\neval\n".ljust(100, b"x") + b"\0."
    assert scan_bytes(padded).verdict == "dangerous"


def test_an_array_of_objects_is_a_pickle_of_its_own():
    objects = DTYPE.replace(b"Vu1", b"VO8")
    start = HEAD + wrapper(b"I1\n", objects)
    assert scan_bytes(start + pickle.dumps([1, 2], 5) + b".").verdict == "proved inert"
    assert "PKL003" in rules(scan_bytes(start + attacks.EVAL + b"."))
    assert "PKL003" in rules(scan_bytes(start + b"N." + EVIL + b"."))
    assert "PKL007" in rules(scan_bytes(HEAD + wrapper(b"I1\n", objects, mapped=b"I01\n") + b"N.."))


@pytest.mark.parametrize("state", [
    wrapper(b"I-1\n"), wrapper(b"V4\n"), wrapper(b"I9223372036854775808\n"), wrapper(dtype=b"Vu1\n"),
    wrapper(dtype=DTYPE.replace(b"Vu1", b"VV0")), wrapper(more=b"Vevil\nI1\n"), wrapper(more=b"I1\nI1\n"),
    wrapper().replace(b"ndarray", b"matrix"), wrapper().replace(b"Vorder", b"Vother"),
    b"(Vshape\n(I4\ntdb", b"}b", wrapper() + b"1234" + HEAD[-3:] + b"g0\n" + wrapper(),
])  # fmt: skip
def test_a_state_that_joblib_does_not_write(state):
    assert scan_bytes(HEAD + state + b"1234.").verdict != "proved inert"


def test_a_wrapper_gets_its_state_once():
    data = HEAD + b"q\x00" + wrapper() + b"1234" + b"0h\x00" + wrapper(more=ALIGNED) + b"\x001234."
    assert "PKL007" in rules(scan_bytes(data))


def test_a_frame_that_goes_on_where_the_array_begins():
    body = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81" + wrapper()
    right = b"\x80\x04\x95" + len(body).to_bytes(8, "little") + body + b"1234."
    assert scan_bytes(right).verdict == "proved inert"
    wrong = b"\x80\x04\x95" + (len(body) + 2).to_bytes(8, "little") + body + b"1234."
    assert "PKL011" in rules(scan_bytes(wrong))


def test_the_old_form_declares_its_length():
    import zlib

    data = pickle.dumps([1, 2, "three"], 2)

    def old(length: int, content: bytes = data) -> bytes:
        return b"ZF" + hex(length).ljust(19).encode() + zlib.compress(content)

    assert (scan_bytes(old(len(data))).format, scan_bytes(old(len(data))).verdict) == ("joblib z-file", "proved inert")
    assert rules(scan_bytes(old(len(data) + 1))) == {"CMP002"}
    assert "PKL003" in rules(scan_bytes(old(7, attacks.EVAL)))
    assert scan_bytes(b"ZF0x10").verdict == "not covered"
