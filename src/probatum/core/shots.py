"""Known texts put before the texts that are judged: which of them, how many fit, and what the model says after them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from probatum.core.errors import BadInput
from probatum.core.near import near_duplicates
from probatum.core.target import Target

_JOIN = " "


def shot_prefixes(
    target: Target, pool: Sequence[str], texts: Sequence[str], rng: np.random.Generator, *, shots: int, prefixes: int
) -> list[str]:
    """At most ``prefixes`` prefixes of at most ``shots`` texts of the pool each, and no text in two of them.

    Texts of the pool that are near-duplicates of any of ``texts`` are left out: after such a prefix a text is a copy,
    whoever wrote it. As many shots are taken as fit in half of the model's context, where the target says how long it
    is; a text too long for that by itself is cut. The draw goes by ``rng`` and not by the order of the pool.
    """
    if min(shots, prefixes) < 1:
        raise BadInput(f"a prefix needs at least 1 shot, and there is at least 1 prefix; got {shots} and {prefixes}")
    clean = sorted({text for text in pool if text.strip()})
    clean = [text for text, near in zip(clean, near_duplicates(clean, texts), strict=True) if not near]
    queue = [clean[i] for i in rng.permutation(len(clean))[: shots * prefixes]]
    context = getattr(target, "context", None)
    out: list[str] = []
    while queue and len(out) < prefixes:
        room, taken = (context // 2 if context else np.inf), list[str]()
        while queue and len(taken) < shots:
            size = _tokens(target, queue[0]) if context else 0
            if size > room and not taken:
                queue[0] = _cut(target, queue[0], int(room))
            elif size > room:
                break
            taken.append(queue.pop(0))
            room -= size
        out.append("".join(text + _JOIN for text in taken))
    return out


def log_likelihoods(target: Target, texts: Sequence[str], prefixes: Sequence[str]) -> np.ndarray:
    """Mean log-probability per token of every text, shape (1 + prefixes, texts): alone, then after each prefix.

    Only tokens of the text count, never those of a prefix, and the same ones in every row: a model without a start
    token cannot score the first token of a text that stands alone. At most −1e-6, so that it may be divided by.
    """
    rows = [target.token_statistics(texts).logprob]
    rows += [target.token_statistics(texts, prefixes=[prefix] * len(texts)).logprob for prefix in prefixes]
    count = np.min([row.lengths for row in rows], axis=0)
    return np.array([np.minimum(row.where(row.position >= row.lengths - count).mean(), -1e-6) for row in rows])


def _tokens(target: Target, text: str) -> int:
    return int(target.encode([text + _JOIN]).lengths[0])


def _cut(target: Target, text: str, room: int) -> str:
    """The beginning of a text that has at most ``room`` tokens."""
    while len(text) > 1 and (size := _tokens(target, text)) > room:
        text = text[: min(len(text) - 1, len(text) * room // size)]
    return text
