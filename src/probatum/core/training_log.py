"""``train-log.json``: what a differentially private training says of its noise, sampling and steps.

One object, or a list of them, one for each phase of a training whose settings changed::

    {"noise_multiplier": 1.0, "sample_rate": 0.01, "steps": 3000, "delta": 1e-5, "max_grad_norm": 1.0}
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probatum.core.data import TrainingLog
from probatum.core.errors import BadInput

_KEYS = (*TrainingLog.COLUMNS, *TrainingLog.OPTIONAL)


def read_training_log(path: str | Path) -> TrainingLog:
    """The log as data, a record for each phase. Raises `BadInput` with one sentence that names the file."""
    path = Path(path)
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise BadInput(f"{path}: no such file") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:  # UnicodeDecodeError is one, too
        raise BadInput(f"{path}: not JSON ({error})") from error
    example = '{"noise_multiplier": 1.0, "sample_rate": 0.01, "steps": 3000, "delta": 1e-5}'
    entries = raw if isinstance(raw, list) else [raw]
    if not entries or not all(isinstance(entry, dict) for entry in entries):
        raise BadInput(f"{path}: expected one object such as {example}, or a list with one for each phase")
    rows = []
    for number, entry in enumerate(entries, 1):
        where = f"{path}, phase {number}" if len(entries) > 1 else str(path)
        rows.append({"id": f"phase {number}", **_numbers(entry, where)})
    log = TrainingLog.from_rows(rows, str(path), name=path.stem)
    check_training_log(log, str(path))
    return log


def check_training_log(log: TrainingLog, source: str = "the training log") -> None:
    """Raises `BadInput` where a number cannot be one of a training."""
    for i in range(len(log)):
        where = f"{source}, phase {i + 1}" if len(log) > 1 else source
        try:
            sigma, q, steps, delta = (float(getattr(log, key)[i]) for key in TrainingLog.COLUMNS)
        except (TypeError, ValueError):
            raise BadInput(f"{where}: expected numbers for {', '.join(TrainingLog.COLUMNS)}") from None
        if not (math.isfinite(sigma) and sigma > 0):
            raise BadInput(
                f"{where}: noise_multiplier must be above 0, got {sigma:g}; without noise nothing is guaranteed"
            )
        if not 0 < q <= 1:
            raise BadInput(
                f"{where}: sample_rate must lie in (0, 1], got {q:g}; it is mean batch size over number of records"
            )
        if not (steps >= 1 and steps.is_integer()):
            raise BadInput(f"{where}: steps must be a whole number from 1, got {steps:g}")
        if not 0 < delta < 1:
            raise BadInput(f"{where}: delta must lie strictly between 0 and 1, got {delta:g}")
    if len(set(map(float, log.delta))) > 1:
        raise BadInput(
            f"{source}: the phases state different deltas ({', '.join(map(str, log.delta))}); "
            "delta is of the whole training, so write the same in all"
        )


def _numbers(entry: Mapping[str, Any], where: str) -> dict[str, float]:
    lacking = [key for key in TrainingLog.COLUMNS if entry.get(key) is None]
    if lacking:
        raise BadInput(f"{where}: '{lacking[0]}' is missing (present: {', '.join(map(str, entry)) or 'none'})")
    found = {key: entry[key] for key in _KEYS if entry.get(key) is not None}
    for key, value in found.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise BadInput(f"{where}: '{key}' must be a number, got {json.dumps(value)[:40]}")
    return {key: int(v) if key == "steps" and float(v).is_integer() else v for key, v in found.items()}
