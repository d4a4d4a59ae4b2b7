"""What a model directory says of itself, and what its files are: configuration, card, license, tensor headers.

Only files that the scan has listed are opened, links are not followed, and every read has a bound. Texts come back as
they stand in the files: who shows them escapes them.
"""

from __future__ import annotations

import os
import re
import stat

from probatum.scan.finding import INERT
from probatum.scan.licenses import license_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.finding import FileResult, Result

#: Most bytes of a document, of a header, and of all headers together.
DOCUMENT, HEADER, HEADERS = 2 << 20, 32 << 20, 128 << 20
#: Formats that hold weights, as the scan calls them.
WEIGHTS = ("safetensors", "torch zip", "torch legacy", "gguf", "onnx", "hdf5", "keras", "saved model")
#: Names that make a directory one of a model.
MARKS = ("config.json", "adapter_config.json", "model_index.json", "params.json", "model.safetensors.index.json")

_FRONT = re.compile(r"\ufeff?---[ \t]*\r?\n(.{0,65536}?)\n---[ \t]*(?:\r?\n|$)", re.DOTALL)


class Tensors:
    """The safetensors files together: names with shapes, numbers by type, bytes, and files."""

    def __init__(self) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.numbers: dict[str, int] = {}
        self.size = 0
        self.files: list[str] = []

    @property
    def dtype(self) -> str:
        """The type of most of the numbers, "" if there are none."""
        return max(self.numbers, key=lambda d: self.numbers[d], default="")

    def add(self, name: str, header: dict[str, Any]) -> None:
        """The tensors of one file, whose header the scan has found strict."""
        self.files.append(name)
        for tensor, entry in header.items():
            if tensor != "__metadata__":
                count = 1
                for n in entry["shape"]:
                    count *= n
                self.shapes[tensor] = tuple(entry["shape"])
                self.numbers[entry["dtype"]] = self.numbers.get(entry["dtype"], 0) + count
                self.size += entry["data_offsets"][1] - entry["data_offsets"][0]


class Facts:
    """One model: its files by their name below ``root`` ("" for a model that is one file)."""

    def __init__(self, root: str, files: dict[str, FileResult]) -> None:
        self.root, self.files = root, files
        self.config = self._json("config.json")
        self.adapter = self._json("adapter_config.json")
        self.tokenizer = self._json("tokenizer_config.json")
        self.index = self._json("model.safetensors.index.json")
        self.card = self._text(next((n for n in ("README.md", "MODEL_CARD.md", "readme.md") if n in files), ""))
        self.front = front_matter(self.card)
        self.tensors = self._tensors()

    def path(self, name: str) -> str:
        return os.path.join(self.root, name) if self.root else name

    def _text(self, name: str, most: int = DOCUMENT) -> str:
        return read(self.path(name), most).decode("utf-8", "replace") if name in self.files else ""

    def _json(self, name: str) -> dict[str, Any]:
        text = self._text(name)
        if not text:
            return {}
        import json

        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def _tensors(self) -> Tensors:
        """Of the files that the index names; without one, of all that lie in the root."""
        import json

        out, left = Tensors(), HEADERS
        weight_map = self.index.get("weight_map")
        named = set(map(str, weight_map.values())) if isinstance(weight_map, dict) else None
        for name, file in self.files.items():
            if file.format != "safetensors" or file.verdict != INERT or os.sep in (name if self.root else ""):
                continue
            if named is not None and name not in named:
                continue
            size = int.from_bytes(read(self.path(name), 8), "little")
            if not 2 <= size <= min(HEADER, left):
                continue
            left -= size
            try:
                out.add(name, json.loads(read(self.path(name), 8 + size)[8:]))
            except (ValueError, KeyError, TypeError, IndexError, RecursionError):
                continue  # the file has changed since the scan
        return out

    def number(self, *keys: str) -> int | None:
        """The first of these whole numbers in config.json, or in the part of it that is the text model."""
        for part in (self.config, self.config.get("text_config")):
            for key in keys:
                value = part.get(key) if isinstance(part, dict) else None
                if type(value) is int and 0 < value < 1 << 60:
                    return value
        return None

    @property
    def license_file(self) -> tuple[str, str]:
        """(name, license as a card calls it) of the license text; ("", "") if there is none, or none that is known."""
        for name in self.files:
            if re.fullmatch(r"(?i)(licen[sc]e|copying)(\.(txt|md))?", name):
                known = license_of(self._text(name, 20_000))
                return name, known
        return "", ""


def collect(root: str, result: Result) -> Facts | None:
    """The facts of a path that was scanned; None if it looks like no model."""
    if not os.path.isdir(root):
        own = {file.path: file for file in result.files if file.path == root}
        return Facts("", own) if any(f.format in WEIGHTS for f in own.values()) else None
    start = root if root.endswith(os.sep) else root + os.sep
    files = {
        f.path[len(start) :]: f for f in result.files if f.path.startswith(start) and not f.format.startswith("link")
    }
    if not any(name in files for name in MARKS) and not any(
        f.format in WEIGHTS and os.sep not in name for name, f in files.items()
    ):
        return None
    return Facts(root, files)


def read(path: str, most: int) -> bytes:
    """The first bytes of a regular file; nothing of anything else, and nothing through a link."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return b""
    try:
        return os.read(handle, most) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(handle)


def front_matter(card: str) -> dict[str, Any]:
    """The YAML that a card begins with; empty where there is none, or where it is beyond the reader."""
    found = _FRONT.match(card)
    if found is None:
        return {}
    from probatum.scan.yaml.lines import Unclear
    from probatum.scan.yaml.reader import Reader

    reader = Reader(found[1])
    try:
        reader.read()
    except (Unclear, IndexError, RecursionError):
        return {}
    first = reader.documents[0] if reader.documents else None
    return first if isinstance(first, dict) else {}


def texts(value: Any) -> list[str]:
    """A value of the front matter as texts: one, or a list of some."""
    values = value if isinstance(value, list) else [value]
    return [str(v)[:200] for v in values[:20] if isinstance(v, (str, int, float)) and str(v)]
