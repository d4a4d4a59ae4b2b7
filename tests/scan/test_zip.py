"""Archives that say one thing here and another there, and archives of PyTorch."""

import io
import pickle
import struct
import warnings
import zipfile
import zlib

import pytest
import torch
from attacks import EVAL, zipped
from drive import rules, scan_bytes

from probatum.scan import Budget

EVIL = b"\x80\x04" + EVAL
PLAIN = pickle.dumps([1, 2], 4)


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def central(data: bytes) -> int:
    return data.index(b"PK\x01\x02")


def test_a_plain_archive_is_inert():
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        data = zipped({"a.pkl": PLAIN, "folder/b.txt": b"text\n" * 99}, method)
        assert (scan_bytes(data).verdict, scan_bytes(data).findings) == ("proved inert", ())


def test_an_archive_written_to_a_pipe_is_inert():
    """Then checksums and sizes stand behind the data."""

    class Pipe(io.RawIOBase):
        def __init__(self):
            self.data = b""

        def write(self, part):
            self.data += bytes(part)
            return len(part)

        def writable(self):
            return True

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.pkl", PLAIN)
        archive.writestr("b.txt", "text\n" * 50)
    assert scan_bytes(pipe.data).findings == ()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_code_in_a_member_is_found_with_its_path(method):
    result = scan_bytes(zipped({"readme.txt": b"hello\n", "deep/weights.json": EVIL}, method))
    assert result.verdict == "dangerous"
    assert {f.member for f in result.findings if f.rule == "PKL003"} == {"deep/weights.json"}


def test_an_archive_in_an_archive():
    data = zipped({"inner.zip": zipped({"x": EVIL})}, zipfile.ZIP_DEFLATED)
    assert "inner.zip/x" in {f.member for f in scan_bytes(data).findings}


def test_too_many_levels_are_not_covered():
    data = PLAIN
    for _ in range(9):
        data = zipped({"x": data}, zipfile.ZIP_DEFLATED)
    assert (scan_bytes(data).verdict, rules(scan_bytes(data))) == ("not covered", {"BUD001"})


LIES = {
    "encrypted flag": lambda d: patched(patched(d, 6, b"\x01\x00"), central(d) + 8, b"\x01\x00"),
    "flag in one header": lambda d: patched(d, 6, b"\x01\x00"),
    "other local name": lambda d: patched(d, 30, b"n"),
    "checksum": lambda d: patched(patched(d, 14, bytes(4)), central(d) + 16, bytes(4)),
    "checksum in one header": lambda d: patched(d, 14, bytes(4)),
    "method in one header": lambda d: patched(d, 8, b"\x08\x00"),
    "size in one header": lambda d: patched(d, 22, b"\x01\x00\x00\x00"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_in_a_header_is_said_and_the_code_is_found_all_the_same(lie):
    result = scan_bytes(LIES[lie](zipped({"a.pkl": EVIL})))
    assert rules(result) & {"ZIP001", "ZIP002", "ZIP006"}
    assert "PKL003" in rules(result)


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_about_harmless_content_is_never_inert(lie):
    assert scan_bytes(LIES[lie](zipped({"a.pkl": PLAIN}))).verdict != "proved inert"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "C:\\x", "a\\..\\x", "C:x"])
def test_a_member_that_leaves_the_folder(name):
    assert "ZIP003" in rules(scan_bytes(zipped({name: b"x\n"})))


def test_a_link():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    assert "ZIP003" in rules(scan_bytes(out.getvalue()))


def test_the_same_name_twice():
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")
        archive.writestr("a", PLAIN)
        archive.writestr("a", EVIL)
    assert {"ZIP004", "PKL003"} <= rules(scan_bytes(out.getvalue()))


def test_a_member_that_the_directory_does_not_list():
    """One archive behind the other: the directory of the second knows nothing of the first one's member."""
    hidden = zipped({"hidden": EVIL})
    hidden = hidden[: central(hidden)]
    assert {"ZIP001"} <= rules(scan_bytes(hidden + zipped({"a": PLAIN})))


@pytest.mark.parametrize(("before", "after"), [(b"MZ\x00\x01stub", b""), (b"", b"trailing\x00")])
def test_bytes_around_the_archive(before, after):
    result = scan_bytes(before + zipped({"a": PLAIN}) + after)
    assert "ZIP008" in rules(result)
    assert result.verdict == "not covered"


def test_a_pickle_that_is_an_archive_as_well():
    result = scan_bytes(PLAIN + zipped({"a": PLAIN}))
    assert result.verdict == "dangerous"
    assert "FIL002" in rules(result)


def test_a_bomb_stops_at_its_budget():
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(deflate.compress(bytes(1 << 20)) for _ in range(200)) + deflate.flush()
    size, crc = 1 << 20, 0
    header = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(packed), size, 1, 0)
    local = b"PK\x03\x04" + header + b"x"
    record = b"PK\x01\x02" + b"\x14\x00" + header[:-4] + struct.pack("<HHHHHII", 1, 0, 0, 0, 0, 0, 0) + b"x"
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(record), len(local) + len(packed), 0)
    budget = Budget()
    assert "ZIP005" in rules(scan_bytes(local + packed + record + end, budget=budget))
    assert budget.inflated_used <= 4 << 20
    honest = zipped({"zeros": bytes(100 << 20)}, zipfile.ZIP_DEFLATED)
    assert rules(scan_bytes(honest, budget=Budget(inflated=8 << 20))) == {"BUD001"}
    assert "ZIP005" in rules(scan_bytes(honest))


def test_members_that_overlap():
    data = zipped({"a": PLAIN, "b": PLAIN})
    second = data.index(b"PK\x01\x02", central(data) + 4)
    assert {"ZIP004", "ZIP005", "ZIP001"} & rules(scan_bytes(patched(data, second + 42, bytes(4))))


@pytest.mark.parametrize("cut", [1, 10, 30, 80])
def test_a_cut_archive_is_not_covered(cut):
    assert scan_bytes(zipped({"a": PLAIN})[:-cut]).verdict == "not covered"


def checkpoint(**changes: bytes) -> bytes:
    """A checkpoint of PyTorch, written again with some members changed or added."""
    out = io.BytesIO()
    torch.save({"w": torch.zeros(4), "v": torch.ones(3)}, out)
    archive = zipfile.ZipFile(out)
    members = {name: archive.read(name) for name in archive.namelist()}
    return zipped(members | {f"archive/{k}": v for k, v in changes.items()})


def test_a_checkpoint_of_pytorch():
    assert (scan_bytes(checkpoint()).format, scan_bytes(checkpoint()).findings) == ("torch zip", ())


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"data/9": b"1234"}, "TOR001"),
        ({"data/0": bytes(15)}, "TOR001"),
        ({"data/0": EVIL}, "PKL003"),
        ({"data.pkl": EVIL}, "PKL003"),
        ({"extra/file.bin": EVIL}, "PKL003"),
        ({"constants.pkl": PLAIN}, "TOR002"),
        ({"code/model.py": b"def f(): pass\n"}, "TOR002"),
        ({"data.pkl": PLAIN + b"\x00\xffjunk"}, "PKL014"),
        ({"blob": b"\x00\x01\x02\xff"}, "FIL001"),
    ],
)
def test_what_does_not_belong_into_a_checkpoint(changes, rule):
    assert rule in rules(scan_bytes(checkpoint(**changes)))


def legacy() -> bytes:
    out = io.BytesIO()
    torch.save({"w": torch.zeros(4)}, out, _use_new_zipfile_serialization=False)
    return out.getvalue()


def test_a_legacy_checkpoint_must_end_where_its_blocks_do():
    assert scan_bytes(legacy()).findings == ()
    assert rules(scan_bytes(legacy() + b"more")) == {"TOR003"}
    assert rules(scan_bytes(legacy()[:-1])) == {"TOR003"}
    assert rules(scan_bytes(legacy()[:-20])) == {"TOR003"}


def test_code_in_any_stream_of_a_legacy_checkpoint():
    data = legacy()
    end = data.index(b"\x80\x02", 4)
    assert "PKL003" in rules(scan_bytes(data[:end] + EVIL + data[end:]))


@pytest.mark.parametrize("properties", [b"\xff\0\0\1\0", b"\x5d\xff\xff\xff\xff"], ids=["none such", "4 GiB of memory"])
def test_lzma_properties_that_no_decoder_should_follow(properties):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.bin", b"\0" * 100)
    raw = out.getvalue()
    start = raw.index(b"a.bin") + len("a.bin") + 4
    raw = raw[:start] + properties + raw[start + 5 :]
    result = scan_bytes(raw, "a.zip")
    assert "ZIP007" in rules(result)
    assert "FIL004" not in rules(result)
