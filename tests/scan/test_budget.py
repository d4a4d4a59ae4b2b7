"""What is spent is counted, and a spent budget is said."""

import pickle
import random

import pytest
from drive import rules, scan_bytes

from probatum.scan import Budget
from probatum.scan.pickle import opcodes
from probatum.scan.pickle.machine import OTHERS


@pytest.mark.parametrize("kind", ["numbers", "nested", "gets", "marks", "streams", "frames", "lines"])
def test_steps_are_bounded_by_bytes(kind):
    data = {
        "numbers": pickle.dumps(list(range(200_000)), 4),
        "nested": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
        "gets": b"\x80\x02Nq\x00" + b"h\x00" * 100_000 + b".",
        "marks": b"\x80\x02" + b"(" * 100_000 + b"N" + b"t" * 100_000 + b".",
        "streams": b"N." * 50_000,
        "frames": b"\x80\x04" + b"\x95\x00\x00\x00\x00\x00\x00\x00\x00" * 10_000 + b"N.",
        "lines": b"\x80\x02" + b"I1\n0" * 50_000 + b"N.",
    }[kind]
    budget = Budget()
    result = scan_bytes(data, budget=budget)
    assert result.verdict == "proved inert"
    assert budget.steps_used <= 4 * len(data) + 5000


def test_doubling_tuples_do_not_explode():
    data = b"\x80\x02N" + b"2\x86" * 200_000 + b"."
    assert scan_bytes(data).verdict == "proved inert"


def test_a_spent_budget_is_not_covered():
    result = scan_bytes(pickle.dumps(list(range(5000)), 4), budget=Budget(steps=1000))
    assert (result.verdict, rules(result)) == ("not covered", {"BUD001"})


def test_the_list_of_findings_is_bounded_and_keeps_the_worst():
    data = b"\x80\x02" + b"".join(b"cm%d\nx\n" % n for n in range(500)) + b"cos\nsystem\n."
    result = scan_bytes(data, budget=Budget(findings=20))
    assert len(result.findings) == 20
    assert result.verdict == "dangerous"


def test_all_68_opcodes_are_known():
    import pickletools

    known = {ord(o.code): o.name for o in pickletools.opcodes}
    assert known == opcodes.NAMES
    loop = {"BININT1 BINGET MEMOIZE BINPUT SHORT_BINUNICODE BININT2 MARK BINFLOAT LONG_BINGET EMPTY_DICT SETITEMS "
            "APPENDS TUPLE TUPLE2 EMPTY_LIST BININT BINUNICODE NONE NEWTRUE NEWFALSE LONG_BINPUT TUPLE1 TUPLE3 "
            "EMPTY_TUPLE STOP"}  # fmt: skip
    assert {name for code, name in known.items() if OTHERS[code] is None} == set(next(iter(loop)).split())


def test_random_bytes_never_crash():
    rng = random.Random(5)
    for _ in range(3000):
        assert "FIL004" not in rules(scan_bytes(rng.randbytes(rng.randrange(60))))
        starts = [
            b"\x80\x04",
            b"PK\x03\x04",
            b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
            b"{",
            b"(",
            b"[1,",
            b"ci\nx\n",
        ]
        assert "FIL004" not in rules(scan_bytes(rng.choice(starts) + rng.randbytes(rng.randrange(90))))


def test_mutated_files_never_crash():
    import torch
    from attacks import zipped
    from safetensors.torch import save
    from test_benign import saved

    rng = random.Random(6)
    value = {"w": torch.zeros(4), "n": 3}
    files = [saved(value, True), saved(value, False), save({"w": torch.zeros(4)}), zipped({"a": b"x", "b": b"y"}, 8)]
    for data in files:
        for _ in range(400):
            changed = bytearray(data)
            for _ in range(rng.randrange(1, 4)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            cut = rng.choice([len(changed), rng.randrange(len(changed))])
            assert "FIL004" not in rules(scan_bytes(bytes(changed[:cut])))


def test_a_fault_of_the_scanner_is_said(monkeypatch):
    from probatum.scan.formats import text

    monkeypatch.setattr(text, "scan", lambda source, context: 1 / 0)
    assert (scan_bytes(b"hello\n").verdict, rules(scan_bytes(b"hello\n"))) == ("not covered", {"FIL004"})
