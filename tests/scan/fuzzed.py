"""Mutated files: what honest programs and attacks write, with bytes flipped, cut, moved and joined.

    python tests/scan/fuzzed.py 200000 [SEED] [SECONDS]

Each is scanned. Never an exception (FIL004), never more steps than so many for each byte (a counter, not a clock),
never an allocation out of proportion to the file.
"""

from __future__ import annotations

import random
import sys
import time

import attacks
import benign
import samples
from drive import scan_bytes

from probatum.scan import Budget, FileResult

#: Most steps: at the start, and for each byte of the file and of what is inflated from it.
START, PER_BYTE = 4096, 16
#: Bytes that a number in a header is replaced by, where parsers are tempted.
NUMBERS = [
    b"\0",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\xff" * 8,
    b"\0" * 4,
    b"\x01\0\0\0",
    b"\x80",
    b"((",
]


def material(seed: int, count: int = 400) -> list[tuple[str, bytes]]:
    """(name, bytes) of honest files of every kind and of every attack."""
    files = [(name, data) for _, name, data, _ in benign.files(count, seed)]
    files += [(f"{name}.pkl", data) for name, data, _ in attacks.streams()]
    return files + list(samples.benign().items())


def mutated(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """One to five changes."""
    out = bytearray(data)
    for _ in range(rng.randrange(1, 6)):
        at = rng.randrange(len(out) + 1)
        if rng.random() < 0.4:
            at = min(at, rng.randrange(64))  # headers stand at the beginning
        way = rng.randrange(9)
        if way == 0 and at < len(out):
            out[at] ^= 1 << rng.randrange(8)
        elif way == 1 and at < len(out):
            out[at] = rng.randrange(256)
        elif way == 2:
            del out[at:]
        elif way == 3:
            del out[at : at + rng.randrange(1, 40)]
        elif way == 4:
            number = rng.choice(NUMBERS)
            out[at : at + len(number)] = number
        elif way == 5:
            start = rng.randrange(len(other) + 1)
            out[at:at] = other[start : start + rng.randrange(1, 200)]
        elif way == 6:
            start = rng.randrange(len(out) + 1)
            out[at:at] = out[start : start + rng.randrange(1, 100)] * rng.choice([1, 1, 2, 30])
        elif way == 7:
            out[at:at] = rng.randbytes(rng.randrange(1, 20))
        else:
            out += other[: rng.randrange(1, 2000)]
    return bytes(out)


def checked(data: bytes, name: str) -> tuple[FileResult, list[str]]:
    """The result, and what is wrong with it."""
    budget = Budget()
    result = scan_bytes(data, name, budget)
    wrong = [f"{f.rule}: {f.message}" for f in result.findings if f.rule == "FIL004"]
    if budget.steps_used > START + PER_BYTE * (len(data) + budget.inflated_used):
        wrong.append(f"{budget.steps_used:,} steps for {len(data):,} bytes, {budget.inflated_used:,} inflated")
    result.to_json()
    return result, wrong


def run(count: int, seed: int, seconds: float = 1e9) -> dict[str, object]:
    """Scan ``count`` mutations; gives how many were done, and what went wrong."""
    rng, end = random.Random(seed), time.monotonic() + seconds
    files = [f for f in material(seed) if len(f[1]) < 200_000]
    wrong: list[tuple[str, bytes, list[str]]] = []
    done = 0
    while done < count and time.monotonic() < end:
        name, data = rng.choice(files)
        data = mutated(data, rng.choice(files)[1], rng)
        found = checked(data, name)[1]
        if found:
            wrong.append((name, data, found))
        done += 1
    return {"files": done, "wrong": wrong}


if __name__ == "__main__":
    arguments = [float(a) for a in sys.argv[1:]]
    outcome = run(int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 0, *arguments[2:3])
    for name, data, found in outcome.pop("wrong"):  # type: ignore[attr-defined]
        print(name, len(data), data[:60], found)
    print(outcome)
