"""The command line, run in this process."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ran:
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str


def drive(*words: str | Path) -> Ran:
    """Run ``probatum WORDS`` in this process."""
    from probatum.cli import main

    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    sys.argv = ["probatum", *map(str, words)]
    code = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main(sys.argv[1:])
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.argv = before
    return Ran(code, out.getvalue(), err.getvalue())


def report_in(folder: Path) -> dict[str, Any]:
    """The report.json of a folder."""
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def finding(report: dict[str, Any], probe: str) -> dict[str, Any]:
    """The one finding of a probe."""
    found = [f for f in report["findings"] if f["probe"] == probe]
    assert len(found) == 1, f"{len(found)} findings of {probe}"
    return found[0]


def write_jsonl(path: Path, texts: Sequence[str]) -> Path:
    """One text a line."""
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
