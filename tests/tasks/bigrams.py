"""A model whose likelihoods are written by hand, word by word."""

import numpy as np

from probatum.core.catalogue import load
from probatum.core.target import RECORD, Target, TokenStatistics
from probatum.sets.finding import items_of


class Bigrams(Target):
    """One token a word; a word has the log-probability that ``of(words before it, word)`` gives."""

    name = digest = "bigrams"

    def __init__(self, of):
        self._of = of

    def token_statistics(self, texts, *, prefixes=None):
        records = []
        for head, text in zip(prefixes or [""] * len(texts), texts, strict=True):
            words, before, rows = (head + text).split(), len(head.split()), []
            for k, word in enumerate(words):
                rows.append((0, self._of(words[:k], word), 0, 0, 0, 0, 0, 0, 0))
            records.append(np.array(rows[before:], RECORD))
        return TokenStatistics.of(records, ("id", "logprob"), self.name)


def measured(task, target):
    method = load(task)
    items = items_of(method.items).items
    scores = method.function(target, items)
    return method.metric(scores, items.truth), scores
