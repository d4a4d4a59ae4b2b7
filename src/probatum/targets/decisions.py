"""A table of decisions already taken, as a target: it decides as the table says, and can be asked nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.access import Access
from probatum.core.data import Data, Rows, present
from probatum.core.errors import BadInput
from probatum.core.tables import read_rows
from probatum.core.target import Target

ENDINGS = (".csv", ".parquet", ".jsonl")
MOST = 400  #: groups of a column, or of several columns together; what has more is a number or a name
_WORDS = {"1": True, "1.0": True, "true": True, "yes": True, "0": False, "0.0": False, "false": False, "no": False}


class DecisionsTarget(Target):
    """Decisions of a table: `predict` gives them back, and ``brings`` holds its rows with labels and groups.

    Parameters
    ----------
    path
        A .csv, .parquet or .jsonl file with one decision a row. Its columns ``id`` and ``cluster``, where it has them,
        name a row and the unit that is independent of others (a person who was decided on twice).
    prediction, label, score
        Columns of what was decided, of what was true (both 1/0, yes/no or true/false), and of the number that the
        decision came from.
    groups
        Columns that each divide the rows into groups; also looked at together.

    Raises
    ------
    BadInput
        The file or a column is not there, or a cell is no decision; the sentence says which.
    """

    kind = "decisions"
    access = Access.LABELS

    def __init__(
        self,
        path: str | Path,
        *,
        prediction: str,
        label: str | None = None,
        score: str | None = None,
        groups: Sequence[str] = (),
    ):
        self.name = Path(path).name if Path(path).is_absolute() else Path(path).as_posix()
        self.rows = _read(Path(path), prediction, label, score, groups)
        self.digest = self.tokenizer_digest = self.rows.digest
        self.access = Access.LABELS | (Access.SCORES if score else Access(0))
        self._decided = dict(zip(self.rows.ids, self.rows.prediction, strict=True))

    @property
    def brings(self) -> Mapping[str, Data]:
        """The data that come with it, by kind."""
        return {"Rows": self.rows}

    def predict(self, rows: Rows) -> np.ndarray:
        """See `Target.predict`; a row that is not in the table has no decision."""
        return np.array([float(self._decided[i]) if i in self._decided else np.nan for i in rows.ids])


def _read(path: Path, prediction: str, label: str | None, score: str | None, groups: Sequence[str]) -> Rows:
    if not groups:
        raise BadInput(f"{path}: name at least one column of groups (--group NAME)")
    table = read_rows(path)
    for column in filter(None, (prediction, label, score, *groups)):
        if not any(column in row for row in table):
            have = present(table[0], path)
            raise BadInput(f"{path}: there is no column '{column}' (present: {have})")
    named = all(row.get("id") not in (None, "") for row in table)
    rows: list[dict[str, Any]] = []
    for n, row in enumerate(table, 1):
        where = f"{path}, record {n}"
        rows.append(
            {
                "id": str(row["id"]) if named else str(n),
                "prediction": _decision(row.get(prediction), f"{where}: '{prediction}'"),
                "label": None if label is None else _decision(row.get(label), f"{where}: '{label}'"),
                "score": None if score is None else _number(row.get(score), f"{where}: '{score}'"),
                "groups": [f"{g}={_cell(row.get(g))}" for g in groups],
                "cluster": row.get("cluster") or None,
            }
        )
    for i, column in enumerate(groups):
        _few({row["groups"][i] for row in rows}, f"{path}: the column '{column}'")
    _few({tuple(row["groups"]) for row in rows}, f"{path}: the columns {', '.join(groups)} together")
    return Rows.from_rows(rows, str(path), name=path.stem)


def _few(found: set[Any], what: str) -> None:
    if len(found) > MOST:
        raise BadInput(f"{what}: {len(found):,} different values make no groups; put them in classes (at most {MOST})")
    if len(found) < 2:
        raise BadInput(f"{what}: all rows are of one group, and there is nothing to compare it with")


def _cell(value: Any) -> str:
    return "(empty)" if value is None or not str(value).strip() else str(value).strip()


# What stands in a wrong place may be private, so these sentences say where it stands, and not what it is.


def _decision(value: Any, where: str) -> bool:
    known = _WORDS.get(str(value).strip().lower())
    if known is None:
        what = "is empty" if value is None or not str(value).strip() else "is neither yes nor no"
        raise BadInput(f"{where} {what}; write 1 or 0, yes or no, true or false (a score is named with --score)")
    return known


def _number(value: Any, where: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not np.isfinite(number):
        raise BadInput(f"{where} must be a number")
    return number
