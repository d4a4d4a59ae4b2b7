"""Models and texts that are a user's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from driving import drive, write_jsonl
from own_models import finish, letters, train


@pytest.fixture(scope="session")
def probatum() -> Callable[..., Any]:
    """The command line: ``probatum("audit", "specimen")`` gives its exit code and what it printed."""
    return drive


@pytest.fixture(scope="session")
def own(once: Callable[..., Path]) -> Path:
    """A GPT-2 that was trained here on known letters, another with a like start that saw others, and the letters.

    ``model/``, ``base/``, ``members.jsonl``, ``nonmembers.jsonl``.
    """

    def make(folder: Path) -> None:
        texts = letters(180, seed=3)
        members, nonmembers, others = texts[:60], texts[60:120], texts[120:]
        train(folder / "base", others, others + members + nonmembers, steps=20)
        train(folder / "model", members, others + members + nonmembers, steps=110)
        write_jsonl(folder / "members.jsonl", members)
        write_jsonl(folder / "nonmembers.jsonl", nonmembers)

    return once("own", make)


@pytest.fixture(scope="session")
def tiny(once: Callable[..., Path]) -> Path:
    """A model of random weights that knows nothing, and two small files of texts: for everything that must fail."""

    def make(folder: Path) -> None:
        texts = letters(40, seed=9)
        finish(folder / "model", texts)
        write_jsonl(folder / "members.jsonl", texts[:20])
        write_jsonl(folder / "nonmembers.jsonl", texts[20:])

    return once("tiny", make)
