"""Does anything that the machine calls inert leave the allow-list in a real loader?

    python tests/scan/differential.py 1000000 [SEED] [SECONDS]

Every generated stream is scanned; those proved inert are loaded by the C and the Python loader in a process with an
audit hook. Also checked: no crash of the scanner, and no more steps than a fixed number for each byte.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from generated import streams

from probatum.scan import Budget
from probatum.scan.context import Context
from probatum.scan.finding import INERT, NOT_COVERED, UNKNOWN_CODE, worst
from probatum.scan.formats import pickle_
from probatum.scan.source import Source

#: Steps for each byte, over all views, probes and payloads of a stream; and a start.
STEPS_PER_BYTE, START = 16, 64


def verdict(data: bytes) -> tuple[str, int]:
    """(verdict, steps) of the pickle machine; text and other formats do not come into it.

    A stream that reaches code under an unusual reader only (PKL019) was seen, and is not loaded.
    """
    context = Context(Budget())
    pickle_.scan(Source("stream", data=data), context)
    seen = any(f.rule == "PKL019" for f in context.findings)
    return UNKNOWN_CODE if seen else worst(f.verdict for f in context.findings), context.budget.steps_used


class Loader:
    """The process that loads; started again after a crash."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.start()

    def start(self) -> None:
        path = os.pathsep.join([self.folder.name, *[p for p in sys.path if p]])
        (Path(self.folder.name) / "canary_module.py").write_text("def sing(*a):\n    return a\n")
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("loader.py"))], cwd=self.folder.name,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip

    def load(self, batch: list[bytes]) -> list[str]:
        """One answer for each stream. A batch must fit into the pipe's answers: some hundred streams."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(b"".join(struct.pack("<I", len(d)) + d for d in batch))
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        answers = []
        for _ in batch:
            line = self.process.stdout.readline().decode().strip()
            if not line:
                code = self.process.wait()
                self.start()
                return [*answers, f"the loader died ({code})"]
            answers.append(line)
        return answers

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self.folder.cleanup()


def run(count: int, seed: int, seconds: float = 1e9) -> dict[str, object]:
    """Scan and load; gives the counts, and every stream that should not have been called inert."""
    loader, end = Loader(), time.monotonic() + seconds
    done = inert = partly = 0
    wrong: list[tuple[bytes, str]] = []
    batch: list[bytes] = []

    def flush() -> None:
        rest = list(batch)
        while rest:
            answers = loader.load(rest)
            wrong.extend((d, a) for d, a in zip(rest, answers, strict=False) if a != "ok")
            rest = rest[len(answers) :]
        batch.clear()

    for data in streams(count, seed):
        found, steps = verdict(data)
        if steps > STEPS_PER_BYTE * len(data) + START:
            wrong.append((data, f"{steps} steps"))
        done += 1
        inert += found == INERT
        partly += found == NOT_COVERED
        if found in (INERT, NOT_COVERED):  # what runs before an error was judged as well
            batch.append(data)
        if len(batch) >= 200:
            flush()
            if time.monotonic() > end or len(wrong) > 50:
                break
    flush()
    loader.close()
    return {"streams": done, "inert": inert, "not covered": partly, "wrong": wrong}


if __name__ == "__main__":
    arguments = [float(a) for a in sys.argv[1:]]
    result = run(int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else 0, *arguments[2:3])
    for stream, said in result.pop("wrong"):  # type: ignore[attr-defined]
        print(stream, said[:200])
    print(result)
