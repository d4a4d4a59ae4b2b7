"""What a probe returns: one number per record, and what a high number points towards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Released:
    """What the scorer that a benchmark was published with makes of the same answers; ``name`` says of what."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Scores:
    """One number per record.

    Parameters
    ----------
    ids
        Of the records, in the order of ``values``.
    values
        Shape (n,). NaN means that the record has no score; the reason stands in ``unscored``.
    towards
        What a high value points towards: ``"member"``, ``"payload"`` … The direction is part of the type, since
        half of the published sign errors come from leaving it to the reader.
    expected
        Chance of a hit per record, shape (n,), where chance is known.
    null
        The same statistic under K decoys, shape (n, K).
    unscored
        Record id to reason.
    note
        One sentence for the reader, such as which of two ways a quantity was computed.
    parameters
        Numbers that the metric must know, such as the delta of an epsilon; they come from the probe's options.
    said
        The model's answers, in the order of ``ids``; None where none came.
    kinds
        What each answer was: answered, refused, unparsable or missing.
    released
        What the published scorer makes of these answers, where it differs from ours.
    """

    ids: tuple[str, ...]
    values: np.ndarray
    towards: str
    expected: np.ndarray | None = None
    null: np.ndarray | None = None
    unscored: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)
    said: tuple[str | None, ...] | None = None
    kinds: tuple[str, ...] | None = None
    released: Released | None = None

    def __init__(
        self,
        ids: Sequence[str],
        values: Sequence[float] | np.ndarray,
        towards: str,
        *,
        expected: Sequence[float] | np.ndarray | float | None = None,
        null: np.ndarray | None = None,
        unscored: Mapping[str, str] | None = None,
        note: str = "",
        parameters: Mapping[str, float] | None = None,
        said: Sequence[str | None] | None = None,
        kinds: Sequence[str] | None = None,
        released: Released | None = None,
    ):
        array = np.asarray(values, dtype=np.float64).copy()
        if array.shape != (len(ids),):
            raise ValueError(f"expected one value per record ({len(ids)}), got shape {array.shape}")
        reasons = dict(unscored or {})
        for i, name in enumerate(ids):
            if name in reasons:
                array[i] = np.nan
            elif np.isnan(array[i]):
                reasons[name] = "too short: no token has a score"
        set_ = object.__setattr__
        set_(self, "ids", tuple(ids))
        set_(self, "values", array)
        set_(self, "towards", towards)
        set_(self, "expected", None if expected is None else np.broadcast_to(expected, array.shape).astype(float))
        set_(self, "null", None if null is None else np.asarray(null, dtype=np.float64))
        set_(self, "unscored", reasons)
        set_(self, "note", note)
        set_(self, "parameters", dict(parameters or {}))
        set_(self, "said", None if said is None else tuple(said))
        set_(self, "kinds", None if kinds is None else tuple(kinds))
        set_(self, "released", released)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def scored(self) -> np.ndarray:
        """Boolean mask, shape (n,)."""
        mask: np.ndarray = ~np.isnan(self.values)
        return mask

    @classmethod
    def joined(cls, parts: Sequence[Scores]) -> Scores:
        """The scores of several parts of the same records, one after the other."""

        def column(name: str) -> np.ndarray | None:
            columns = [getattr(p, name) for p in parts]
            return None if any(c is None for c in columns) else np.concatenate(columns)

        first = parts[0]
        return cls(
            [name for p in parts for name in p.ids],
            np.concatenate([p.values for p in parts]),
            first.towards,
            expected=column("expected"),
            null=column("null"),
            unscored={name: why for p in parts for name, why in p.unscored.items()},
            note=first.note,
            parameters=first.parameters,
        )

    def take(self, keep: np.ndarray) -> Scores:
        """The records at ``keep`` (a boolean mask or indices), in that order."""
        index = np.flatnonzero(keep) if np.asarray(keep).dtype == bool else np.asarray(keep)
        ids = [self.ids[i] for i in index]
        return Scores(
            ids,
            self.values[index],
            self.towards,
            expected=None if self.expected is None else self.expected[index],
            null=None if self.null is None else self.null[index],
            unscored={i: self.unscored[i] for i in ids if i in self.unscored},
            note=self.note,
            parameters=self.parameters,
            said=None if self.said is None else [self.said[i] for i in index],
            kinds=None if self.kinds is None else [self.kinds[i] for i in index],
        )
