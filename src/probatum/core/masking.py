"""Secrets by their form: what a mask may show of one, how many of a form there are, and random ones to rank among.

A format is one character per character: ``d`` a digit, ``a`` a lower-case letter, ``A`` an upper-case letter, ``x`` a
hexadecimal digit; every other character stands for itself.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
import string

import numpy as np

CLASSES = {"d": string.digits, "a": string.ascii_lowercase, "A": string.ascii_uppercase, "x": "0123456789abcdef"}


def shape(text: str) -> str:
    """The format that a text would have: ``call 555`` is ``aaaa ddd``; letters beyond ASCII count as ``a``."""

    def one(c: str) -> str:
        if c.isdigit():
            return "d"
        if c.isalpha():
            return "A" if c.isupper() else "a"
        return c if c.isprintable() else " "

    return "".join(one(c) for c in text)


def mask(text: str, key: bytes, *, length: int = 48) -> str:
    """What a report shows of a private text: its shape and a keyed digest.

    The digest is keyed since a plain one of a phone number is the phone number: there are few enough to try them all.
    """
    digest = hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:12]
    form = shape(text)
    return f"{form[:length]}{'…' if len(form) > length else ''} ({len(text)} characters, #{digest})"


def alias(name: str, key: bytes) -> str:
    """What a report calls a record: its id, but for one that is a plain digest of what the record says.

    Whoever guesses a secret could find it confirmed by a plain digest (see `mask`).
    """
    if not re.fullmatch("[0-9a-f]{12}", name):
        return name
    return hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:12]


def format_space(form: str | None, secret: str) -> float:
    """How many secrets there could have been; without a format only digits count as random. 1.0 if none is.

    Infinite where they are more than a number can hold.
    """
    sizes = [10 for c in secret if c.isdigit()] if form is None else [len(CLASSES[c]) for c in form if c in CLASSES]
    many = math.prod(sizes)
    return float(many) if many < 10**308 else math.inf


def fits(form: str, secret: str) -> bool:
    """Could the secret have been drawn from this format?"""
    return len(form) == len(secret) and all(c in CLASSES.get(f, f) for f, c in zip(form, secret, strict=True))


def draw(form: str | None, secret: str, n: int, rng: np.random.Generator) -> list[str]:
    """``n`` random secrets of the form (or of the secret's shape), drawn independently.

    A draw may equal the secret; it then counts against it, which keeps the rank's law exact.
    """
    pattern = form if form is not None else shape(secret)
    fixed = form if form is not None else secret  # what is neither digit nor letter stays as it is
    columns = []
    for symbol, own in zip(pattern, fixed, strict=True):
        letters = CLASSES.get(symbol)
        columns.append(np.array(list(letters))[rng.integers(len(letters), size=n)] if letters else np.full(n, own))
    return ["".join(row) for row in np.array(columns).T] if columns else [""] * n


def redraw(form: str | None, secret: str, n: int, rng: np.random.Generator) -> list[str]:
    """``n`` random secrets of the space that `format_space` counts: of the form, or the secret with other digits."""
    drawn = draw(form, secret, n, rng)
    if form is not None:
        return drawn
    return ["".join(new if own.isdigit() else own for own, new in zip(secret, d, strict=True)) for d in drawn]
