"""PyTorch: what a state dict needs: storages by persistent id, and the functions that lay tensors over them."""

from __future__ import annotations

from probatum.scan.pickle.allow.entry import (
    Entry,
    Refused,
    is_data,
    is_number,
    is_numbers,
    is_state,
    is_text,
    made,
    named,
    require,
)
from probatum.scan.pickle.values import PERSISTENT, Dict, Global, List, Made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.pickle.values import Value

#: Bytes of one element of each storage class.
STORAGES = {
    "ByteStorage": 1, "CharStorage": 1, "BoolStorage": 1, "ShortStorage": 2, "HalfStorage": 2, "BFloat16Storage": 2,
    "IntStorage": 4, "FloatStorage": 4, "LongStorage": 8, "DoubleStorage": 8, "ComplexFloatStorage": 8,
    "ComplexDoubleStorage": 16, "QInt8Storage": 1, "QUInt8Storage": 1, "QInt32Storage": 4, "QUInt4x2Storage": 1,
    "QUInt2x4Storage": 1, "UntypedStorage": 1,
}  # fmt: skip
DTYPES = (
    "bfloat16 bit bits16 bits1x8 bits2x4 bits4x2 bits8 bool cdouble cfloat chalf complex128 complex32 complex64 "
    "double float float16 float32 float4_e2m1fn_x2 float64 float8_e4m3fn float8_e4m3fnuz float8_e5m2 "
    "float8_e5m2fnuz float8_e8m0fnu half int int1 int16 int2 int3 int32 int4 int5 int6 int64 int7 int8 long qint32 "
    "qint8 quint2x4 quint4x2 quint8 short uint1 uint16 uint2 uint3 uint32 uint4 uint5 uint6 uint64 uint7 uint8"
)
SCHEMES = (
    "per_tensor_affine per_tensor_symmetric per_channel_affine per_channel_symmetric per_channel_affine_float_qparams"
)
TENSOR_TYPES = ("torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer")
#: Functions that make a tensor, in whose place `_rebuild_from_type_v2` may call one.
REBUILD = "torch._utils."


def _is_storage(value: Value) -> bool:
    return value is PERSISTENT or made(value, "torch.storage.UntypedStorage", "torch.storage.TypedStorage")


def _is_tensor(value: Value) -> bool:
    return made(value, REBUILD, "torch._tensor._rebuild_from_type_v2", "torch.nn.parameter.Parameter")


def _tail(args: tuple[Value, ...], start: int) -> None:
    """requires_grad, hooks and metadata: hooks are an OrderedDict, and functions in it were judged when named."""
    for a in args[start:]:
        require(is_data(a) or isinstance(a, Dict) or made(a, "collections.OrderedDict"), "strange hooks")


def _tensor(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(4 <= len(args) <= 7 and _is_storage(args[0]), "a storage that is not one")
    require(is_number(args[1]) and _is_shape(args[2]) and _is_shape(args[3]), "a strange layout")
    _tail(args, 4)
    return Made(entry)


def _tensor_v3(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(7 <= len(args) <= 8 and _is_dtype(args[6]), "a dtype that is not one")
    _tensor(entry, args[:6])
    _tail(args, 7)
    return Made(entry)


def _qtensor(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(len(args) == 7 and args[4].__class__ is tuple and bool(args[4]), "strange arguments")
    require(named(args[4][0], *(f"torch.{s}" for s in SCHEMES.split())), "a strange scheme")
    require(all(is_number(p) or p.__class__ is List or _is_tensor(p) for p in args[4][1:]), "strange parameters")
    _tensor(entry, args[:4])
    _tail(args, 5)
    return Made(entry)


def _sparse(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(len(args) == 2 and made(args[0], "torch.serialization._get_layout"), "a strange layout")
    require(args[1].__class__ is tuple, "strange parts")
    require(all(_is_tensor(p) or _is_shape(p) or is_number(p) or p is None for p in args[1]), "strange parts")
    return Made(entry)


def _meta(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(len(args) == 4 and _is_dtype(args[0]) and _is_shape(args[1]) and _is_shape(args[2]), "a strange layout")
    return Made(entry)


def _parameter(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(2 <= len(args) <= 4 and _is_tensor(args[0]) and is_number(args[1]), "not a tensor")
    _tail(args[:3], 2)
    require(len(args) < 4 or is_state(args[3]), "a strange state")
    return Made(entry)


def _new_parameter(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(len(args) <= 2 and all(_is_tensor(a) or is_number(a) for a in args), "not a tensor")
    return Made(entry)


def _from_type(entry: Entry, args: tuple[Value, ...]) -> Value:
    """Calls its first argument with its third: both are judged as such a call."""
    require(len(args) == 4 and named(args[1], *TENSOR_TYPES) and is_state(args[3]), "a strange type or state")
    maker = args[0].entry if isinstance(args[0], Global) else None
    if maker is None or maker.call is None or not maker.name.startswith(REBUILD) or args[2].__class__ is not tuple:
        raise Refused("a strange function")
    maker.call(maker, args[2])
    return Made(entry)


def _texts(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(bool(args) and len(args) <= 2 and is_text(args[0]) and all(is_number(a) for a in args[1:]), "not a name")
    return Made(entry)


def _size(entry: Entry, args: tuple[Value, ...]) -> Value:
    require(len(args) <= 1 and all(is_numbers(a) for a in args), "not a shape")
    return Made(entry)


def _is_shape(value: Value) -> bool:
    return is_numbers(value) or made(value, "torch.Size")


def _is_dtype(value: Value) -> bool:
    return named(value, *(f"torch.{d}" for d in DTYPES.split()))


def is_storage_id(pid: Value) -> bool:
    """PyTorch's own persistent id: ("storage", class, key, device, number of elements[, view])."""
    return (
        pid.__class__ is tuple
        and 5 <= len(pid) <= 6
        and pid[0] == "storage"
        and isinstance(pid[1], Global)
        and pid[1].entry is not None
        and pid[1].name in STORAGES
        and is_text(pid[2])
        and is_text(pid[3])
        and is_number(pid[4])
    )


ENTRIES = (
    *(Entry(f"torch.{s}") for s in STORAGES),
    *(Entry(f"torch.storage.{s}") for s in ("TypedStorage", "UntypedStorage")),
    *(Entry(f"torch.{d}") for d in DTYPES.split()),
    *(Entry(f"torch.{s}") for s in SCHEMES.split()),
    Entry("torch.Tensor"),
    Entry("torch.Size", _size),
    Entry("torch.device", _texts),
    Entry("torch.serialization._get_layout", _texts),
    Entry("torch.nn.parameter.Parameter", _new_parameter),
    Entry("torch.nn.parameter.Buffer"),
    Entry("torch._utils._rebuild_tensor", _tensor),
    Entry("torch._utils._rebuild_tensor_v2", _tensor),
    Entry("torch._utils._rebuild_tensor_v3", _tensor_v3),
    Entry("torch._utils._rebuild_qtensor", _qtensor),
    Entry("torch._utils._rebuild_sparse_tensor", _sparse),
    Entry("torch._utils._rebuild_sparse_csr_tensor", _sparse),
    Entry("torch._utils._rebuild_meta_tensor_no_storage", _meta),
    Entry("torch._utils._rebuild_parameter", _parameter),
    Entry("torch._utils._rebuild_parameter_with_state", _parameter),
    Entry("torch._tensor._rebuild_from_type_v2", _from_type),
)
