"""Which tensor of one model answers to which of the other: by name without prefix, by layer, by shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Shapes = Mapping[str, tuple[int, ...]]
LayerMap = dict[str, dict[int, int]]  #: {stack: {layer of a: layer of b}}

#: Tensors with a row for each token.
TOKENS = re.compile(
    r"(^|\.)(embed_tokens|wte|word_embeddings|tok_embeddings|embed_in|tokens_embed|embed_out|lm_head|shared|output)"
    r"\.weight$"
)
#: Those of them that begin the residual stream.
EMBEDDING = re.compile(r"(^|\.)(embed_tokens|wte|word_embeddings|tok_embeddings|embed_in|tokens_embed|shared)\.weight$")
_LAYER = re.compile(r"^((?:[^.]+\.)*?)(\d+)\.(.+)$")


@dataclass(frozen=True)
class Named:
    """The tensors of two models under common names: {common name: own name} of each, and the prefixes left out."""

    a: dict[str, str]
    b: dict[str, str]
    prefix_a: str
    prefix_b: str

    @property
    def shared(self) -> list[str]:
        """Common names that both models have."""
        return [name for name in self.a if name in self.b]


def common_names(a: Shapes, b: Shapes) -> Named:
    """Name tensors alike, where one side may call all of them by a prefix that the other has not."""
    best, score = ("", ""), (-1, 0)
    for pa in _prefixes(a):
        for pb in _prefixes(b):
            shared = {n.removeprefix(pa) for n in a} & {n.removeprefix(pb) for n in b}
            if (found := (len(shared), -len(pa) - len(pb))) > score:
                best, score = (pa, pb), found
    pa, pb = best
    return Named({n.removeprefix(pa): n for n in a}, {n.removeprefix(pb): n for n in b}, pa, pb)


def partners(a: Shapes, b: Shapes, named: Named, layers: LayerMap | None = None) -> dict[str, tuple[str, str]]:
    """{common name in ``a``: (own name in a, own name in b)} of tensors of one shape, layers by ``layers`` if given."""
    out = {}
    for name, own in named.a.items():
        other = named.b.get(moved(name, layers or {}) or "")
        if other is not None and alike(name, a[own], b[other]):
            out[name] = (own, other)
    return out


def moved(name: str, layers: LayerMap) -> str | None:
    """The name of a tensor's partner where layers moved; None where its layer has none."""
    found = layer_of(name)
    if not found or found[0] not in layers:
        return name
    to = layers[found[0]].get(found[1])
    return None if to is None else f"{found[0]}{to}.{found[2]}"


def alike(name: str, a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Same shape, or the same but for the number of tokens: a vocabulary that was extended."""
    return a == b or (len(a) == len(b) == 2 and a[1] == b[1] and bool(TOKENS.search(name)))


def _prefixes(names: Iterable[str]) -> list[str]:
    """No prefix, and every dotted one (of at most four parts) that a third of the names begins with."""
    counts: dict[str, int] = {}
    total = 0
    for name in names:
        total += 1
        parts = name.split(".")
        for k in range(1, min(5, len(parts))):
            start = ".".join(parts[:k]) + "."
            counts[start] = counts.get(start, 0) + 1
    return ["", *(p for p, n in counts.items() if 3 * n >= total and not re.search(r"(^|\.)\d+\.", p))]


def layer_of(name: str) -> tuple[str, int, str] | None:
    """(stack, number, rest) of a tensor in a stack of layers: ``("layers.", 3, "mlp.up_proj.weight")``."""
    found = _LAYER.match(name)
    return (found[1], int(found[2]), found[3]) if found else None


def stacks(shapes: Shapes) -> dict[str, dict[int, dict[str, tuple[int, ...]]]]:
    """{stack: {number: {rest: shape}}} of every stack with at least two layers."""
    out: dict[str, dict[int, dict[str, tuple[int, ...]]]] = {}
    for name, shape in shapes.items():
        if found := layer_of(name):
            out.setdefault(found[0], {}).setdefault(found[1], {})[found[2]] = shape
    return {stack: layers for stack, layers in out.items() if len(layers) >= 2}
