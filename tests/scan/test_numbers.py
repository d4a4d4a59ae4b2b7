"""Numbers as text: nothing that a real loader takes is refused here, and a value that is given is the loaders' own."""

import pickle
import random

from probatum.scan.pickle.numbers import NoNumber, floating, integer, memo_key

PARTS = [*(bytes([c]) for c in b"\0 \t0179xXobaf_+-L.einp(\xff\r\x0b"), b"nan", b"inf", b"infinity", b"00", b"01"]


def loaded(stream: bytes) -> list[object]:
    """What the C and the Python loader give, as far as they give anything."""
    out = []
    for load in (pickle.loads, pickle._loads):
        try:
            out.append(load(stream))
        except (ValueError, OverflowError, EOFError, pickle.UnpicklingError, KeyError, TypeError):
            continue
    return out


def ours(read, line):
    try:
        return read(line)
    except NoNumber:
        return None


def test_against_the_loaders():
    rng = random.Random(3)
    for _ in range(20_000):
        line = b"".join(rng.choices(PARTS, k=rng.randrange(6)))
        readers = ((b"I", integer), (b"L", lambda text: integer(text, truth=False)), (b"F", floating))
        for op, read in readers:
            real, read_here = loaded(op + line + b"\n."), ours(read, line)
            assert not real or read_here is not None, (op, line, real)
            if read_here is not None and type(read_here[0]) in (int, bool):
                assert all((type(r), r) == (type(read_here[0]), read_here[0]) for r in real), (op, line, real)
        if loaded(b"Vx\np" + line + b"\n0g" + line + b"\n."):
            assert ours(memo_key, line) is not None, line
