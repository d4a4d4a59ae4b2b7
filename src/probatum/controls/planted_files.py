"""Directories with pickles that would run code if somebody opened them, and with honest ones. Nothing here is opened by
anybody but the scanner, and what would run is harmless: it asks for the time, the process id, or a folder's name.
"""

from __future__ import annotations

import pickle
import tempfile
from functools import cache
from pathlib import Path

from probatum.core.access import Access
from probatum.core.control import Control
from probatum.core.data import digest_of
from probatum.core.draws import keyed
from probatum.core.target import Opener, Target

CALLS = (1, 2, 4)
DRAWS = 10
BLANKS = 24
#: Harmless functions outside of every allow-list, as a module and a name.
GADGETS = (("os", "getpid"), ("time", "time"), ("os", "getcwd"), ("platform", "node"), ("gc", "get_count"))


class Directory(Target):
    """Some bytes as files; written into a folder of its own when they are first asked for."""

    kind = "files"
    access = Access.BYTES

    def __init__(self, name: str, files: dict[str, bytes]):
        self.name, self._files = name, files
        self.digest = digest_of(*(part for k in sorted(files) for part in (k, files[k])))

    def files(self) -> Path:
        """The folder."""
        return _written(tuple(sorted(self._files.items())))


@cache
def _written(files: tuple[tuple[str, bytes], ...]) -> Path:
    folder = tempfile.TemporaryDirectory(prefix="probatum-planted-")
    _KEPT.append(folder)
    for name, content in files:
        (Path(folder.name) / name).write_bytes(content)
    return Path(folder.name)


#: Removed when the process ends.
_KEPT: list[tempfile.TemporaryDirectory[str]] = []


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
    return Control(title, kind, Directory(title, files), {}, {}, calls or None, "planted calls")  # type: ignore[arg-type]


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
