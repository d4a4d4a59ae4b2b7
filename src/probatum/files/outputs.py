"""Outputs: not over what is there, not onto a full disk, and never half of one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput


def check_free(out: Path, force: bool) -> None:
    """Raise BadInput if the output exists, unless that was allowed, or its folder does not."""
    if out.exists() and not force:
        raise BadInput(f"{out}: exists; choose another name or say --force")
    if not out.parent.is_dir():
        raise BadInput(f"{out}: its folder does not exist")


def check_room(out: Path, size: int) -> None:
    """Raise BadInput if so many bytes do not fit on the disk."""
    free = shutil.disk_usage(os.fspath(out.parent)).free
    if size > free:
        raise BadInput(f"{out}: {size:,} bytes are to be written, {free:,} are free")


def write_whole(out: Path, write: Callable[[Any], None]) -> None:
    """Let ``write`` fill a file beside ``out``, which takes its name only when all of it is written and on the disk.

    Raises
    ------
    BadInput
        If it cannot be written; whatever ``write`` raises passes, and no file stays behind.
    """
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    try:
        with partial.open("xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, out)
    except OSError as error:
        raise BadInput(f"{out}: cannot be written ({error.strerror or error})") from error
    finally:
        partial.unlink(missing_ok=True)
