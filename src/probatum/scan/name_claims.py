"""What a model's name claims, held against its files: the number of parameters, the type of the numbers."""

from __future__ import annotations

import os
import re

from probatum.scan.model_name import Name, split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from probatum.scan.claims import Claim
    from probatum.scan.facts import Facts

FLOATS = {"F64", "F32", "F16", "BF16"}
STORED = {
    **dict.fromkeys(("bf16", "bfloat16"), "BF16"), **dict.fromkeys(("fp16", "f16", "float16", "half"), "F16"),
    **dict.fromkeys(("fp32", "f32", "float32"), "F32"),
}  # fmt: skip


def name_claims(facts: Facts) -> Iterator[Claim]:
    """Size and precision in the name of the directory, else in the title of the card."""
    from probatum.scan.claims import Claim

    path = os.path.abspath(facts.root or next(iter(facts.files), ""))
    title = re.search(r"^#[ \t]+(.{1,200})$", facts.card[:200_000], re.MULTILINE)
    names = [("the name", split(os.path.basename(path)))]
    names += [("the title of the card", split(title[1]))] if title else []
    config = facts.config
    packed = "quantization_config" in config or "quantization" in config
    numbers = facts.tensors.numbers
    endings = {name.rpartition(".")[2].lower() for name in facts.files}
    kinds = {"size": False, "precision": False}
    for by, name in names:
        fits = size_holds(name, countable(numbers)) if not (facts.adapter or packed) else None
        if fits is not None and not kinds["size"]:
            kinds["size"] = True
            yield Claim("size in the name", ", ".join(name.size), by, sum(numbers.values()), "the tensors hold", fits)
        fits = precision_holds(name, numbers, packed=packed, endings=endings)
        if fits is not None and not kinds["precision"]:
            kinds["precision"] = True
            found = facts.tensors.dtype or "gguf"
            yield Claim("precision in the name", ", ".join(name.precision), by, found, "most tensors are", fits)


def countable(numbers: Mapping[str, int]) -> int:
    """How many parameters {type: numbers} are; 0 where packed types make them uncountable."""
    whole = sum(numbers.values())
    return whole if sum(n for d, n in numbers.items() if d in FLOATS) >= 0.99 * whole else 0


def size_holds(name: Name, count: int) -> bool | None:
    """Whether the size fits so many parameters: within 25 %, and half of its last digit ("2b" may be 2.5 billion).

    None where the name says no number, or there is nothing to count.
    """
    said = name.parameters
    return None if said is None or not count else abs(said[0] - count) <= said[1] + 0.25 * count


def precision_holds(name: Name, numbers: Mapping[str, int], *, packed: bool, endings: Collection[str]) -> bool | None:
    """Whether one of the precisions that the name says fits the files; None where it says none, or none can be told.

    Parameters
    ----------
    numbers
        {type as safetensors calls it: how many numbers}.
    packed
        Whether the configuration says that the weights are quantized.
    endings
        How the names of the files end, such as ``gguf``.
    """
    if not name.precision or not (numbers or endings):
        return None
    most = max(numbers, key=lambda d: numbers[d], default="")
    few_bits = packed or "gguf" in endings or any(n for d, n in numbers.items() if d not in FLOATS | {"I64", "BOOL"})
    answers = []
    for word in name.precision:
        if word in STORED:
            answers.append(most == STORED[word] if numbers else None)
        elif word in ("gguf", "ggml"):
            answers.append(word == "ggml" or "gguf" in endings)
        else:
            answers.append(few_bits if numbers or "gguf" in endings else None)
    known = [a for a in answers if a is not None]
    return any(known) if known else None
