"""HDF5 by its structure: honest files are inert, what hides or leads away is found, no bytes lead the reader astray."""

import json
import pickle
import random
import struct
import zlib

import hdf5_bytes as h5
import pytest
from attacks import EVAL
from drive import rules, scan_bytes
from samples import hdf5, keras_config

from probatum.scan import Budget

LAMBDA = {"class_name": "Lambda", "config": {"name": "l", "function": {"class_name": "__lambda__", "config": {}}}}
HONEST, BAD = json.dumps(keras_config()), json.dumps(keras_config(LAMBDA))
EVIL = b"\x80\x04" + EVAL
EARLY = b"cos\nsystem\n(S'id'\ntR."


def old(*messages, members=None) -> bytes:
    """A root group with these messages."""
    file = h5.File()
    return file.done(file.group(members or {}, *messages))


def with_file(fill) -> bytes:
    """``fill(file)`` gives the members of the root."""
    file = h5.File()
    return file.done(file.group(fill(file)))


def variable(*texts: bytes) -> bytes:
    file = h5.File()
    return file.done(file.group({}, file.variable_attribute("model_config", *texts)))


def dataset(type: bytes, data: bytes, count: int, *more) -> bytes:
    return with_file(lambda file: {"d": file.contiguous(type, data, count, *more)})


def thirds(text: str) -> list[str]:
    return [text[at : at + 250] for at in range(0, len(text), 250)]


def new(*messages) -> bytes:
    """Superblock 2 and a root with link messages."""
    file = h5.File()
    return file.done_new(file.new_header(*messages))


def test_honest_files_are_inert():
    file = h5.File()
    kernel = file.contiguous(h5.FLOAT, bytes(400), 100)
    root = file.new_header(h5.link("kernel", 0, struct.pack("<Q", kernel)), h5.link("soft", 1, b"/kernel"))
    for data in (hdf5(), file.done_new(root), old(), new(), variable(HONEST.encode())):
        assert (scan_bytes(data).format, scan_bytes(data).findings) == ("hdf5", ())


@pytest.mark.parametrize("bad", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda text: variable(text.encode()),
        lambda text: variable(b"a", text.encode() + b"\0"),
        lambda text: old(h5.text_attribute("model_config", text)),
        lambda text: old(h5.text_attribute("any", text.replace("class_name", "cl\\u0061ss_name"))),
        lambda text: old(*(h5.text_attribute(f"model_config{n}", part) for n, part in enumerate(thirds(text)))),
        lambda text: dataset(h5.fixed(4000), bytes(4000) + text.encode().ljust(4000, b"\0"), 2),
        lambda text: with_file(
            lambda f: {"d": f.chunked(h5.fixed(4000), 4000, bytes(4000) + text.encode().ljust(4000, b"\0"), 1)}
        ),
        lambda text: dataset(h5.fixed(len(text)), b"", 0, (4, struct.pack("<I", len(text)) + text.encode())),
        lambda text: new(h5.text_attribute("model_config", text)),
        lambda text: old((0x0D, text.encode() + b"\0")),
    ],
)
def test_a_configuration_is_found_wherever_it_stands(make, bad):
    result = scan_bytes(make(BAD if bad else HONEST))
    assert rules(result) == ({"KER001"} if bad else set())


def test_a_configuration_that_nothing_refers_to():
    for text, found in ((HONEST, set()), (BAD, {"KER001"}), (BAD[:-9], {"HDF002", "KER001"})):
        file = h5.File()
        file.put(text.encode())
        assert rules(scan_bytes(file.done(file.group({})))) == found
    assert rules(scan_bytes(variable(b"x" + HONEST.encode()))) == {"HDF002"}


def test_references_lead_to_objects_without_a_name():
    file = h5.File()
    hidden = file.group({}, h5.text_attribute("c", BAD))
    result = scan_bytes(
        file.done(file.group({"r": file.contiguous(h5.OBJECT_REFERENCE, struct.pack("<Q", hidden), 1)}))
    )
    assert rules(result) == {"KER001"}
    gone = dataset(h5.OBJECT_REFERENCE, struct.pack("<Q", 8), 1)
    assert rules(scan_bytes(gone)) == {"HDF010"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: old(h5.attribute("o", h5.fixed(len(EARLY)), EARLY)),
        lambda: old(h5.attribute("o", h5.fixed(len(EVIL) + 9), EVIL + bytes(9))),
        lambda: variable(EARLY),
        lambda: dataset(h5.BYTE, EVIL, len(EVIL)),
        lambda: with_file(lambda f: {"d": f.chunked(h5.BYTE, 1, EVIL, len(EVIL))}),
        lambda: with_file(lambda f: {"d": f.chunked(h5.BYTE, 1, zlib.compress(EVIL * 9), 4000)}),
    ],
)
def test_pickles_are_members(make):
    result = scan_bytes(make())
    assert {"PKL015", "PKL003"} <= rules(result)
    assert not rules(result) & {"HDF001", "FIL004"}


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (h5.external("l", "other.h5", "/x"), "HDF004"),
        (h5.external("l", "sub/other.h5", "/x"), "HDF004"),
        (h5.external("l", "/etc/other.h5", "/x"), "HDF003"),
        (h5.external("l", "a/../../other.h5", "/x"), "HDF003"),
        (h5.external("l", "s3://bucket/other.h5", "/x"), "HDF003"),
        (h5.external("l", "..\\other.h5", "/x"), "HDF003"),
        (h5.link("l", 187, b"anything"), "HDF005"),
        (h5.link("l", 1, b"/none"), "HDF010"),
        (h5.link("l", 1, b"/l"), "HDF010"),
        (h5.link("l", 1, b"."), None),
        ((9, b"bogus"), "HDF007"),
        ((201, b""), "HDF007"),
    ],
)
def test_what_leads_away(message, rule):
    result = scan_bytes(new(message))
    assert rules(result) == ({rule} if rule else set())
    assert (result.verdict == "dangerous") == (rule == "HDF003")


def test_soft_links_of_old_groups():
    assert rules(scan_bytes(old(members={"l": b"/none"}))) == {"HDF010"}
    assert rules(scan_bytes(old(members={"l": b"/m", "m": b"/l"}))) == {"HDF010"}
    assert scan_bytes(old(members={"l": b"/m/.", "m": b"/"})).findings == ()


@pytest.mark.parametrize(("name", "rule"), [("/etc/passwd", "HDF003"), ("weights.raw", "HDF004")])
def test_raw_data_in_another_file(name, rule):
    def fill(file):
        segment = file.put(bytes(8) + h5.pad(name.encode() + b"\0"))
        heap = file.put(struct.pack("<4sBxxxQQQ", b"HEAP", 0, len(file.data) - segment, 1, segment))
        external = (7, struct.pack("<BxxxHHQQQQ", 1, 1, 1, heap, 8, 0, 4))
        layout = (8, struct.pack("<BBQQ", 3, 1, h5.NONE, 4))
        return {"d": file.header((1, h5.space(4)), (3, h5.BYTE), layout, external)}

    assert rules(scan_bytes(with_file(fill))) == {rule}


def test_filters():
    def filtered(ids, type=h5.FLOAT):
        return scan_bytes(with_file(lambda f: {"d": f.chunked(type, 4, bytes(64), 8, ids)}))

    for id in (3, 4, 5, 6, 32000):
        assert filtered((id,)).findings == ()
    assert rules(filtered((32001, 1))) == {"HDF006"}
    assert rules(filtered((5,), h5.fixed(4))) == {"HDF001"}  # texts behind it cannot be read


def test_a_chunk_that_inflates_to_more():
    data = with_file(lambda f: {"d": f.chunked(h5.fixed(4), 4, bytes(1 << 20), 1 << 18)})
    assert scan_bytes(data).findings == ()
    small = data.replace(struct.pack("<BBBQII", 3, 2, 2, 0, 1 << 18, 4)[-8:], struct.pack("<II", 8, 4))
    assert rules(scan_bytes(small)) == {"HDF001"}
    huge = data.replace(struct.pack("<II", 1 << 18, 4), struct.pack("<II", 1 << 29, 4))
    assert rules(scan_bytes(huge)) == {"CMP001"}


def test_loops_end():
    file = h5.File()
    inner = file.group({"x": 0})
    entry = file.data.rindex(b"SNOD") + 16
    root = file.group({"a": inner})
    file.data[entry : entry + 8] = struct.pack("<Q", root)  # a cycle of hard links is allowed
    assert scan_bytes(file.done(root)).findings == ()

    data = bytearray(old(members={"a": b"/"}))
    tree = data.rindex(b"TREE")
    data[tree + 5] = 1
    data[tree + 32 : tree + 40] = struct.pack("<Q", tree)
    assert "HDF001" in rules(scan_bytes(bytes(data)))

    file = h5.File()
    at = len(file.data)
    root = file.header((0x10, struct.pack("<QQ", at + 16, 24)))  # a block that goes on with itself
    assert rules(scan_bytes(file.done(root))) & {"HDF001", "HDF011"}


def test_parts_that_overlap_and_links_of_one_name():
    file = h5.File()
    first = file.contiguous(h5.FLOAT, bytes(400), 100)
    data = bytearray(file.done(file.group({"a": first})))
    layout = data.index(struct.pack("<BBQQ", 3, 1, 96, 400))
    data[layout + 2 : layout + 10] = struct.pack("<Q", 200)
    assert "HDF011" in rules(scan_bytes(bytes(data)))
    target = struct.pack("<Q", 96)
    assert "HDF011" in rules(scan_bytes(new(h5.link("a", 0, target), h5.link("a", 0, target))))


def test_what_stands_before_behind_and_between():
    whole, padded = h5.File(before=bytes(512)), hdf5()
    assert scan_bytes(whole.done(whole.group({}))).findings == ()
    assert scan_bytes(padded + bytes(100)).findings == ()
    before = h5.File(before=EVIL.ljust(512, b"\0"))
    assert {"HDF008", "PKL003"} <= rules(scan_bytes(before.done(before.group({}))))
    assert {"HDF009", "PKL003"} <= rules(scan_bytes(padded + EVIL))
    for payload, rule in ((EVIL, "PKL003"), (EARLY, "PKL003"), (b"\x7fELF\x02\x01\x01" + bytes(200), "EXE001")):
        file = h5.File()
        file.put(payload)
        assert {"HDF009", rule} <= rules(scan_bytes(file.done(file.group({}))))


def test_hostile_numbers():
    deep = b"".join(struct.pack("<BBHI", 0x19, 0, 0, 16) for _ in range(3000)) + h5.BYTE
    assert rules(scan_bytes(old(h5.attribute("a", deep, b"")))) == {"HDF001"}
    huge = h5.attribute("a", h5.fixed(4), b"", 1 << 62, 1 << 62)
    assert rules(scan_bytes(old(huge))) == {"HDF001"}
    for field in range(13, 96):
        data = bytearray(hdf5())
        data[field : field + 8] = b"\xff" * 8
        assert scan_bytes(bytes(data)).verdict in ("proved inert", "not covered")
    shared = h5.File()
    heap = shared.collection(b"x" * 60000)
    many = struct.pack("<IQI", 60000, heap, 1) * 3000  # one large text, three thousand times
    budget = Budget()
    scan_bytes(shared.done(shared.group({"d": shared.contiguous(h5.VARIABLE, many, 3000)})), budget=budget)
    assert budget.steps_used < 16 * len(shared.data)


def test_large_blocks_that_many_share():
    """A header of sixteen bytes may declare a block as large as the file; so may heaps and arrays."""
    for huge in (1 << 30, 30_000, 50_000):
        file = h5.File()
        heads = [file.put(struct.pack("<BxHIIxxxx", 1, 1, 1, huge)) for _ in range(2000)]
        heaps = [file.put(struct.pack("<4sBxxxQ", b"GCOL", 1, huge)) for _ in range(2000)]
        many = b"".join(struct.pack("<IQI", 1, heap, 1) for heap in heaps)
        links = [h5.link(f"{n}", 0, struct.pack("<Q", head)) for n, head in enumerate(heads)]
        texts = h5.link("t", 0, struct.pack("<Q", file.contiguous(h5.VARIABLE, many, 2000)))
        data, budget = file.done_new(file.new_header(texts, *links)), Budget()
        assert scan_bytes(data, budget=budget).verdict == "not covered"
        assert budget.steps_used < 4096 + 16 * len(data)


def test_changed_files_end_in_few_steps():
    files = [hdf5(), variable(BAD.encode()), new(h5.external("l", "o.h5", "/x"), h5.text_attribute("c", HONEST))]
    marks = [b"TREE", b"SNOD", b"HEAP", b"GCOL", b"OHDR", b"\x01\0\x01\0", h5.MAGIC]
    rng = random.Random(5)
    for n in range(1500):
        data = bytearray(files[n % 3])
        places = [at for mark in marks if (at := data.find(mark)) >= 0]
        for _ in range(rng.choice((1, 2, 5))):
            at = min(rng.choice(places) + rng.randrange(90), len(data) - 8)
            new_ = rng.choice([b"\xff" * 8, bytes(8), struct.pack("<Q", rng.choice(places)), rng.randbytes(1)])
            data[at : at + len(new_)] = new_
        budget = Budget()
        result = scan_bytes(bytes(data), budget=budget)
        assert "FIL004" not in rules(result)
        assert budget.steps_used < 4096 + 16 * (len(data) + budget.inflated_used)


def test_files_of_h5py():
    """`hdf5_random.py COUNT` runs more."""
    pytest.importorskip("h5py")
    import hdf5_random

    assert hdf5_random.check(60, 0) == []


def test_changed_files_of_h5py(tmp_path):
    """Heaps, trees and arrays of the newer versions, which the files made by hand do not have."""
    pytest.importorskip("h5py")
    import hdf5_random

    rng, marks = random.Random(3), (b"FRHP", b"FHDB", b"BTHD", b"BTLF", b"EAHD", b"EAIB", b"FAHD", b"FADB", b"OHDR")
    seen = set()
    for seed in range(40):
        data = hdf5_random.honest(seed, str(tmp_path)).read_bytes()
        places = [at for mark in marks if (at := data.find(mark)) >= 0]
        seen |= {mark for mark in marks if mark in data}
        for _ in range(15 if len(data) < 60_000 and places else 0):
            changed = bytearray(data)
            for _ in range(3):
                changed[min(rng.choice(places) + rng.randrange(80), len(data) - 1)] = rng.choice((0, 1, 255, 128))
            budget = Budget()
            assert "FIL004" not in rules(scan_bytes(bytes(changed), budget=budget))
            assert budget.steps_used < 4096 + 16 * (len(data) + budget.inflated_used)
    assert seen == set(marks)


def test_the_files_of_these_tests_are_hdf5(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "m.h5"
    path.write_bytes(hdf5())
    with h5py.File(path) as file:
        assert json.loads(file.attrs["model_config"]) == keras_config()
        assert list(file["model_weights/again/bias"]) == [0, 1, 2, 3, 4, 5]
    path.write_bytes(new(h5.external("l", "other.h5", "/x"), h5.link("s", 1, b"/none")))
    try:
        with h5py.File(path) as file:
            assert file.get("l", getlink=True).filename == "other.h5"
    except OSError as error:
        assert "checksum" in str(error)  # noqa: PT017  the library checks what the reader here does not need


def test_what_pytables_writes_is_read():
    value = pickle.dumps({"a": [1, 2]}, 0)
    result = scan_bytes(old(h5.attribute("info", h5.fixed(len(value)), value)))
    assert rules(result) == {"PKL015"}
    assert result.verdict == "proved inert"


def test_a_matlab_file_that_is_hdf5_is_no_second_format():
    """Its first 512 bytes say so in words; older ones are a format of their own."""
    words = b"MATLAB 7.0 MAT-file, Platform: GLNX86".ljust(512, b"\0")
    result = scan_bytes(words + hdf5())
    assert result.format == "hdf5"
    assert "FIL002" not in rules(result)
    assert scan_bytes(words).format == "matlab"
