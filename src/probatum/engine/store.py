"""The evidence store: what a model answered, kept under the digest of everything that determined the answer.

One SQLite file in write-ahead mode. Two audits may share it; kill -9 costs at most the batch in flight; a row, a file
or a schema that cannot be believed is set aside and computed again, never answered from.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from probatum.core.errors import BadInput, StoreError

#: Part of every key and stamped into the file: raise it when the meaning of a stored row changes.
SCHEMA = 1

#: (key, kind, blob). The kind is for people who look into the file; the key already determines it.
Row = tuple[bytes, str, bytes]

_APPLICATION = 0x50524F42  # "PROB": the file is ours
_AT_ONCE = 500  # keys per SELECT; older SQLite allows 999 variables
_QUICK_CHECK_BYTES = 256 << 20  # larger files are checked row by row as they are read; opening must not take minutes
_PAGE = 8192  # bytes: a record takes some 10 kB, and what a batch costs goes by the pages that it touches
_CACHE_KIB = 32 << 10  # the index of some 500,000 rows: keys are digests, so a batch touches it everywhere
_LOG_BYTES = 32 << 20
_TABLES = """
CREATE TABLE IF NOT EXISTS evidence (key BLOB PRIMARY KEY, kind TEXT, blob BLOB, checksum INTEGER);
CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, text TEXT, checksum INTEGER);
"""

_T = TypeVar("_T")


class Evidence(Protocol):
    """What a target needs of a store."""

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]: ...

    def put(self, items: Iterable[Row]) -> None: ...


class MemoryStore:
    """Evidence of one session that keeps nothing on disk."""

    def __init__(self) -> None:
        self._rows: dict[bytes, bytes] = {}

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The blobs of those keys that are there."""
        return {key: self._rows[key] for key in keys if key in self._rows}

    def put(self, items: Iterable[Row]) -> None:
        """Keep the rows; what is there already stays."""
        for key, _, blob in items:
            self._rows.setdefault(key, blob)


class EvidenceStore:
    """Evidence on disk, in ``directory/evidence.sqlite``, readable by the owner only.

    Raises
    ------
    BadInput
        The directory cannot be written.
    ProbatumError
        The disk is full (in `put`); everything stored before is still answered.
    """

    def __init__(self, directory: str | Path):
        self.directory = Path(directory)
        self.path = self.directory / "evidence.sqlite"
        self._lock = threading.RLock()
        try:
            private = not self.directory.exists() or not any(self.directory.iterdir())
            self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            if private:  # a directory with other things in it keeps the user's mode; the file itself is 0600 always
                self.directory.chmod(0o700)
            with _locked(self.directory / "evidence.lock"):
                self._db = self._open()
        except (OSError, sqlite3.Error) as error:
            raise BadInput(
                f"{self.directory}: evidence cannot be kept here ({error}); name a writable folder with --cache"
            ) from error

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The blobs of those keys that are there and whose checksum is right."""
        return self._guarded(lambda: self._get(keys))

    def put(self, items: Iterable[Row]) -> None:
        """Store a batch in one transaction; a key that is there already stays as it is."""
        rows = [(key, kind, blob, _checksum(key, blob)) for key, kind, blob in items]
        statement = "INSERT OR IGNORE INTO evidence VALUES (?, ?, ?, ?)"
        self._guarded(lambda: self._write(statement, rows))

    def note(self, key: str) -> str | None:
        """A short text kept under ``key``, or None."""

        def read() -> str | None:
            row = self._db.execute("SELECT text, checksum FROM notes WHERE key = ?", (key,)).fetchone()
            if row is None or _checksum(key.encode(), str(row[0]).encode()) != row[1]:
                return None
            return str(row[0])

        return self._guarded(read)

    def put_note(self, key: str, text: str) -> None:
        """Keep ``text`` (small JSON) under ``key``, in place of what was there."""
        row = (key, text, _checksum(key.encode(), text.encode()))
        self._guarded(lambda: self._write("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", [row]))

    def __len__(self) -> int:
        return self._guarded(lambda: int(self._db.execute("SELECT count(*) FROM evidence").fetchone()[0]))

    def size(self) -> int:
        """Bytes on disk."""
        return sum(f.stat().st_size for f in _parts(self.path) if f.exists())

    def clear(self) -> None:
        """Forget everything."""

        def forget() -> None:
            with self._db:
                self._db.execute("DELETE FROM evidence")
                self._db.execute("DELETE FROM notes")
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

        self._guarded(forget)

    def close(self) -> None:
        """Close the file; the store cannot be used any more."""
        with self._lock:
            self._db.close()

    # How the file is opened, and what happens when it cannot be believed.

    def _open(self) -> sqlite3.Connection:
        if self.path.exists():
            doubt, suffix = _doubt(self.path)
            if doubt:
                moved = _set_aside(self.path, suffix)
                warnings.warn(f"{self.path}: {doubt}; moved to {moved.name}, evidence starts anew", stacklevel=4)
        self.path.touch(mode=0o600)
        self.path.chmod(0o600)
        db = _connect(self.path)
        db.execute(f"PRAGMA page_size = {_PAGE}")  # of a new file; an old one keeps its own
        db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")  # safe against kill -9; only a power cut may lose the last batches
        page = db.execute("PRAGMA page_size").fetchone()[0]
        db.execute(f"PRAGMA wal_autocheckpoint = {_LOG_BYTES // page}")  # every checkpoint waits for the disk
        db.execute(f"PRAGMA application_id = {_APPLICATION}")
        db.execute(f"PRAGMA user_version = {SCHEMA}")
        db.executescript(_TABLES)
        return db

    def _guarded(self, call: Callable[[], _T]) -> _T:
        """Run a call; a file that turns out damaged is set aside, and the call is made to the new one."""
        with self._lock:
            try:
                return call()
            except sqlite3.OperationalError as error:
                raise StoreError(
                    f"{self.path}: evidence cannot be kept ({error}); make room or name another folder with --cache, "
                    "then run again: what is stored already is not computed twice"
                ) from error
            except sqlite3.DatabaseError as error:
                if type(error) is not sqlite3.DatabaseError:  # a mistake of ours, such as a closed store
                    raise
                self._db.close()
                with _locked(self.directory / "evidence.lock"):
                    self._db = self._open()
                return call()

    def _get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        damaged: list[tuple[bytes]] = []
        for start in range(0, len(keys), _AT_ONCE):
            some = list(keys[start : start + _AT_ONCE])
            marks = ",".join("?" * len(some))
            rows = self._db.execute(f"SELECT key, blob, checksum FROM evidence WHERE key IN ({marks})", some)
            for key, blob, checksum in rows:
                if isinstance(blob, bytes) and _checksum(key, blob) == checksum:
                    found[key] = blob
                else:
                    damaged.append((key,))
        if damaged:  # deleted, or INSERT OR IGNORE would keep the damaged row for ever
            warnings.warn(f"{self.path}: {len(damaged)} damaged rows are computed again", stacklevel=5)
            self._write("DELETE FROM evidence WHERE key = ?", damaged)
        return found

    def _write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        with self._db:
            self._db.executemany(statement, rows)


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=60, check_same_thread=False)


def _checksum(key: bytes, blob: bytes) -> int:
    return zlib.crc32(blob, zlib.crc32(key))


def _doubt(path: Path) -> tuple[str, str]:
    """Why an existing file is not believed and what its new name says; two empty strings when it is."""
    if path.stat().st_size == 0:
        return "", ""
    try:
        db = _connect(path)
        try:
            application = db.execute("PRAGMA application_id").fetchone()[0]
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if application != _APPLICATION:
                return "is not an evidence store of Probatum", "other"
            if version != SCHEMA:
                return f"has evidence of schema {version}, this is schema {SCHEMA}", f"schema-{version}"
            if path.stat().st_size <= _QUICK_CHECK_BYTES:
                verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
                if verdict != "ok":
                    return f"is damaged ({str(verdict).splitlines()[-1]})", "corrupt"
            db.execute("SELECT key, kind, blob, checksum FROM evidence LIMIT 1").fetchone()
            db.execute("SELECT key, text, checksum FROM notes LIMIT 1").fetchone()
        finally:
            db.close()
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "unable to open" in str(error):
            raise
        return f"is damaged ({error})", "corrupt"
    except sqlite3.DatabaseError as error:
        return f"is damaged ({error})", "corrupt"
    return "", ""


def _parts(path: Path) -> list[Path]:
    return [path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")]


def _set_aside(path: Path, suffix: str) -> Path:
    n = 1
    while (moved := path.with_name(f"{path.name}.{suffix}-{n}")).exists():
        n += 1
    # The write-ahead log belongs to the damaged file: left behind, SQLite would replay it into the new one.
    for old, new in zip(_parts(path), _parts(moved), strict=True):
        with contextlib.suppress(FileNotFoundError):
            old.rename(new)
    return moved


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Only one process at a time decides whether the file is damaged, or the second would set the new one aside."""
    try:
        import fcntl
    except ImportError:  # Windows has no fcntl, and refuses to rename an open file anyway
        yield
        return
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
