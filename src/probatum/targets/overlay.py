"""Where the tokens that an endpoint names end in the text that was sent: their texts laid over it, in order."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

_PART = "\ufffd"  # stands for a part of a character


def lay_over(tokens: Sequence[str], text: str, generated: int = 0) -> list[int] | None:
    """Where each token ends in the text, up to the one that completes it; None if they are not its tokens.

    ``generated`` is how many tokens at the end are thought to follow the text; needed only where token texts are
    ambiguous.
    """
    at, ends = 0, []
    for token in tokens:
        if at == len(text):
            break
        if not text.startswith(token, at):
            loosely = _lay_over_loosely(tokens, text, generated)
            return loosely or _lay_over_loosely(tokens, text, generated, silent=True)
        at += len(token)
        ends.append(at)
    return ends if at == len(text) else None


def _lay_over_loosely(tokens: Sequence[str], text: str, generated: int, *, silent: bool = False) -> list[int] | None:
    r"""As `lay_over`, for token texts that were decoded one by one, which loses a little of them.

    Parts of a character come as U+FFFD, as ``bytes:\xe2`` or as nothing at all (llama-cpp-python), and tokenizers of
    the SentencePiece family lose the space before a word or keep it as ``▁``. Where parts are ``silent``, a token of
    whole characters may have lost one at either end, too. Every letter must stand in the text all the same, in order.
    All positions that a token may end at are kept, one bit each.
    """
    if len(tokens) * len(text) > 2**32:  # bits; a hostile answer must not fill the memory
        return None
    places = _Places(text, silent)
    pieces = [_piece(token) or _PART for token in tokens]
    if pieces and pieces[0].startswith(" ") and not text.startswith(" "):
        pieces[0] = pieces[0][1:]  # SentencePiece puts a space before every text
    reached = [1]
    for piece in pieces:
        reached.append(places.after(piece, reached[-1]))
        if not reached[-1]:
            break
    complete = [n for n, here in enumerate(reached) if here >> len(text)]
    if not complete:
        return None
    # Parts of characters fit in many ways; how many tokens were generated says where the text's own must end.
    expected = len(tokens) - generated
    last = min(complete, key=lambda n: (n != expected, n < expected, n))
    ends = [len(text)]
    for i in range(last - 1, 0, -1):
        # The latest: parts of one character all end where the character does, as in fast tokenizers.
        ends.append((places.before(pieces[i], 1 << ends[-1]) & reached[i]).bit_length() - 1)
    return _spread(pieces, text, ends[::-1])


def _spread(pieces: Sequence[str], text: str, ends: list[int]) -> list[int]:
    """Share the characters of a run of parts among them by bytes: nothing else says which part is of which."""
    n = start = 0
    while n < len(ends):
        stop = n
        while stop < len(ends) and pieces[stop] == _PART:
            stop += 1
        if stop > n:
            first_bytes = np.cumsum([0, *(len(c.encode("utf-8", "replace")) for c in text[start : ends[stop - 1]])])
            shares = first_bytes[-1] * np.arange(1, stop - n + 1) / (stop - n)
            ends[n:stop] = (start + np.searchsorted(first_bytes[:-1], shares)).tolist()
        n = max(stop, n + 1)
        start = ends[n - 1]
    return ends


class _Places:
    """Sets of positions in a text as bits of an integer: bit p is the place before character p."""

    def __init__(self, text: str, silent: bool = False):
        self.silent = silent
        self.of: dict[str, int] = {}
        for p, character in enumerate(text):
            self.of[character] = self.of.get(character, 0) | 1 << p
        # Only characters of several bytes can come in parts.
        self.split = sum(bits for character, bits in self.of.items() if ord(character) > 127)

    def after(self, piece: str, here: int) -> int:
        """Where the piece may end if it starts at one of the places ``here``."""
        here = self._part_after(here)
        if not piece.startswith(" "):
            here |= (here & self.of.get(" ", 0)) << 1
        for character in piece:
            if character == _PART:
                here |= (here & self.split) << 1
            else:
                here = (here & self.of.get(character, 0)) << 1
        return self._part_after(here)

    def before(self, piece: str, here: int) -> int:
        """Where the piece may start if it ends at one of the places ``here``."""
        here = self._part_before(here)
        for character in reversed(piece):
            if character == _PART:
                here |= here >> 1 & self.split
            else:
                here = here >> 1 & self.of.get(character, 0)
        if not piece.startswith(" "):
            here |= here >> 1 & self.of.get(" ", 0)
        return self._part_before(here)

    def _part_after(self, here: int) -> int:
        return here | (here & self.split) << 1 if self.silent else here

    def _part_before(self, here: int) -> int:
        return here | here >> 1 & self.split if self.silent else here


def _piece(token: str) -> str:
    if re.fullmatch(r"bytes:(?:\\x[0-9a-fA-F]{2})+", token):
        return bytes.fromhex(token[6:].replace("\\x", "")).decode("utf-8", "replace")
    return token.replace("▁", " ")
