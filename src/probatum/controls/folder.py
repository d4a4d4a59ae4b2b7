"""A target that is nothing but files."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from probatum.core.access import Access
from probatum.core.data import digest_of
from probatum.core.target import Target


class Folder(Target):
    """A model directory of which only files exist; it is written to a passing place when it is read."""

    kind = "planted files"
    access = Access.BYTES

    def __init__(self, name: str, files: Mapping[str, str | bytes]):
        self.name = name
        self._contents = {n: c.encode("utf-8") if isinstance(c, str) else c for n, c in files.items()}
        self.digest = digest_of(*(part for n in sorted(files) for part in (n, self._contents[n])))
        self._place: tempfile.TemporaryDirectory[str] | None = None

    def files(self) -> Path:
        """The folder, written once."""
        if self._place is None:
            self._place = tempfile.TemporaryDirectory(prefix="probatum-planted-")
            for name, content in self._contents.items():
                file = Path(self._place.name) / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        return Path(self._place.name)
