"""What tests share: a cache of evidence that is not the user's, and the audits of the built-in models."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path += [str(Path(__file__).parent / folder) for folder in ("engine", "acceptance")]
from driving import drive

PATIENCE = 900  # seconds that a worker waits for what another one makes


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of this session."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_cache(shared: Path) -> Iterator[None]:
    """Evidence of the session lies in its own folder; nothing reaches the hub; one thread a process."""
    settings = {"PROBATUM_CACHE": str(shared / "cache"), "HF_HUB_OFFLINE": "1", "PROBATUM_THREADS": "1"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        patch.delenv("PROBATUM_API_KEY", raising=False)
        patch.delenv("OPENAI_API_KEY", raising=False)
        yield


@pytest.fixture(scope="session")
def once(shared: Path) -> Callable[[str, Callable[[Path], object]], Path]:
    """``once(name, make)``: a folder that ``make(folder)`` filled, once for all workers."""

    def get(name: str, make: Callable[[Path], object]) -> Path:
        folder, lock, done = shared / name, shared / f"{name}.lock", shared / f"{name}.done"
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            given_up = time.monotonic() + PATIENCE
            while not done.exists():
                if time.monotonic() > given_up:
                    pytest.fail(f"another worker did not finish '{name}' within {PATIENCE} s")
                time.sleep(0.1)
        else:
            try:
                folder.mkdir()
                make(folder)
            finally:
                done.touch()  # after a failure, too: the others must not wait for what never comes
        return folder

    return get


CHAT_TEMPLATE = """{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>
{{ m.content }}<|end|>
{% endfor %}{% if add_generation_prompt %}<|assistant|>
{% endif %}"""


@pytest.fixture(scope="session")
def chat_toy(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """The directory of a tiny random Llama that chats through a template of its own, system messages included."""

    def make(folder: Path) -> None:
        from tiny_models import build

        build("llama", folder, vocab=600, bos="<s>", eos="<|end|>", context=1024)
        (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")

    return once("chat toy", make)


@pytest.fixture(scope="session")
def audits(once: Callable[[str, Callable[[Path], object]], Path]) -> Path:
    """``specimen/`` and ``twin/`` with their reports, and what the command line printed, in ``printed.txt``."""

    def make(folder: Path) -> None:
        ran = drive("audit", "specimen", "twin", "--out", folder)
        (folder / "printed.txt").write_text(ran.out, encoding="utf-8")
        assert ran.code == 0, ran.err

    return once("audits", make)
