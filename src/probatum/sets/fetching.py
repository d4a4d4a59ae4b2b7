"""Getting a published set: only when the user asks, only from where it was published, and checked by its digest."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote, urlsplit

from probatum.core.errors import BadInput
from probatum.sets import ItemSet, known
from probatum.sets.finding import LARGEST

TIMEOUT = 60.0  #: seconds without a byte
HOPS = 5  #: redirects that are followed, none of them away from https


def wanted(name: str) -> list[ItemSet]:
    """The sets that a name means: one, a whole family (``bbq``), or all of a source (``TrustLLM``).

    Raises `BadInput` for a name that means none, or sets that were never published.
    """
    entries = known().values()
    found = [s for s in entries if name in (s.name, s.name.split("/")[0], s.source.name if s.source else None)]
    if not found:
        raise BadInput(f"no set of items is called '{name}'; see `probatum data`")
    published = [s for s in found if s.source is not None]
    if not published:
        raise BadInput(f"'{name}' is generated and was never published; there is nothing to fetch")
    return published


def address(entry: ItemSet) -> str:
    """From where the file (or the archive) of a set is read: the plain file behind the page that people look at."""
    assert entry.source is not None
    page = entry.source.url.rstrip("/")
    file = quote(entry.file)
    if match := re.fullmatch(r"https://github\.com/([^/]+/[^/]+)/blob/([^/]+)/(.+)", page):
        return f"https://raw.githubusercontent.com/{match[1]}/{match[2]}/{match[3]}"
    if match := re.fullmatch(r"https://github\.com/([^/]+/[^/]+)(?:/tree/([^/]+))?", page):
        return f"https://raw.githubusercontent.com/{match[1]}/{match[2] or 'HEAD'}/{file}"
    if match := re.fullmatch(r"https://huggingface\.co/datasets/([^/]+/[^/]+)(?:/(?:tree|blob)/([^/]+))?", page):
        return f"https://huggingface.co/datasets/{match[1]}/resolve/{match[2] or 'main'}/{file}"
    if PurePosixPath(urlsplit(page).path).name == (entry.source.archive or PurePosixPath(entry.file).name):
        return page
    raise BadInput(f"{entry.name} is not published as one file; get it from {page} and name its folder with --data DIR")


def fetch(entry: ItemSet, folder: Path, *, transport: Any = None) -> tuple[Path, str]:
    """Fetch the file of a set into ``folder``: (its path, a remark where nobody knows its digest).

    What has another digest than the published file is not kept, and what lies there already is not overwritten.

    Raises
    ------
    BadInput
        No network, not found there, too large, another file than expected; the sentence says what to do.
    """
    import httpx

    assert entry.source is not None
    url, name = address(entry), entry.source.archive or PurePosixPath(entry.file).name
    path = folder / name
    if path.exists():
        raise BadInput(f"{path} is there already; remove it, or name another folder")
    called = f"{entry.source.name}, {name}"
    elsewhere = f"get {url} where there is a network, and name its folder with --data DIR"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that a download that breaks off never looks like the file.
        with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{name}.", delete=False) as part:
            try:
                digest = _download(url, part, called, transport)
                _check(entry, name, digest)
                part.close()
                os.replace(part.name, path)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
    except httpx.TransportError as error:
        host = urlsplit(url).netloc
        raise BadInput(f"{called}: {host} cannot be reached ({_why(error)}); {elsewhere}") from error
    except OSError as error:
        raise BadInput(f"{path} could not be written: {error.strerror or error}") from error
    expected = _digests(entry).get(name)
    return path, "" if expected else f"no digest of {name} is known; what came has the SHA-256 {digest}"


def _download(url: str, file: IO[bytes], name: str, transport: Any) -> str:
    """The SHA-256 of what was written."""
    import httpx

    digest, size = hashlib.sha256(), 0
    with httpx.Client(transport=transport, timeout=TIMEOUT, follow_redirects=False) as client:
        for _ in range(HOPS + 1):
            if urlsplit(url).scheme != "https":
                raise BadInput(f"{name}: is sent on to {urlsplit(url).scheme}://…, and only https is followed")
            with client.stream("GET", url) as answer:
                if answer.is_redirect:
                    url = str(answer.next_request.url) if answer.next_request else ""
                    continue
                if answer.status_code != 200:
                    raise BadInput(f"{name}: {url} answers {answer.status_code} {answer.reason_phrase}".rstrip())
                for chunk in answer.iter_bytes():
                    size += len(chunk)
                    if size > LARGEST:
                        raise BadInput(f"{name}: {url} is larger than {LARGEST >> 20} MiB")
                    digest.update(chunk)
                    file.write(chunk)
                return digest.hexdigest()
    raise BadInput(f"{name}: {url} sends on and on")


def _check(entry: ItemSet, name: str, digest: str) -> None:
    expected = _digests(entry).get(name)
    if expected and digest not in expected:
        raise BadInput(
            f"{name}: what came is not the file that is known (SHA-256 {digest[:12]}…, expected "
            f"{' or '.join(d[:12] + '…' for d in expected)}), and was not kept"
        )


def _digests(entry: ItemSet) -> Mapping[str, tuple[str, ...]]:
    return (entry.source.digests or {}) if entry.source else {}


def _why(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
