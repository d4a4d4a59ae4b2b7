"""TorchScript archives: functions that tag a list with its type for the C++ loader. To Python they are the identity."""

from __future__ import annotations

from probatum.scan.pickle.allow.entry import Entry, is_number, require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.pickle.values import Value


def _same(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(len(args) == (2 if entry.name.endswith("restore_type_tag") else 1), "strange arguments")
    return args[0]


def _number(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(len(args) == 1, "strange arguments")
    return args[0] if is_number(args[0]) else None


ENTRIES = (
    *(Entry(f"torch.jit._pickle.build_{kind}list", _same) for kind in ("int", "tensor", "double", "bool")),
    Entry("torch.jit._pickle.restore_type_tag", _same),
    Entry("torch.jit._pickle.build_tensor_from_id", _number),
)
