"""A scan in the formats of others: SARIF, JUnit and CycloneDX. Nothing here is imported before it is asked for."""

from __future__ import annotations

import os

from probatum.scan.finding import quote
from probatum.scan.tree import BadPath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def check_outputs(paths: Iterable[str]) -> None:
    """Before anything is read: can these files be written? Raises `BadPath`."""
    for path in paths:
        folder = os.path.dirname(path) or os.curdir
        if not os.path.isdir(folder):
            raise BadPath(f"cannot write {quote(path)}: there is no folder {quote(folder)}")
        if os.path.isdir(path):
            raise BadPath(f"cannot write {quote(path)}: it is a folder")


def write(path: str, text: str) -> None:
    """Write a file whole or not at all. Raises `BadPath`."""
    beside = f"{path}.{os.getpid()}.part"
    try:
        with open(beside, "x", encoding="utf-8", newline="\n") as file:
            try:
                file.write(text)
                file.close()
                os.replace(beside, path)
            except BaseException:
                os.unlink(beside)
                raise
    except OSError as error:
        raise BadPath(f"cannot write {quote(path)}: {error.strerror}") from None
