"""The likelihood choice between options, shared by every probe that asks which of them a model prefers."""

from __future__ import annotations

import numpy as np

from probatum.core.data import Choices
from probatum.core.ragged import Ragged
from probatum.core.scores import Scores
from probatum.core.target import OptionScores, Target


def wrong_margin(target: Target, data: Choices, *, per_token: bool, towards: str) -> Scores:
    """Per question: log-probability of the likeliest wrong option minus that of the answer, in nats.

    Chance of a value above 0 is (m − 1)/m for a responder that picks one of m options blindly. Ties count as 0.
    """
    scored = target.choices(data.question, data.options)
    logprob = scored.logprob / scored.tokens if per_token else scored.logprob
    margin = OptionScores(Ragged(logprob.values, logprob.offsets), scored.tokens, scored.bytes).margin(data.answer)
    chance = np.array([1 - 1 / len(options) for options in data.options])
    return Scores(data.ids, -margin, towards, expected=chance)
