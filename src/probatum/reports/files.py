"""Put files into a directory whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from probatum.core.errors import ProbatumError


def write_all(directory: Path, contents: Mapping[str, str]) -> list[Path]:
    """Write every file beside its place, then rename all of them; on any error the old files stay as they were."""
    waiting: dict[Path, Path] = {}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in contents.items():
            beside = directory / f".{name}.{secrets.token_hex(4)}"
            waiting[beside] = directory / name
            _write(beside, text)
        for beside, place in waiting.items():
            os.replace(beside, place)
    except OSError as error:
        why = error.strerror or str(error)
        raise ProbatumError(
            f"cannot write the report to '{directory}': {why}; make room there or name another directory"
        ) from error
    finally:
        for beside in waiting:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
    return list(waiting.values())


def _write(path: Path, text: str) -> None:
    # In JSON a lone surrogate must be written as \udXXX, and that is what "backslashreplace" makes of it.
    with path.open("xb") as stream:
        stream.write(text.encode("utf-8", "backslashreplace"))
        stream.flush()
        os.fsync(stream.fileno())
