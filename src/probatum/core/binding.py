"""What the runner puts into a method's parameters, by type and by name."""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Mapping
from typing import Any

from probatum.core.catalogue import Method
from probatum.core.data import KINDS, Data
from probatum.core.errors import BadInput
from probatum.core.target import Target

#: The parameter of a method that gets one half of the records, labeled.
KNOWN = "known"


def missing(method: Method, subject: Target, data: Mapping[str, Data], roles: Mapping[str, Target]) -> str | None:
    """Why the method cannot run on this subject with these data and roles, or None."""
    lacking = method.needs & ~subject.access
    if lacking:
        why = subject.why_not(lacking)
        return f"needs {lacking}, this {subject.kind} gives {subject.access}" + (f" ({why})" if why else "")
    signature = method.signature
    for parameter, kind in signature.data.items():
        if parameter not in signature.optional and kind not in data:
            flag = KINDS[kind].FLAG
            return f"needs {flag}" + (" FILE" if flag.startswith("--") else "")
    for role in signature.roles:
        if role not in roles and role not in signature.optional:
            return f"needs --{role} MODEL" if role == "reference" else f"needs --with {role}=MODEL"
    return None


def bind(
    method: Method,
    data: Mapping[str, Data],
    roles: Mapping[str, Target],
    options: Mapping[str, Any],
    seed: int = 0,
) -> dict[str, Any]:
    """Keyword arguments for the method, without subject and rng. Data are blind unless the method learns.

    A method with a parameter ``known`` of the kind of its first data gets one half of the records there, with their
    labels, and is asked about the other half only: what it learned from is never what it is judged by.
    """
    signature = method.signature
    arguments: dict[str, Any] = {}
    first = next(iter(signature.data), "")
    if signature.data.get(KNOWN, "") == signature.data.get(first):
        known, asked = data[signature.data[first]].halves(seed)
        data = {**data, signature.data[first]: asked}
        arguments[KNOWN] = known
    for parameter, kind in signature.data.items():
        if parameter in arguments:
            continue
        if kind in data:
            arguments[parameter] = data[kind] if method.learns else data[kind].blind()
        else:
            arguments[parameter] = None
    for role in signature.roles:
        arguments[role] = roles.get(role)
    arguments.update(options)
    return arguments


def options_of(method: Method, given: Mapping[str, Any]) -> dict[str, Any]:
    """All options of the method with their values: ``given`` ones checked against the annotations, the rest default.

    Raises `BadInput` for an unknown option or a value of the wrong type.
    """
    known = method.signature.options
    values = {name: default for name, (_, default) in known.items()}
    for name, value in given.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=2)
            hint = f"; did you mean {', '.join(near)}?" if near else f"; it has {', '.join(known) or 'none'}"
            raise BadInput(f"{method.name} has no option '{name}'{hint}")
        values[name] = _convert(value, known[name][0], f"{method.name}.{name}")
    return values


def _convert(value: Any, annotation: str, where: str) -> Any:
    """A value given as text or as a TOML value, as the annotation has it."""
    if annotation.startswith("Literal"):
        allowed = ast.literal_eval(annotation.removeprefix("Literal"))
        allowed = allowed if isinstance(allowed, (tuple, list)) else [allowed]
        match = next((a for a in allowed if str(a) == str(value)), None)
        if match is None:
            raise BadInput(f"{where} must be one of {', '.join(map(str, allowed))}, got '{value}'")
        return match
    kinds: dict[str, type] = {"int": int, "float": float, "bool": bool, "str": str}
    kind = kinds.get(annotation)
    if kind is None:
        raise BadInput(f"{where} cannot be set: it is a {annotation}")
    try:
        if kind is bool:
            return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]
        if kind is int and isinstance(value, float) and not value.is_integer():
            raise ValueError
        found = kind(value)
        if kind is float and not math.isfinite(found):
            raise ValueError
        return found
    except (ValueError, KeyError) as error:
        raise BadInput(f"{where} must be {'an' if kind is int else 'a'} {kind.__name__}, got '{value}'") from error
