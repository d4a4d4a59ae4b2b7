"""What the name of a model says: series, size, version, variant, precision, method.

P110 (arXiv 2409.10472) found 148 ways of naming; the table below is our own. A name is cut at ``- _ . : space``; the
kinds are looked for in the order of `KINDS`, so that ``q4_k_m`` is not read as a version. What stands before the first
part that is known is the series, what is left over is ``rest``. Case does not matter.

========= ===============================================================================================
size      ``7b 1.5B 350m 8x7b 30b-a3b``, and words such as ``tiny small large xl mini``
precision ``bf16 fp16 fp8 int8 nf4 4bit w4a16 q4_k_m iq3_xs awq gptq gguf exl2 bnb``
method    ``lora qlora sft dpo orpo rlhf distilled merged slerp pruned finetuned``
variant   ``base chat instruct it coder math vision thinking uncased 128k``
version   ``v1.2 2.0 v3 2024-05-01 2407 0613 step-500``, a lone ``2`` behind the series, the end of ``qwen2.5``
========= ===============================================================================================
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS = ("precision", "size", "method", "variant", "version")
_NUMBER = r"\d{1,4}(?:\.\d{1,3})?"
_TABLE = {
    "precision": r"i?q\d(?:[_-](?:k|xxs|xs|s|m|l|xl|nl|0|1)){0,3}|bf16|bfloat16|fp16|f16|float16|half|fp32|f32|float32|"
    r"fp8|f8|e4m3|e5m2|fp4|nf4|mxfp4|nvfp4|int[248]|w\da\d{1,2}|[2-8][-_ ]?bits?|awq|gptq|gguf|ggml|exl[23]|bnb|eetq|"
    r"hqq|aqlm|quantized|quant",
    "size": rf"(?:\d{{1,3}}x)?{_NUMBER}[mbt](?:[-_]a{_NUMBER}b)?|"
    r"nano|micro|tiny|mini|small|medium|large|huge|giant|xs|xl|xxl|xlarge",
    "method": r"q?lora|dora|peft|adapters?|sft|dpo|orpo|kto|ppo|grpo|simpo|rlhf|rlaif|cpt|ft|fine[-_]?tuned?|tuned|"
    r"distill?(?:ed)?|merged?|slerp|ties|dare|pruned|abliterated|reward",
    "version": r"20\d\d[-_.]?(?:0[1-9]|1[0-2])(?:[-_.]?(?:0[1-9]|[12]\d|3[01]))?|(?:2[2-9](?:0[1-9]|1[0-2])|"
    r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))|v\d{1,4}(?:[._]\d{1,4}){0,3}|\d{1,3}(?:\.\d{1,4}){1,3}|"
    r"(?:rc|(?:checkpoint|ckpt|step|epoch)[-_]?)\d{1,8}|(?<=[-_ ])\d{1,2}",
    "variant": r"base|pretrained|pt|chat|instruct|it|code|coder|math|vision|vl|reasoning|thinking|preview|cased|"
    r"uncased|multilingual|\d{1,4}k",
}
_PATTERNS = {
    kind: re.compile(rf"(?<![a-z0-9])(?:(?<!\d\.)|(?=[a-z]))(?:{text})(?![a-z0-9]|\.\d)")
    for kind, text in _TABLE.items()
}
_GLUED = re.compile(r"([a-z][a-z_ -]*[a-z]{2})(\d{1,2}(?:\.\d{1,2})?)[-_. :]*$")  # qwen2.5, gpt2
_FILE = re.compile(r"\.(?:gguf|safetensors|bin|pt|pth|onnx|zip)$")
_SCALE = {"m": 1e6, "b": 1e9, "t": 1e12}


class Name:
    """The parts of a name, in lower case; each is a tuple, empty where the name does not say. ``series`` is a text."""

    __slots__ = ("method", "place", "precision", "rest", "series", "size", "text", "variant", "version")

    def __init__(
        self, text: str, series: str, rest: tuple[str, ...], parts: Mapping[str, tuple[str, ...]], place: int
    ) -> None:
        self.text, self.series, self.rest = text, series, rest
        self.place = place  #: where in the text the version stands
        self.size, self.version, self.variant = parts["size"], parts["version"], parts["variant"]
        self.precision, self.method = parts["precision"], parts["method"]

    def parts(self) -> dict[str, tuple[str, ...]]:
        """All parts by kind, series and rest too."""
        own = {kind: getattr(self, kind) for kind in ("size", "version", "variant", "precision", "method", "rest")}
        return {"series": (self.series,) if self.series else (), **own}

    @property
    def parameters(self) -> tuple[float, float] | None:
        """(number of parameters that the size names, half of its last digit); None for a word or no size."""
        for text in self.size:
            found = re.match(rf"(?:(\d+)x)?({_NUMBER})([mbt])", text)
            if found is not None:
                times, scale = int(found[1] or 1), _SCALE[found[3]]
                digit = 10.0 ** -len(found[2].partition(".")[2])
                return times * float(found[2]) * scale, times * digit * scale / 2
        return None


def split(name: str) -> Name:
    """The parts of ``ORG/NAME`` or a file's name; the organization and the ending say nothing here."""
    own = name.strip().rstrip("/").rpartition("/")[2][:200]
    left = _FILE.sub(lambda m: "-gguf" if m[0] == ".gguf" else "", own.lower())
    parts: dict[str, list[tuple[int, str]]] = {}
    for kind in KINDS:
        found = [(m.start(), m[0]) for m in _PATTERNS[kind].finditer(left) if m.start()]  # a name begins with a series
        if kind == "version":  # "finetuned-sst-2" is no version 2
            first = min((start for own_kind in parts.values() for start, _ in own_kind), default=len(left))
            found = [f for f in found if not (len(f[1]) < 3 and f[1].isdigit()) or f[0] < first]
        parts[kind] = found
        for start, text in found:
            left = left[:start] + "\0" * len(text) + left[start + len(text) :]
    head, _, tail = left.partition("\0")
    if not parts["version"] and (glued := _GLUED.match(head)):
        head, parts["version"] = glued[1], [(glued.start(2), glued[2])]
    series = re.sub(r"[-_. :]+", "-", head).strip("-")
    rest = tuple(t for t in re.split(r"[-_. :\0]+", tail) if t)
    place = parts["version"][0][0] if parts["version"] else len(own)
    return Name(own, series, rest, {kind: tuple(text for _, text in found) for kind, found in parts.items()}, place)


def next_version(name: Name, level: str) -> str:
    """The version part of the next release: ``level`` is MAJOR, MINOR or PATCH. "" for a date or a step, or no level.

    A name without a version counts as v1.0.
    """
    places = ("MAJOR", "MINOR", "PATCH")
    if level not in places:
        return ""
    said = name.version[0] if name.version else "v1.0"
    found = re.fullmatch(r"(v?)(\d{1,3}(?:[._]\d{1,4}){0,3})", said)
    if found is None:
        return ""
    numbers = [int(n) for n in re.split(r"[._]", found[2])]
    place = places.index(level)
    grown = [*numbers, 0, 0, 0][: max(len(numbers), place + 1)]
    grown[place] += 1
    grown[place + 1 :] = [0] * (len(grown) - place - 1)
    return found[1] + ("_" if "_" in found[2] else ".").join(map(str, grown))


def renamed(name: Name, level: str) -> str:
    """The name with its next version; "" where `next_version` proposes none."""
    version = next_version(name, level)
    if not version:
        return ""
    if not name.version:
        ending = _FILE.search(name.text.lower())
        place = ending.start() if ending else len(name.text)
        return f"{name.text[:place]}-{version}{name.text[place:]}"
    return name.text[: name.place] + version + name.text[name.place + len(name.version[0]) :]
