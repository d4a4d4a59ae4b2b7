"""Directories with pickles that would run code if somebody opened them, and with honest ones. Nothing here is opened by
anybody but the scanner, and what would run is harmless: it asks for the time, the process id, or a folder's name.
"""

from __future__ import annotations

import pickle

from probatum.controls.folder import Folder
from probatum.core.control import Control
from probatum.core.draws import keyed
from probatum.core.target import Opener

CALLS = (1, 2, 4)
DRAWS = 10
BLANKS = 24
#: Harmless functions outside of every allow-list, as a module and a name.
GADGETS = (("os", "getpid"), ("time", "time"), ("os", "getcwd"), ("platform", "node"), ("gc", "get_count"))


def planted_files(_: Opener) -> list[Control]:
    """Pickles with one, two or four calls among honest values, in several disguises; blanks hold the values alone."""
    positive = [_case("positive", calls, draw) for calls in CALLS for draw in range(DRAWS)]
    return [*positive, *(_case("negative", 0, draw) for draw in range(BLANKS))]


def _case(kind: str, calls: int, draw: int) -> Control:
    rng = keyed("planted files", kind, calls, draw)
    honest = {f"layer {i}": [round(float(x), 3) for x in rng.normal(size=4)] for i in range(5)}
    content = pickle.dumps(honest, protocol=2 + draw % 4)
    for call in range(calls):
        module, name = GADGETS[int(rng.integers(len(GADGETS)))]
        content = content[:-1] + _call(module, name, draw + call) + b"."
    title = f"{calls} planted calls" if calls else "no planted call"
    files = {"config.json": b'{"model_type": "gpt2"}', f"weights{draw}.bin": content}
    return Control(title, kind, Folder(title, files), {}, {}, calls or None, "planted calls")  # type: ignore[arg-type]


def _call(module: str, name: str, way: int) -> bytes:
    """Opcodes that call ``module.name()`` and drop the result; its name stands plainly, or is built."""
    plain, short = f"{module}\n{name}\n".encode(), [b"\x8c" + bytes([len(t)]) + t.encode() for t in (module, name)]
    ways = (
        b"c" + plain + b")R0",
        short[0] + short[1] + b"\x93)R0",
        b"(" + b"i" + plain + b"0",
        short[1] + b"q\xfe0" + short[0] + b"h\xfe\x93)R0",
        short[0] + b"2" + short[1] + b"\x93)R00",
    )
    return ways[way % len(ways)]
