"""Every way past a pickle scanner that we know of: found, whatever the file is called."""

import gzip
import pickle
import zlib

import attacks
import pytest
from drive import rules, scan_bytes

from probatum.scan import VERDICTS

STREAMS = attacks.streams()


@pytest.mark.parametrize(("data", "verdict"), [s[1:] for s in STREAMS], ids=[s[0] for s in STREAMS])
def test_it_is_found(data, verdict):
    lies = ("README.md", "config.json") if b"thingX" not in data else ()  # a text may end so; it calls nothing
    for name in ("model.pkl", "noextension", *lies):
        assert VERDICTS.index(scan_bytes(data, name).verdict) >= VERDICTS.index(verdict)


def test_a_finding_says_which_where_and_why():
    data = b"\x80\x02]" + attacks.CALL
    call = next(f for f in scan_bytes(data).findings if f.rule == "PKL002")
    assert call.offset == data.index(b"R.")
    assert "builtins.print" in call.message
    assert call.trace == (f"builtins.print named at {data.index(b'cbuil')}", f"REDUCE at {call.offset} with ('x')")


@pytest.mark.parametrize("start", [
    b"(0", b"(1", b"((10", b"N0", b"]0", b"}0", b")0", b"K\x000", b"I1\n0", b"L1L\n0", b"F1\n0", b"Vx\n0", b"S'x'\n0",
    b"(l0", b"(t0", b"(d0", b"U\x01x0", b"T\x01\0\0\0x0", b"X\x01\0\0\0x0", b"C\x01x0", b"B\x01\0\0\0x0",
    b"G" + bytes(8) + b"0", b"\x880", b"\x8a\x000", b"\x8c\x01x0", b"\x8f0", b"\x82\x010", b"M\0\x000",
    b"\x95" + (35).to_bytes(8, "little"),
])  # fmt: skip
def test_code_behind_any_beginning_without_a_protocol(start):
    assert scan_bytes(start + attacks.CALL, "notes.txt").verdict in (attacks.UNKNOWN, attacks.DANGER)


def test_a_persistent_id_is_named_and_no_alarm():
    result = scan_bytes(b"\x80\x02X\x03\x00\x00\x00keyQ.")
    assert (result.verdict, rules(result)) == ("proved inert", {"PKL010"})


def test_a_call_of_a_persistent_object_is_unknown_code():
    assert "PKL002" in rules(scan_bytes(b"\x80\x02X\x03\x00\x00\x00keyQ)R."))


def test_a_payload_as_data_is_inert_if_the_payload_is():
    result = scan_bytes(pickle.dumps([pickle.dumps([1, 2], 4)], 4))
    assert (result.verdict, rules(result)) == ("proved inert", {"PKL015"})


@pytest.mark.parametrize("cut", [1, 2, 5, 9])
def test_a_pickle_that_is_cut_short_is_not_covered(cut):
    data = pickle.dumps({"a": [1, 2, 3], "b": "text"}, 4)
    result = scan_bytes(data[:-cut])
    assert (result.verdict, result.covered) == ("not covered", False)


def test_the_frames_of_real_pickles_are_in_order():
    data = pickle.dumps([bytes(100_000), ["x" * 70_000] * 3, list(range(100_000))], 4)
    assert scan_bytes(data).findings == ()


def test_a_dtype_must_keep_the_flags_of_its_letter():
    """Flags that deny the objects of an object array would make NumPy read bytes as pointers."""
    import numpy as np

    data = pickle.dumps(np.dtype("O"), 2)
    assert scan_bytes(data).verdict == "proved inert"
    assert data.count(b"K?t") == 1
    assert "PKL007" in rules(scan_bytes(data.replace(b"K?t", b"K\x00t")))


#: An array of objects as protocol 0 writes it, but for its shape and the list of its items.
OBJECTS = (
    b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntc_codecs\nencode\n(Vb\nVlatin1\ntRtR"
    b"(I1\n%s" + b"cnumpy\ndtype\n(VO8\nI00\nI01\ntR(I3\nV|\nNNNI-1\nI-1\nI63\ntbI00\n%stb."
)


@pytest.mark.parametrize("protocol", range(6))
def test_an_array_of_objects_may_hold_what_its_shape_says(protocol):
    import numpy as np

    for made in (
        np.array(["a", None, [1]], "O"),
        np.array([[1, "b"]] * 3, "O"),
        np.zeros((0, 2), "O"),
        np.array("a", "O"),
    ):
        assert scan_bytes(pickle.dumps(made, protocol)).findings == ()


@pytest.mark.parametrize(
    ("shape", "items", "inert"),
    [
        (b"(I3\nt", b"(NNNl", True),
        (b"(I3\nt", b"]NaNaNa", True),
        (b"(I1\nI3\nt", b"](NNe(Ne", True),
        (b"(I3\nt", b"(NNl", False),
        (b"(I3\nt", b"(NNNNl", False),
        (b"(I3\nt", b"]", False),
        (b"(I3\nI-1\nt", b"(NNNl", False),
        (b"(I3\nt", b"(NNNlI0\nNs", False),
        (b"(I3\nt", b"(NNNl(I0\nNu", False),
        (b"(I3\nt", b"c__builtin__\nlist\n((NNNltR", False),
        (b"(I3\nt", b"(NNNt", False),
        (b"I3\n", b"(NNNl", False),
        (b"(I01\nt", b"(Nl", False),
    ],
)
def test_numpy_does_not_count_the_objects_of_an_array(shape, items, inert):
    """It takes as many items from the list as the shape says: with a shorter list, the process dies."""
    result = scan_bytes(OBJECTS % (shape, items))
    assert (result.verdict == "proved inert") == inert
    if inert:
        assert pickle.loads(OBJECTS % (shape, items)).dtype == object
    else:
        assert "PKL007" in rules(result)


def test_the_class_of_inst_is_found_before_its_mark_is():
    """Python's loader imports first and misses the mark then; the C loader looks for the mark first."""
    assert "PKL001" in rules(scan_bytes(b"\x80\x02imymodule\nThing\n."))


def test_fields_must_lie_inside_their_item():
    import numpy as np

    data = pickle.dumps(np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]), 2)
    assert scan_bytes(data).verdict == "proved inert"
    assert b"K\x04\x86" in data
    assert "PKL007" in rules(scan_bytes(data.replace(b"K\x04\x86", b"K\x05\x86")))


def test_a_date_must_keep_its_unit():
    """State without the unit leaves a null pointer in the dtype, and NumPy dies when it uses it."""
    made = b"\x80\x02cnumpy\ndtype\n(VM8\nI00\nI01\ntR(I3\nV<\nNNNI-1\nI-1\nI0\ntb."
    assert "PKL007" in rules(scan_bytes(made))


@pytest.mark.parametrize("write", [lambda d: zlib.compress(d).hex(), lambda d: gzip.compress(d).hex().upper()])
def test_compressed_payloads_in_hex(write):
    assert "PKL003" in rules(scan_bytes(pickle.dumps({"w": write(b"\x80\x04" + attacks.EVAL)}, 4)))


@pytest.mark.parametrize("start", [b"", b"cmy-module\nx\n" * 500, b"cmy module\nx y\n0" * 400])
def test_modules_whose_names_are_no_words(start):
    """A file `my-module.py` can be imported by a pickle, though by no import statement."""
    assert "PKL001" in rules(scan_bytes(start + b"cmy-module\nrun\n.", "noextension"))
    for name in ("noextension", "data.txt"):
        assert scan_bytes(start + b"cmy-module\nrun\n(tR.", name).verdict in (attacks.UNKNOWN, attacks.DANGER)
