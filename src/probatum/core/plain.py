"""Dataclasses to JSON types and back, for everything that is written to disk."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from typing import Any


def to_plain(value: Any) -> Any:
    """Dataclasses, tuples and NumPy scalars as JSON types; numbers that are not finite as null; mappings sorted."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(k): to_plain(value[k]) for k in sorted(value, key=str)}
    if isinstance(value, (list, tuple)):
        return [to_plain(v) for v in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def from_plain(kind: Any, raw: Any) -> Any:
    """The inverse, guided by the annotations of ``kind``; unknown keys are left out (a newer minor version)."""
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: from_plain(hint, raw[name]) for name, hint in hints.items() if name in raw})  # type: ignore[operator]
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if raw is None:
            return None
        return from_plain(next(a for a in args if a is not type(None)), raw)
    if origin is tuple:
        return tuple(from_plain(args[0], item) for item in raw)
    if origin is dict:
        return {key: from_plain(args[1], item) for key, item in raw.items()}
    return raw
