"""Pictures and sounds: whole ones are inert, whatever is cut, changed, appended or hidden in them is said."""

import io
import pickle
import random
import zipfile

import pytest
from drive import rules, scan_bytes
from pictures import MADE, chunk, png

kinds = pytest.mark.parametrize("kind", MADE)


@kinds
def test_a_whole_one_is_inert(kind):
    result = scan_bytes(MADE[kind]())
    assert (result.verdict, result.format, result.findings) == ("proved inert", kind, ())


@kinds
def test_one_that_was_cut_anywhere_is_not_covered(kind):
    data = MADE[kind]()
    for size in range(12, len(data)):
        assert scan_bytes(data[:size]).verdict == "not covered", size


@kinds
def test_what_is_appended_is_said_and_scanned(kind):
    assert rules(scan_bytes(MADE[kind]() + b"words")) == {"IMG002"}
    result = scan_bytes(MADE[kind]() + b"\x80\x02cos\ngetcwd\n)R.")
    assert result.verdict == "dangerous"
    assert {"IMG002", "PKL003"} <= rules(result)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.pkl", pickle.dumps(1))
    assert "FIL002" in rules(scan_bytes(MADE[kind]() + archive.getvalue()))


def test_an_archive_inside_a_chunk_is_found_too():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.pkl", b"\x80\x02cos\ngetcwd\n)R.")
    result = scan_bytes(png(chunk(b"tEXt", archive.getvalue())))
    assert {"FIL002"} <= rules(result)
    assert result.verdict != "proved inert"


def test_a_gif_that_is_a_pickle_as_well_is_both():
    """To a pickle, "G" is a number of eight bytes; what follows may be anything."""
    screen = b"GIF89a" + b"\x02\0\x02" + b"cos\n"
    data = screen + b"getcwd\n)R." + bytes(300)
    assert scan_bytes(data).verdict == "dangerous"


def test_a_checksum_that_does_not_hold():
    data = bytearray(png())
    data[40] ^= 1
    assert rules(scan_bytes(bytes(data))) == {"IMG001"}


@kinds
def test_mutants_neither_crash_nor_cost_more_than_some_steps_a_byte(kind):
    from probatum.scan import Budget

    rng, data = random.Random(kind), MADE[kind]()
    for _ in range(400):
        mutant = bytearray(data)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(4, len(mutant))
            mutant[at : at + rng.randrange(3)] = rng.randbytes(rng.randrange(4))
        budget = Budget()
        assert "FIL004" not in rules(scan_bytes(bytes(mutant), budget=budget))
        assert budget.steps_used <= 16 * len(mutant) + 4096
