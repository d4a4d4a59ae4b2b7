"""One policy of start tokens and ends, for every kind of tokenizer."""

import numpy as np
import pytest
from tiny_models import TEXTS, tokenizer

from probatum.core.errors import BadInput
from probatum.engine.encoding import Encoder


class Slow:
    """A tokenizer without offsets: one token per two characters; ``lossy`` ones decode to another text."""

    is_fast = False
    bos_token_id = None
    eos_token_id = 7

    def __init__(self, lossy=False):
        self.pieces = []
        self.lossy = lossy

    def encode(self, text, add_special_tokens):
        assert not add_special_tokens
        parts = [text[i : i + 2] for i in range(0, len(text), 2)]
        self.pieces += [part for part in parts if part not in self.pieces]
        return [10 + self.pieces.index(part) for part in parts]

    def decode(self, ids, clean_up_tokenization_spaces):
        text = "".join(self.pieces[i - 10] for i in ids)
        return text.lower() if self.lossy else text


@pytest.mark.parametrize(("bos", "eos", "start"), [("<s>", "</s>", "<s>"), (None, "</s>", "</s>"), (None, None, None)])
def test_start_token(bos, eos, start):
    made = tokenizer(300, bos, eos)
    encoder = Encoder(made, 300, "model")
    assert encoder.start == (None if start is None else made.convert_tokens_to_ids(start))
    for encoded, text in zip(encoder(TEXTS), TEXTS, strict=True):
        plain = made.encode(text, add_special_tokens=False)
        assert encoded.sequence.tolist() == ([] if start is None else [encoder.start]) + plain
        assert encoded.scored.tolist() == encoded.sequence.tolist()[1:]
        assert len(encoded.ends) == len(encoded.sequence)
        assert encoded.ends[-1] == len(text)
        assert np.all(np.diff(encoded.ends) >= 0)
    assert encoder([]) == []


def test_tokenizer_without_offsets():
    encoder = Encoder(Slow(), 100, "model")
    (encoded,) = encoder(["abcde"])
    assert encoded.sequence.tolist() == [7, 10, 11, 12]
    assert encoded.ends.tolist() == [0, 2, 4, 5]
    with pytest.raises(BadInput, match="no offsets and does not decode to the text"):
        Encoder(Slow(lossy=True), 100, "model")(["ABcd"])


def test_token_that_the_model_does_not_know():
    with pytest.raises(BadInput, match=r"model: the tokenizer gives token .*, the model knows 20"):
        Encoder(tokenizer(300), 20, "model")(["zzz"])
