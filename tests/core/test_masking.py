"""Masks show a shape and a keyed digest; formats say how many secrets there are and draw others like them."""

import hashlib

import numpy as np
import pytest
from scipy import stats

from probatum.core.draws import keyed
from probatum.core.masking import draw, format_space, mask, shape


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("call 555-01", "aaaa ddd-dd"),
        ("Ünal é", "Aaaa a"),
        ("x9F", "adA"),
        ("a\nb\x1b", "a a "),
        ("", ""),
        ("日本1", "aad"),
    ],
)
def test_a_shape_keeps_no_letter_and_no_digit(text, form):
    assert shape(text) == form
    assert len(shape(text)) == len(text)


def test_a_mask_shows_nothing_of_the_text_but_its_shape():
    shown = mask("Zolzei 441340", b"key")
    assert "Aaaaaa dddddd" in shown
    assert "(13 characters, #" in shown
    assert "441340" not in shown
    assert "Zolzei" not in shown


def test_the_digest_is_keyed_so_that_trying_all_numbers_does_not_help():
    assert mask("441340", b"one") != mask("441340", b"other")
    assert hashlib.sha256(b"441340").hexdigest()[:12] not in mask("441340", b"key")
    assert mask("441340", b"one") == mask("441340", b"one")


def test_equal_shapes_of_other_texts_have_other_digests():
    assert mask("441340", b"key") != mask("441341", b"key")


def test_a_long_text_is_cut():
    assert "…" in mask("a" * 49, b"k")
    assert "…" not in mask("a" * 48, b"k")


def test_a_broken_text_can_be_masked():
    assert "#" in mask("\ud800", b"k")


@pytest.mark.parametrize(
    ("form", "secret", "space"),
    [
        ("dddd", "1234", 1e4), ("xx", "ff", 256), ("aA", "bC", 676), ("--", "--", 1), (None, "no 12", 100),
        (None, "word", 1), ("d" * 400, "", np.inf),
    ],
)  # fmt: skip
def test_the_space_of_a_format(form, secret, space):
    with np.errstate(over="ignore"):
        assert format_space(form, secret) == pytest.approx(space)


@pytest.mark.parametrize(
    ("form", "secret", "pattern"),
    [
        ("dd-aA", "", r"[0-9]{2}-[a-z][A-Z]"),
        ("xx:xx", "", r"[0-9a-f]{2}:[0-9a-f]{2}"),
        (None, "b7 Zü-!", r"[a-z][0-9] [A-Z][a-z]-!"),
        (None, "", r""),
    ],
)
def test_draws_are_of_the_form(form, secret, pattern):
    import re

    drawn = draw(form, secret, 50, keyed("draw"))
    assert len(drawn) == 50
    assert all(re.fullmatch(pattern, d) for d in drawn)


def test_draws_are_uniform_and_may_equal_the_secret():
    """Were the secret left out, its rank would no longer be uniform."""
    drawn = draw("d", "7", 5000, keyed("uniform"))
    counts = np.bincount([int(d) for d in drawn], minlength=10)
    assert stats.chisquare(counts).pvalue > 1e-3
    assert counts[7] > 0
