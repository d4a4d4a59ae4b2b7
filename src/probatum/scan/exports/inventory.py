"""What the exports know beside the findings: the hash of every file, and the few files that say what a model is."""

from __future__ import annotations

import os

from probatum.scan.manifest import Hasher

#: Files that describe a model; their bytes are kept, up to `LARGEST`.
DOCUMENTS = ("readme.md", "config.json", "adapter_config.json", "tokenizer_config.json", "requirements.txt")
LARGEST = 1 << 20


class Inventory:
    """Called by the scan with every open file, so that what is listed is what was scanned."""

    __slots__ = ("_hasher", "documents", "files")

    def __init__(self) -> None:
        self.files: dict[str, tuple[int, str]] = {}  # path -> (size, sha256)
        self.documents: dict[str, bytes] = {}
        self._hasher = Hasher()

    def __call__(self, path: str, handle: int) -> None:
        self.files[path] = self._hasher.digest(handle)
        if os.path.basename(path).lower() in DOCUMENTS and self.files[path][0] <= LARGEST:
            os.lseek(handle, 0, os.SEEK_SET)
            self.documents[path] = os.read(handle, LARGEST)

    @property
    def digests(self) -> dict[str, str]:
        return {path: digest for path, (_, digest) in self.files.items()}
