"""What the records of a PyTorch pickle mean: which are tensors, which hold others, which storages are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput
from probatum.files.pickle_records import Asked, Call, Name, Pairs
from probatum.scan.finding import quote
from probatum.scan.pickle.allow.torch_ import STORAGES

MAKERS = ("torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3")
PARAMETER = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
              "torch.nn.parameter.Parameter")  # fmt: skip
MAPPINGS = ("collections.OrderedDict", "collections.defaultdict", "collections.Counter")
REFUSED = {
    "torch._utils._rebuild_qtensor": "is quantized: a tensor with scales, which safetensors does not hold",
    "torch._utils._rebuild_sparse_tensor": "is sparse, which safetensors does not hold",
    "torch._utils._rebuild_sparse_csr_tensor": "is sparse, which safetensors does not hold",
    "torch._utils._rebuild_meta_tensor_no_storage": "is on the meta device: it has a shape and no numbers",
}


def is_tensor(value: Any) -> bool:
    """Was the value made by a function that makes tensors?"""
    known = (*MAKERS, *PARAMETER, *REFUSED, "torch._tensor._rebuild_from_type_v2")
    return isinstance(value, Call) and value.name in known


def storage_id(value: Any) -> tuple[Any, ...] | None:
    """("storage", class, key, device, elements[, view]) if that is what the value asks for, else None."""
    id = value.id if isinstance(value, Asked) else None
    if not isinstance(id, tuple) or not 5 <= len(id) <= 6 or id[0] != "storage" or not isinstance(id[1], Name):
        return None
    return id if id[1].name in STORAGES and isinstance(id[2], str) and type(id[4]) is int and id[4] >= 0 else None


def is_true(option: Any) -> bool:
    """Is one of the values of a dict True? So PyTorch marks lazy conjugates and negatives."""
    return any(value is True for _, value in option.items) if isinstance(option, Pairs | Call) else False


def plain_shape(shape: Any) -> Any:
    """A torch.Size as the tuple in it; a list as PyTorch took it long ago."""
    if isinstance(shape, Call) and shape.name == "torch.Size":
        shape = shape.args[0] if shape.args else ()
    return tuple(shape) if isinstance(shape, list) else shape


def inside(value: Any, path: Path) -> dict[str, Any] | None:
    """Items of a container by name; None for everything else."""
    if isinstance(value, list | tuple) and not isinstance(value, Asked | Name):
        return {str(n): item for n, item in enumerate(value)}
    if isinstance(value, Pairs):
        return _named_items(value.items, path)
    if isinstance(value, Call) and value.name in MAPPINGS:
        first = value.args[-1] if value.args else None
        items = list(first.items) if isinstance(first, Pairs) else []
        items += [tuple(pair) for pair in first if len(pair) == 2] if isinstance(first, list) else []
        return _named_items(items + value.items, path)
    return None


class Nameless(str):
    """Stands in a path for a key that is neither a text nor a whole number: no tensor is called so."""


def _named_items(items: list[tuple[Any, Any]], path: Path) -> dict[str, Any]:
    out: dict[str, Any] = {}
    kinds: dict[str, type] = {}
    for key, value in items:
        if isinstance(key, str) or (type(key) is int and abs(key) < 1 << 60):
            name = str(key)
        else:
            name = Nameless(f"(key {len(out)})")
        if kinds.setdefault(name, type(key)) is not type(key):
            raise BadInput(f"{path}: a dict has two keys that are both written {quote(name)}")
        out[name] = value
    return out


def asked(value: Any) -> Iterator[Asked]:
    """Every storage that a tree asks for, hooks and states included; each record is looked at once."""
    todo, seen = [value], set()
    while todo:
        value = todo.pop()
        if isinstance(value, Asked):
            yield value
        elif isinstance(value, list | tuple | Pairs | Call) and not isinstance(value, Name):
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, list | tuple):
                todo += value
            else:
                todo += [part for pair in value.items for part in pair]
            if isinstance(value, Call):
                todo += [value.callee, value.args, value.state, *value.appended]
