"""The logs of Inspect (``.eval``, a zip of JSON, or one JSON file) read without Inspect, within bounds.

A log may come from anywhere: nothing is unpacked to disk, and every part is inflated no further than it may be.
Inspect compresses with Zstandard, which Python's zipfile does not know before 3.14; Arrow does.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from probatum.core.errors import BadInput
from probatum.targets.recorded import Recorded, Talk, text_of

ZSTANDARD = 93  #: number of this compression in a zip file
LARGEST = 64 * 2**20  #: bytes of one sample once it is inflated
ALL = 4 * 2**30  #: bytes of all samples together
MOST = 500_000  #: samples
HEADER = 30  #: bytes of what stands before the name of a part in a zip file


def read_log(path: Path) -> Iterator[Recorded]:
    """The answers of an ``.eval`` file, sample by sample.

    Raises `BadInput` for a file that is no such log, is damaged, or holds more than it may.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            parts = [
                i for i in archive.infolist() if i.filename.startswith("samples/") and i.filename.endswith(".json")
            ]
            if not parts:
                raise BadInput(f"{path}: holds no samples; expected a log of Inspect (samples/*.json in a zip file)")
            if len(parts) > MOST or sum(i.file_size for i in parts) > ALL:
                raise BadInput(f"{path}: holds more than {MOST:,} samples or {ALL >> 30} GiB")
            for part in parts:
                yield _sample(json.loads(_inflated(part, archive, file, path)), f"{path}, {part.filename[8:-5]}")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise BadInput(f"{path}: cannot be read as a log of Inspect ({error})") from error


def samples_of(value: Mapping[str, Any], source: str) -> Iterator[Recorded]:
    """The answers of a log that is one JSON object."""
    for sample in value["samples"]:
        if not isinstance(sample, dict):
            raise BadInput(f"{source}: a sample of the log is no object")
        yield _sample(sample, f"{source}, sample {sample.get('id')}")


def _inflated(part: zipfile.ZipInfo, archive: zipfile.ZipFile, file: IO[bytes], path: Path) -> bytes:
    """One part, at most `LARGEST` bytes of it whatever its header says."""
    if part.flag_bits & 1:
        raise BadInput(f"{path}: is encrypted")
    if max(part.file_size, part.compress_size) > LARGEST:
        raise BadInput(f"{path}: {part.filename} is larger than {LARGEST >> 20} MiB")
    most = part.file_size + 1  # what it says of itself may be a lie
    if part.compress_type == ZSTANDARD:
        import pyarrow

        file.seek(part.header_offset)
        header = file.read(HEADER)
        file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
        with pyarrow.CompressedInputStream(pyarrow.BufferReader(file.read(part.compress_size)), "zstd") as stream:
            content: bytes = stream.read(most)
        if zlib.crc32(content) != part.CRC:
            raise zipfile.BadZipFile(f"{part.filename} is damaged, or larger than it says")
    else:
        with archive.open(part) as opened:
            content = opened.read(most)
    return content


def _sample(sample: Any, where: str) -> Recorded:
    """What was asked and answered; of a conversation the last answer, with all turns before it."""
    if not isinstance(sample, dict) or "input" not in sample:
        raise BadInput(f"{where}: is no sample of Inspect")
    kept = sample.get("attachments") or {}
    given = sample["input"]
    turns = sample.get("messages") or (given if isinstance(given, list) else [{"role": "user", "content": given}])
    talk: Talk = tuple((str(t.get("role")), _text(t.get("content"), kept)) for t in turns if isinstance(t, dict))
    last = max((i for i, (role, _) in enumerate(talk) if role == "assistant"), default=len(talk))
    output = sample.get("output") or {}
    choices = output.get("choices") or []
    said = _text((choices[0].get("message") or {}).get("content"), kept) if choices else None
    answer = None if sample.get("error") else said
    epoch = sample.get("epoch", 1)
    name = f"{sample.get('id')}" if epoch == 1 else f"{sample.get('id')} (epoch {epoch})"
    return Recorded(talk[:last], answer, where, "output", name, output.get("model"))


def _text(content: Any, kept: Mapping[str, Any]) -> str:
    """Of a content; long ones are kept beside the sample and stand there by name."""
    text = text_of(content)
    if text.startswith("attachment://"):
        return str(kept.get(text.removeprefix("attachment://"), text))
    return text
