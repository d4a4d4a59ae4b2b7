"""An exception that quotes private data, without its message: tracebacks are pasted, and kept by build servers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np

from probatum.core.data import Data
from probatum.core.near import hashed_runs

#: Characters in a row that a message and a text may not share; a power of two.
WIDTH = 8
#: Shorter pieces stand in any text, and tell nothing.
_LEAST = 3
#: What these quote are names in code.
_OF_CODE = (TypeError, AttributeError, NameError, ImportError)


class Withheld(RuntimeError):
    """Stands for an exception whose message quotes the data; it has the same traceback."""


def withheld(error: Exception, data: Mapping[str, Data]) -> Exception:
    """The error itself, or a stand-in that says its type and no more where its message quotes private ``data``.

    Notes
    -----
    The messages of what caused it are read too. A message quotes a text if the two share a run of `WIDTH` characters
    (in lower case, white space as one space), a word with a digit in it, a part that the message has in quotes, or the
    whole of a short text. Large data share such runs with any sentence: then too much is withheld, not too little.
    """
    messages = list(_messages(error))
    plain = [_plain(message) for message, _ in messages]
    grams = np.unique(np.concatenate([hashed_runs(text, WIDTH) for text in plain]))
    pieces = {piece for text in plain for piece in re.findall(r"\w*\d\w*", text) if len(piece) > _LEAST}
    for text, (_, quotes) in zip(plain, messages, strict=True):
        parts = re.findall(r"""(['"`])(.+?)\1""", text) if quotes else ()
        pieces.update(part.strip() for _, part in parts if len(part.strip()) >= _LEAST)
    for text in map(_plain, _private(data)):
        if len(text) < WIDTH:
            quoted = len(text) >= _LEAST and any(text in message for message in plain)
        else:
            quoted = bool(np.isin(hashed_runs(text, WIDTH), grams).any())
        if quoted or any(piece in text for piece in pieces):
            stand_in = Withheld(f"{type(error).__name__}: its message quotes the data, and is shown with --reveal only")
            return stand_in.with_traceback(error.__traceback__)
    return error


def _messages(error: BaseException) -> Iterator[tuple[str, bool]]:
    """What an exception, what caused it and what it is a group of say; and whether what is quoted there may be data."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        left += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
        yield "\n".join([str(one), *getattr(one, "__notes__", ())]), not isinstance(one, _OF_CODE)


def _private(data: Mapping[str, Data]) -> Iterator[str]:
    for records in data.values():
        if records.PRIVATE:
            for column in (*records.COLUMNS, *records.OPTIONAL):
                yield from (value for value in getattr(records, column) or () if isinstance(value, str))


def _plain(text: str) -> str:
    """In lower case, white space (also where it was escaped, as in a repr) as one space."""
    return " ".join(re.sub(r"\\[nrt]", " ", text).casefold().split())
