"""safetensors, read strictly: eight bytes of length, a JSON header, then tensors that cover the rest exactly once."""

from __future__ import annotations

import json
import math

from probatum.scan.finding import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "safetensors"
EXCLUSIVE = True

#: Longest header that the library reads.
LONGEST = 100_000_000
#: Bits of one element of each dtype.
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "I16": 16, "U16": 16, "F16": 16, "BF16": 16, "I32": 32, "U32": 32,
    "F32": 32, "I64": 64, "U64": 64, "F64": 64, "C64": 64, "C128": 128,
}  # fmt: skip


class Refused(ValueError):
    """The header is not strict; ``args`` are the rule and the sentence."""


def sniff(head: bytes, source: Source) -> bool:
    """A length that fits into the file, and a brace. Too long a length still claims, so that it can be said."""
    return len(head) > 9 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= source.size


def scan(source: Source, context: Context) -> None:
    length = int.from_bytes(source.read(0, 8), "little")
    try:
        end = _read_header(source, context, length)
    except Refused as refused:
        context.report(refused.args[0], refused.args[1], source, offset=8)
        return
    if end < source.size:
        size = source.size - end
        context.report("SFT003", f"{size:,} bytes after the last tensor", source, offset=end)
        context.scan_member(source.part(end, size, f"{source.name}#{end}"))


def _read_header(source: Source, context: Context, length: int) -> int:
    """Where the tensors end."""
    if length > LONGEST or 8 + length > source.size:
        raise Refused("SFT001", f"a header of {length:,} bytes in a file of {source.size:,}")
    context.budget.spend_steps(length)
    try:
        header = json.loads(source.read(8, length).decode("utf-8"), object_pairs_hook=_once)
    except Refused:
        raise
    except (ValueError, RecursionError):
        raise Refused("SFT001", "the header is no JSON") from None
    if not isinstance(header, dict):
        raise Refused("SFT001", "the header is no object")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise Refused("SFT001", "metadata that is not text")
    end = 0
    for begin, stop, name in sorted(_span(name, tensor) for name, tensor in header.items()):
        if begin != end:
            what = "overlaps the one before it" if begin < end else "leaves a gap before it"
            raise Refused("SFT002", f"the tensor {quote(name)} {what}")
        end = stop
    if 8 + length + end > source.size:
        raise Refused("SFT002", f"tensors end at {8 + length + end:,}, the file at {source.size:,}")
    return 8 + length + end


def _once(items: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(items)
    if len(found) != len(items):
        raise Refused("SFT001", "a key stands twice")
    return found


def _span(name: str, tensor: Any) -> tuple[int, int, str]:
    """(begin, end, name) of one tensor whose span is what its shape and dtype need."""
    if not isinstance(tensor, dict) or set(tensor) != {"dtype", "shape", "data_offsets"}:
        raise Refused("SFT001", f"the tensor {quote(name)} does not have dtype, shape and offsets")
    bits, shape, span = BITS.get(str(tensor["dtype"])), tensor["shape"], tensor["data_offsets"]
    if bits is None:
        raise Refused("SFT001", f"the tensor {quote(name)} has the unknown dtype {quote(str(tensor['dtype']))}")
    for numbers in (shape, span):
        if not isinstance(numbers, list) or not all(type(n) is int and 0 <= n < 1 << 63 for n in numbers):
            raise Refused("SFT001", f"the tensor {quote(name)} has numbers that are not natural")
    if len(shape) > 64 or len(span) != 2:
        raise Refused("SFT001", f"the tensor {quote(name)} has a strange shape or span")
    if math.prod(shape) * bits != (span[1] - span[0]) * 8:
        raise Refused("SFT002", f"the tensor {quote(name)} has a span that its shape and dtype do not need")
    return span[0], span[1], name
