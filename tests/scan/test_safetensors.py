"""safetensors, strictly."""

import json
import struct

import pytest
from attacks import EVAL, zipped
from drive import rules, scan_bytes


def written(header: object, data: bytes = b"") -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw)) + raw + data


def tensor(begin: int, end: int, dtype: str = "F32", shape: list | None = None) -> dict:
    return {"dtype": dtype, "shape": [(end - begin) // 4] if shape is None else shape, "data_offsets": [begin, end]}


GOOD = {"__metadata__": {"format": "pt"}, "a": tensor(0, 8), "b": tensor(8, 16)}


def test_a_good_file():
    result = scan_bytes(written(GOOD, bytes(16)))
    assert (result.format, result.verdict, result.findings) == ("safetensors", "proved inert", ())


@pytest.mark.parametrize(
    ("header", "size", "rule"),
    [
        (b'{"a": 1, "a": 2}', 0, "SFT001"),
        (b'{"a": ', 0, "SFT001"),
        (b"{" + b'"a":{' * 60_000, 0, "SFT001"),
        ({"__metadata__": {"x": 1}}, 0, "SFT001"),
        ({"a": {"dtype": "F32", "shape": [1]}}, 4, "SFT001"),
        ({"a": tensor(0, 4) | {"more": 1}}, 4, "SFT001"),
        ({"a": tensor(0, 4, "PICKLE")}, 4, "SFT001"),
        ({"a": tensor(0, 4, shape=[-1])}, 4, "SFT001"),
        ({"a": tensor(0, 4, shape=[True])}, 4, "SFT001"),
        ({"a": tensor(0, 8), "b": tensor(4, 12)}, 12, "SFT002"),
        ({"a": tensor(0, 8), "b": tensor(12, 16)}, 16, "SFT002"),
        ({"a": tensor(0, 8, shape=[3])}, 8, "SFT002"),
        ({"a": tensor(0, 8, shape=[1 << 40, 1 << 40])}, 8, "SFT002"),
        ({"a": tensor(4, 8)}, 8, "SFT002"),
        (GOOD, 12, "SFT002"),
        (GOOD, 20, "SFT003"),
    ],
)
def test_a_bad_file(header, size, rule):
    result = scan_bytes(written(header, bytes(size)))
    assert rule in rules(result)
    assert result.verdict != "proved inert"


def test_a_length_beyond_the_library():
    assert scan_bytes(struct.pack("<Q", 1 << 40) + b"{" + b" " * 99).verdict == "not covered"


def test_an_archive_behind_the_tensors():
    result = scan_bytes(written(GOOD, bytes(16)) + zipped({"data.pkl": b"\x80\x04" + EVAL}))
    assert {"SFT003", "FIL002", "PKL003"} <= rules(result)


def test_a_file_that_is_a_pickle_as_well():
    """The length is BINUNICODE of 21 bytes, which ends inside the header, where the code stands."""
    length = 0x58 + (21 << 8)
    header = b'{"__metadata__":{"' + EVAL + b'":"'
    header += b"x" * (length - len(header) - 3) + b'"}}'
    data = struct.pack("<Q", length) + header
    assert data[:5] == b"X\x15\x00\x00\x00"
    assert data[26:].startswith(EVAL)
    assert {"FIL002", "PKL003"} <= rules(scan_bytes(data))
