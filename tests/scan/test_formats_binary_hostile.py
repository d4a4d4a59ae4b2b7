"""Cut and changed files of every binary format: no crash, no more steps than the bytes explain, nothing called inert
that is not."""

import random

import pytest
from drive import scan_bytes
from samples import benign, elf

from probatum.scan import VERDICTS, Budget
from probatum.scan.rules import RULES

#: A part of these files, cut off at a place between two values, is a whole file again.
WHOLE_AGAIN = {"onnx", "saved model"}
GOOD = benign()
FILES = GOOD | {"elf": elf()}


def steps(data: bytes) -> int:
    return 200_000 + 400 * len(data)


@pytest.mark.parametrize("name", GOOD)
def test_honest_files_are_inert(name):
    result = scan_bytes(GOOD[name])
    assert (result.verdict, result.findings) == ("proved inert", ())


@pytest.mark.parametrize("name", FILES)
def test_a_part_of_a_file(name):
    data = FILES[name]
    cuts = {len(data) * n // 16 for n in range(1, 16)} | {len(data) - 1, len(data) - 2, 1, 2, 3}
    for cut in sorted(cuts):
        budget = Budget(steps=steps(data))
        result = scan_bytes(data[:cut], budget=budget)
        assert budget.steps_used <= budget.steps
        if name not in WHOLE_AGAIN and result.format not in ("text", "empty"):  # six bytes of bzip2 are a text
            assert result.verdict != "proved inert", cut


@pytest.mark.parametrize("name", FILES)
def test_changed_files(name):
    rng, data = random.Random(name), FILES[name]
    for _ in range(300):
        changed = bytearray(data)
        for _ in range(rng.choice((1, 1, 2, 5))):
            at = rng.randrange(len(changed))
            changed[at] = rng.choice((0, 255, 128, rng.randrange(256), changed[at] ^ 1 << rng.randrange(8)))
        if rng.random() < 0.2:
            at = rng.randrange(len(changed))
            changed[at : at + rng.randrange(9)] = rng.randbytes(rng.randrange(9))
        budget = Budget(steps=steps(data))
        result = scan_bytes(bytes(changed), budget=budget)
        assert result.verdict in VERDICTS
        assert budget.steps_used <= budget.steps


def test_every_rule_is_documented():
    for rule in RULES.values():
        assert all((rule.means, rule.matters, rule.example, rule.do)), rule.id
