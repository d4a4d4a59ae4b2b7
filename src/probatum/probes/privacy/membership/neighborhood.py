"""Neighborhood: is a text likelier than texts that differ from it in a few words?

Mattern et al. 2023 (arXiv 2305.18462), equation 1. An easy text has easy neighbors; a text that lies far above its own
neighbors was pushed there by training.
"""

from collections.abc import Sequence

import numpy as np

from probatum import Access, BadInput, Members, NotOffered, Ragged, Scores, Target, per_record, probe
from probatum.core.perturb import replaced, word_spans
from probatum.statistics import auroc

_TRIED = 5  # proposals for a word, of which the first that is another word is taken
Span = tuple[int, int]


@probe(
    paper="arXiv:2305.18462",
    question="Were these texts in the training data?",
    needs=Access.LOGPROBS,
    metric=auroc,
)
def neighborhood(
    target: Target,
    data: Members,
    *,
    rng: np.random.Generator,
    filler: Target | None = None,
    neighbors: int = 10,
    share: float = 0.2,
) -> Scores:
    """Score a text by its mean log-probability less the mean of those of its neighbors.

    Parameters
    ----------
    filler
        A model that fills masks (BERT, RoBERTa …): a replaced word becomes its likeliest other filling. Without one it
        becomes a word drawn from all the texts, whatever fits there.
    neighbors
        Neighbors of a text; each is read once. The paper takes 100.
    share
        Share of the words of a text that a neighbor replaces, at least one. The paper replaces one to three; with few
        neighbors that is mostly noise.

    Notes
    -----
    What is subtracted is the mean over the neighbors (a published peer subtracts the largest). A neighbor that equals
    its text is left out. Which words are replaced is drawn by the record's id; the paper takes those whose fillings are
    likeliest. A filler sees the other words of the text as they stand. The controls are run without one.
    """
    if neighbors < 1 or not 0 < share <= 1:
        raise BadInput(f"neighborhood needs a neighbor, and a share of words in (0, 1], got {neighbors} and {share}")
    spans = [word_spans(text) for text in data.texts]
    draws = list(per_record(rng, data.ids))
    chosen = [
        [_some(row, share, generator) for _ in range(neighbors)] for row, generator in zip(spans, draws, strict=True)
    ]
    words = sorted(text[a:b] for text, row in zip(data.texts, spans, strict=True) for a, b in row)
    filled = None if filler is None else _fillings(filler, data.texts, chosen)
    rows = []
    for text, picks, generator in zip(data.texts, chosen, draws, strict=True):
        row = []
        for pick in picks:
            changes = {}
            for a, b in pick:
                if filled is None:
                    proposals = [words[i] for i in generator.integers(len(words), size=_TRIED)]
                else:
                    proposals = filled[text, (a, b)]
                changes[a, b] = _other(text[a:b], proposals)
            row.append(replaced(text, changes))
        rows.append([neighbor for neighbor in row if neighbor != text])
    own = target.token_statistics(data.texts).logprob.mean()
    around = target.token_statistics([neighbor for row in rows for neighbor in row]).logprob.mean()
    alone = {name: "no neighbor differs from it" for name, row in zip(data.ids, rows, strict=True) if not row}
    note = "" if filler is None else f"replaced words are fillings of {filler.name}"
    difference = own - Ragged(around, np.cumsum([0, *map(len, rows)])).mean()
    return Scores(data.ids, difference, towards="member", unscored=alone, note=note)


def _some(spans: Sequence[Span], share: float, rng: np.random.Generator) -> list[Span]:
    """A share of the words, at least one; none of none."""
    n = min(len(spans), max(1, round(share * len(spans))))
    return [spans[i] for i in sorted(rng.choice(len(spans), n, replace=False))] if n else []


def _fillings(
    filler: Target, texts: Sequence[str], chosen: Sequence[Sequence[Sequence[Span]]]
) -> dict[tuple[str, Span], list[str]]:
    """What the filler would write at every place that is to be replaced, in one call."""
    asked = [(text, span) for text, picks in zip(texts, chosen, strict=True) for pick in picks for span in pick]
    asked = list(dict.fromkeys(asked))
    try:
        found = filler.fill([text for text, _ in asked], [span for _, span in asked], top=_TRIED)
    except NotOffered as error:
        raise BadInput(
            f"{filler.name} is a {filler.kind} and fills no masks; expected a mask-filling model such as BERT or "
            "RoBERTa (--with filler=DIR)"
        ) from error
    return dict(zip(asked, found, strict=True))


def _other(word: str, proposals: Sequence[str]) -> str:
    """The first proposal that is another word, with a capital letter where the word has one; else the word itself."""
    new = next((p for p in proposals if p.casefold() != word.casefold()), word)
    return new[:1].upper() + new[1:] if word[:1].isupper() else new
