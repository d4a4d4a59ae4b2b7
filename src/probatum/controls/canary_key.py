"""The key of a set of canaries: a file for its owner alone, sealed so that a change is noticed.

The seal is a SHA-256 over the whole key, 256 bits of chance among it: it tells nothing of the coins, and whoever
publishes it before the training has committed to them. It notices a change; against a forger only a published seal
helps.
"""

from __future__ import annotations

import itertools
import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from probatum.core.data import digest_of
from probatum.core.draws import keyed
from probatum.core.errors import BadInput, ProbatumError
from probatum.core.plain import from_plain, to_plain

SCHEMA, VERSION = "probatum canaries", 1
KEY, PLANTED = "key.json", "canaries.jsonl"
_AT_ONCE = 1_000_000  #: characters that are searched for canaries at a time


@dataclass(frozen=True)
class Canary:
    """One made-up record. ``repeats`` is how often it stands in the training data if the coin said so (``member``)."""

    id: str
    kind: str
    member: bool
    repeats: int
    text: str = field(repr=False)
    prefix: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    suffix: str | None = None
    format: str | None = None


@dataclass(frozen=True)
class CanaryKey:
    """All canaries of one run with their coins. ``nonce`` is 256 bits of chance that make the seal say nothing."""

    run: str
    created: str
    nonce: str = field(repr=False)
    canaries: tuple[Canary, ...] = field(repr=False)

    @property
    def seal(self) -> str:
        """SHA-256 over everything in the key: who publishes it before the training has committed to the coins."""
        return digest_of(SCHEMA, str(VERSION), json.dumps(to_plain(self), sort_keys=True))

    @property
    def planted(self) -> list[str]:
        """The texts to train on, each as often as its dose, in an order that says nothing."""
        texts = [c.text for c in self.canaries if c.member for _ in range(c.repeats)]
        return [texts[i] for i in self.rng("order").permutation(len(texts))]

    def rng(self, purpose: str) -> Any:
        """A generator for ``purpose``, the same for the same canaries."""
        return keyed(purpose, *(c.id for c in self.canaries))


def write(directory: Path, key: CanaryKey) -> None:
    """Write ``key.json``, and ``canaries.jsonl`` with what is to be trained on, for the owner only.

    Raises `BadInput` where the directory holds canaries already: their key is needed for as long as the model lives.
    """
    content = {"schema": SCHEMA, "schema_version": VERSION, "seal": key.seal, **to_plain(key)}
    texts = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in key.planted)
    free(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_private(directory / KEY, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        _write_private(directory / PLANTED, texts)
    except OSError as error:
        raise ProbatumError(f"{directory}: the canaries could not be written ({error.strerror})") from error


def free(directory: Path) -> None:
    """Raise `BadInput` unless canaries can go there."""
    if directory.exists() and not directory.is_dir():
        raise BadInput(f"{directory} is a file; name a directory for the canaries")
    for name in (KEY, PLANTED):
        if (directory / name).exists():
            raise BadInput(f"{directory / name} is there already, and an audit may need it; name another directory")


def open_key(path: str | Path) -> CanaryKey:
    """The key in ``path`` (a directory: its ``key.json``).

    Raises `BadInput` where the file is no key, is of a newer version, or was changed after it was made.
    """
    path = Path(path) / KEY if Path(path).is_dir() else Path(path)
    if not path.is_file():
        raise BadInput(f"{path}: no such file; `probatum canaries make` writes {KEY}")
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw["schema"] != SCHEMA:
            raise ValueError
        if int(raw["schema_version"]) > VERSION:
            raise BadInput(f"{path}: made by a newer Probatum (version {int(raw['schema_version'])}); update this one")
        key: CanaryKey = from_plain(CanaryKey, raw)
        sealed = str(raw["seal"])
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError, AttributeError):  # whose texts may hold what must not be shown
        raise BadInput(f"{path}: not a key of canaries; give the {KEY} that `probatum canaries make` wrote") from None
    if not secrets.compare_digest(sealed, key.seal):
        raise BadInput(f"{path}: the key was changed after it was made, so its coins prove nothing; use the original")
    return key


def standing_in(canaries: Sequence[Canary], texts: Iterable[str]) -> set[str]:
    """Ids of the canaries that stand in the texts, as a whole text or within one.

    The texts may be far more than fit into memory: they are searched a million characters at a time.
    """
    found: set[str] = set()
    part: list[str] = []
    size = 0
    for text in itertools.chain(texts, (None,)):
        if text is not None:
            part.append(text)
            size += len(text)
        if part and (text is None or size > _AT_ONCE):
            whole = "\n".join(part)
            found.update(c.id for c in canaries if c.id not in found and c.text in whole)
            part, size = [], 0
    return found


def _write_private(path: Path, text: str) -> None:
    """A new file that its owner alone can read."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
