"""Compressed files, tar archives, what is only recognized, and programs."""

import bz2
import gzip
import io
import lzma
import tarfile
import zlib

import joblib
import pytest
from attacks import EVAL, zipped
from drive import rules, scan_bytes
from samples import PLAIN, elf, tarred

from probatum.scan import Budget

EVIL = b"\x80\x04" + EVAL
PACK = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zlib": zlib.compress,
}


@pytest.mark.parametrize("name", PACK)
def test_a_pickle_inside(name):
    good, bad = scan_bytes(PACK[name](PLAIN)), scan_bytes(PACK[name](EVIL), "weights.txt")
    assert (good.format, good.verdict, good.findings) == (name, "proved inert", ())
    assert (bad.format, bad.verdict) == (name, "dangerous")
    assert "PKL003" in rules(bad)


@pytest.mark.parametrize("method", ["zlib", "gzip", "bz2", "lzma", "xz"])
def test_what_joblib_compresses(tmp_path, method):
    path = tmp_path / "x.joblib"
    joblib.dump({"a": [1, 2], "b": "c"}, path, compress=(method, 3))
    assert scan_bytes(path.read_bytes()).verdict == "proved inert"


@pytest.mark.parametrize("name", PACK)
def test_code_before_an_error_is_found(name):
    """Loaders run a pickle before they reach the checksum, or the end that is missing."""
    whole = PACK[name](EVIL + bytes(range(256)) * 400)
    for data in (whole[:-6], whole[:-2] + b"\0\0" if name != "lzma" else whole[:-9]):
        assert {"CMP002", "PKL003"} <= rules(scan_bytes(data))


def test_code_in_the_last_block_before_a_wrong_checksum():
    data = gzip.compress(EVIL)
    assert {"CMP002", "PKL003"} <= rules(scan_bytes(data[:-8] + bytes(8)))
    data = bz2.compress(EVIL)
    assert "CMP002" in rules(scan_bytes(data[:10] + bytes(4) + data[14:]))
    broken = gzip.compress(EVIL + b"x" * 10, 0)[:-9] + b"\xff" * 40
    assert {"CMP002", "PKL003"} <= rules(scan_bytes(broken))


def test_several_streams_are_one():
    cut = len(EVIL) // 2
    result = scan_bytes(gzip.compress(EVIL[:cut]) + gzip.compress(EVIL[cut:]))
    assert {"CMP004", "PKL003"} <= rules(result)
    assert rules(scan_bytes(lzma.compress(PLAIN[:9]) + bytes(4) + lzma.compress(PLAIN[9:]))) == {"CMP004"}
    assert scan_bytes(bz2.compress(PLAIN[:9]) + bz2.compress(PLAIN[9:])).verdict == "proved inert"


def test_the_tail():
    assert scan_bytes(gzip.compress(PLAIN) + bytes(512)).verdict == "proved inert"
    assert {"CMP003", "PKL003"} <= rules(scan_bytes(zlib.compress(PLAIN) + EVIL))
    assert {"CMP003", "FIL002", "PKL003"} <= rules(scan_bytes(gzip.compress(PLAIN) + zipped({"x": EVIL})))


@pytest.mark.parametrize("name", PACK)
def test_a_bomb(name):
    budget = Budget(inflated=80 << 20, ratio=2)
    result = scan_bytes(PACK[name](bytes(70 << 20)), budget=budget)
    assert rules(result) & {"CMP001"}
    assert budget.inflated_used <= budget.inflated


def test_a_budget_that_is_spent():
    assert rules(scan_bytes(gzip.compress(bytes(1 << 20)), budget=Budget(inflated=1 << 16))) == {"BUD001"}


def test_levels():
    data = PLAIN
    for _ in range(9):
        data = gzip.compress(data)
    assert (scan_bytes(data).verdict, rules(scan_bytes(data))) == ("not covered", {"BUD001"})


FORMS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


@pytest.mark.parametrize("form", FORMS)
def test_tar(form):
    long = "/".join(["d" * 40] * 3) + "/" + "n" * 60 + ".pkl" if form else "d" * 90 + "/" + "n" * 90
    good = scan_bytes(tarred({"a.pkl": PLAIN, long: PLAIN, "empty": b"", "t.txt": b"text\n"}, form))
    assert (good.format, good.verdict, good.findings) == ("tar", "proved inert", ())
    bad = scan_bytes(tarred({"readme.txt": b"x\n", long: EVIL}, form))
    assert (bad.verdict, {f.member for f in bad.findings}) == ("dangerous", {long})
    packed = scan_bytes(gzip.compress(tarred({long: EVIL}, form)), "model.nemo.tgz")
    assert {f.member for f in packed.findings} == {f"model.nemo.tar/{long}"}


def entry(name="x", kind=tarfile.REGTYPE, link="", data=b"", **more):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(data)
    for key, value in more.items():
        setattr(info, key, value)
    return info, data


def archive(*entries, form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as file:
        for info, data in entries:
            file.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize(
    ("entries", "rule"),
    [
        ([entry("../x", data=b"a\n")], "TAR001"),
        ([entry("/etc/x", data=b"a\n")], "TAR001"),
        ([entry("a/../../x", data=b"a\n")], "TAR001"),
        ([entry("C:\\x", data=b"a\n")], "TAR001"),
        ([entry("l", tarfile.SYMTYPE, "/etc")], "TAR002"),
        ([entry("d/l", tarfile.SYMTYPE, "../../etc")], "TAR002"),
        ([entry("d/l", tarfile.LNKTYPE, "../etc")], "TAR002"),
        ([entry("l", tarfile.SYMTYPE, "."), entry("l/x", data=b"a\n")], "TAR002"),
        ([entry("l", tarfile.SYMTYPE, "d"), entry("m", tarfile.SYMTYPE, "l/..")], "TAR002"),
        ([entry("l", tarfile.SYMTYPE, "d"), entry("m", tarfile.SYMTYPE, "l/x")], "TAR002"),
        ([entry("l", tarfile.SYMTYPE, "d"), entry("m", tarfile.LNKTYPE, "l")], "TAR002"),
        ([entry("c", tarfile.CHRTYPE)], "TAR003"),
        ([entry("b", tarfile.BLKTYPE)], "TAR003"),
        ([entry("p", tarfile.FIFOTYPE)], "TAR003"),
        ([entry("a", data=b"a\n"), entry("./a", data=b"b\n")], "TAR004"),
        ([entry("a", b"S")], "TAR006"),
        ([entry("a", b"Z")], "TAR006"),
        ([entry("a", data=b"a\n", pax_headers={"GNU.sparse.major": "1"})], "TAR006"),
        ([entry("a", data=b"a\n", pax_headers={"size": "1024"})], "TAR008"),
    ],
)
def test_a_hostile_tar(entries, rule):
    result = scan_bytes(archive(*entries))
    assert rule in rules(result)
    assert result.verdict != "proved inert"


def test_links_inside_are_fine():
    good = [entry("d/a", data=b"a\n"), entry("d/l", tarfile.SYMTYPE, "a"), entry("m", tarfile.LNKTYPE, "d/a")]
    good += [entry("d/k", tarfile.SYMTYPE, "l"), entry("e/f/n", tarfile.SYMTYPE, "../../d/a")]
    assert scan_bytes(archive(*good)).findings == ()


def test_a_prefix_that_only_some_readers_see():
    data = bytearray(tarred({"a": PLAIN}, tarfile.GNU_FORMAT))
    data[345:350] = b"other"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    with tarfile.open(fileobj=io.BytesIO(bytes(data))) as file:
        assert file.getnames() == ["other/a"]
    assert rules(scan_bytes(bytes(data))) == {"TAR008"}


def test_a_broken_tar():
    data = tarred({"a": PLAIN, "b": PLAIN})
    assert "TAR005" in rules(scan_bytes(data[:1024]))
    assert "TAR005" in rules(scan_bytes(data[:1024] + b"x" + data[1025:]))
    assert "TAR007" in rules(scan_bytes(data[:1000] + b"x" + data[1001:]))
    behind = scan_bytes(data + tarred({"c": EVIL}))
    assert {"TAR007", "PKL003"} <= rules(behind)


@pytest.mark.parametrize(
    "data",
    [b"7z\xbc\xaf\x27\x1c" + bytes(40), b"Rar!\x1a\x07\x01\0" + bytes(40), b"\x28\xb5\x2f\xfd" + bytes(40),
     b"\x04\x22\x4d\x18" + bytes(40), bytes(4) + b"TFL3" + bytes(40)],
)  # fmt: skip
def test_recognized_only(data):
    assert scan_bytes(data).verdict == "not covered"
    assert rules(scan_bytes(data)) & {"CMP005", "FMT001"}


PROGRAMS = {
    "ELF": elf(),
    "PE": b"MZ" + bytes(58) + (64).to_bytes(4, "little") + b"PE\0\0" + bytes(60),
    "Mach-O": b"\xcf\xfa\xed\xfe" + bytes(60),
    "wasm": b"\0asm\x01\0\0\0",
    "python bytecode": compile("x = 1", "x", "exec").co_code.join([b"\xa7\r\r\n" + bytes(12), b""]),
    "java class": b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(20),
    "java objects": b"\xac\xed\0\x05sr" + bytes(20),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name):
    result = scan_bytes(PROGRAMS[name])
    assert (result.format, result.verdict) == (name, "executes unknown code")
    inside = scan_bytes(zipped({"lib/custom.txt": PROGRAMS[name]}))
    assert {f.member for f in inside.findings} == {"lib/custom.txt"}
