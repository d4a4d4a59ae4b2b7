"""Recorded answers as a target: asked what it was asked before, it answers what it answered; else nothing came."""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from probatum.core.access import Access
from probatum.core.data import digest_of
from probatum.core.errors import BadInput
from probatum.core.target import Target
from probatum.targets.eval_log import read_log, samples_of
from probatum.targets.recorded import Recorded, Talk, recorded

ENDINGS = (".jsonl", ".json", ".eval")
LARGEST = 2 * 2**30  #: bytes of a file


class TranscriptTarget(Target):
    """The answers of one file (`probatum.targets.recorded` tells the shapes, `eval_log` reads logs of Inspect).

    A conversation is answered where the very same was recorded, whatever its spaces. Else, where system prompts do not
    differ among what was recorded, nor among what is asked (and so are no part of an item), where the same turns were;
    and for a first question, where its text is the last one of the user, or ends it, since an instruction may stand
    before it. Where several answers would fit, none is given.

    Attributes
    ----------
    failures
        Prompt → why it has no answer.
    notes
        What a reader of the report must know of the file.

    Raises
    ------
    BadInput
        Not JSON, no record, two different answers to one prompt, an id twice, no answers at all.
    """

    kind = "transcript"
    access = Access.TEXT
    chats = True

    def __init__(self, path: str | Path):
        path = Path(path)
        self.name = path.name if path.is_absolute() else path.as_posix()
        rows = list(_read(path))
        self.notes = _checked(rows, self.name)
        self.failures: dict[str, str] = {}
        self._exact = {r.talk: r for r in rows}
        self._spaced = _index((_turns(r.talk), r) for r in rows)
        self._turns = _index((_spoken(r.talk), r) for r in rows)
        self._one_system = _one_system(r.talk for r in rows)
        self._last = _index((_plain(_asked(r.talk)), r) for r in rows)
        self._ends = sorted(text[::-1] for text in self._last)
        lines = sorted(digest_of(json.dumps([r.talk, r.answer])) for r in rows)
        self.digest = self.tokenizer_digest = digest_of("transcript", *lines)

    def answers(
        self,
        messages: Sequence[Sequence[Mapping[str, str]]],
        *,
        max_new_tokens: int = 64,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str | None]:
        """See `Target.answers`. How long an answer may be was decided when it was recorded.

        Raises `BadInput` where none of these conversations is among the recorded ones: the file is of other items.
        """
        talks = [tuple((turn["role"], turn["content"]) for turn in talk) for talk in messages]
        loosely = self._one_system and _one_system(talks)
        found = [self._find(talk, loosely) for talk in talks]
        if talks and not any(found):
            raise BadInput(
                f"{self.name}: answers none of the {len(talks)} prompts asked here; its {len(self._exact)} answers are "
                "to other items (--data DIR says where those lie)"
            )
        said: list[str | None] = []
        for talk, row in zip(talks, found, strict=True):
            said.append(None if row is None else row.answer)
            if row is None or row.answer is None:
                why = "no answer was recorded to this prompt" if row is None else "recorded without an answer"
                self.failures[_asked(talk)] = why
        return said

    def chat(
        self,
        messages: Sequence[Sequence[Mapping[str, str]]],
        *,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """See `Target.chat`; raises `BadInput` where an answer is missing."""
        said = self.answers(messages)
        lost = sum(answer is None for answer in said)
        if lost:
            raise BadInput(f"{self.name}: {lost} of {len(said)} prompts have no recorded answer")
        return [answer or "" for answer in said]

    def generate(
        self,
        prompts: Sequence[str],
        *,
        max_new_tokens: int = 32,
        temperature: float = 0.0,
        stop: str | None = None,
        seed: int = 0,
        top_k: int = 0,
    ) -> list[str]:
        """See `Target.generate`: the recorded answer to a prompt by itself."""
        said = self.chat([[{"role": "user", "content": prompt}] for prompt in prompts])
        return [text.split(stop, 1)[0] if stop else text for text in said]

    def _find(self, talk: Talk, loosely: bool) -> Recorded | None:
        if talk in self._exact:
            return self._exact[talk]
        if (turns := _turns(talk)) in self._spaced:
            return self._spaced[turns]
        if not loosely:
            return None
        if (spoken := _spoken(talk)) in self._turns:
            return self._turns[spoken]
        if any(role == "assistant" for role, _ in talk):
            return None  # an answer to "Are you sure?" belongs to what was said before
        last = _plain(_asked(talk))
        if last in self._last:
            return self._last[last]
        # Backwards, what ends with this text begins with it.
        at = bisect.bisect_left(self._ends, last[::-1]) if last else len(self._ends)
        ending = [text for text in self._ends[at : at + 2] if text.startswith(last[::-1] + " ")]
        return self._last[ending[0][::-1]] if len(ending) == 1 else None


def _read(path: Path) -> Iterator[Recorded]:
    if path.suffix.lower() == ".eval":
        yield from read_log(path)
        return
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path}: is larger than {LARGEST >> 30} GiB")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read ({error})") from error
    if not text.strip():
        raise BadInput(f"{path}: the file is empty; expected a prompt and its answer on every line")
    if path.suffix.lower() == ".json":
        value = _parsed(text, str(path))
        if isinstance(value, dict) and isinstance(value.get("samples"), list):
            yield from samples_of(value, str(path))
        elif isinstance(value, dict) and not {"requests", "responses"} <= set(value):
            raise BadInput(
                f"{path}: is a file, not a directory with a model, and holds no recorded answers: expected a list of "
                "prompts with answers, or a log of Inspect"
            )
        else:
            yield from recorded(value, str(path))
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            where = f"{path}, line {number}"
            yield from recorded(_parsed(line, where), where)


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{where}: not JSON ({error})") from error


def _checked(rows: Sequence[Recorded], name: str) -> tuple[str, ...]:
    """What a reader must know of the file; two answers to one prompt, and an id that stands twice, are refused."""
    if not rows:
        raise BadInput(f"{name}: holds no records")
    seen: dict[Talk, Recorded] = {}
    ids: dict[str, Recorded] = {}
    for row in rows:
        before = seen.setdefault(row.talk, row)
        if before.answer != row.answer:
            raise BadInput(
                f"{row.where} answers a prompt otherwise than {_short(before.where, row.where)}; expected one answer "
                "to each prompt"
            )
        if row.id is not None and ids.setdefault(row.id, row) is not row:
            raise BadInput(f"{row.where} has the id of {_short(ids[row.id].where, row.where)}; ids must differ")
    empty = sum(not (row.answer or "").strip() for row in rows)
    if empty == len(rows):
        raise BadInput(f"{name}: all {len(rows)} answers are empty")
    columns = sorted({row.column for row in rows})
    models = sorted({row.model for row in rows if row.model})
    notes = [f"{len(rows)} recorded answers, read from {', '.join(columns)} of {name}"]
    if models:
        notes[0] += f"; they are of {', '.join(models[:4])}"
    if len(models) > 1:
        notes.append(f"{name} holds answers of {len(models)} models; no score of theirs is the score of one model")
    if empty:
        notes.append(f"{empty} recorded answers are empty and count as missing")
    if len(seen) < len(rows):
        notes.append(f"{len(rows) - len(seen)} records repeat a prompt and its answer")
    return tuple(notes)


def _short(where: str, other: str) -> str:
    """Without the file's name, which stands there already."""
    shared = where.partition(", ")
    return shared[2] if shared[2] and other.startswith(shared[0]) else where


def _index(pairs: Iterable[tuple[Any, Recorded]]) -> dict[Any, Recorded | None]:
    """By key; None where one key has several answers."""
    found: dict[Any, Recorded | None] = {}
    for key, row in pairs:
        before = found.setdefault(key, row)
        if before is not None and before.answer != row.answer:
            found[key] = None
    return found


def _turns(talk: Talk) -> Talk:
    return tuple((role, _plain(content)) for role, content in talk)


def _spoken(talk: Talk) -> Talk:
    """Without system prompts."""
    return tuple(turn for turn in _turns(talk) if turn[0] != "system")


def _one_system(talks: Iterable[Talk]) -> bool:
    """Whether there is one system prompt at most: what is said before every item belongs to none."""
    prompts = {tuple(turn for turn in _turns(talk) if turn[0] == "system") for talk in talks}
    return len(prompts - {()}) <= 1


def _asked(talk: Talk) -> str:
    """The last turn of the user."""
    return next((content for role, content in reversed(talk) if role == "user"), "")


def _plain(text: str) -> str:
    return " ".join(text.split())
