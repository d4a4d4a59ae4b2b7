"""Card completeness: how much of what a model card should say does it say?

Liang et al. 2024 (P058, arXiv 2402.05160) count eight sections over 32,111 cards: training is filled most often,
environmental impact, limitations and evaluation least. Most models have no card at all (P062). What a template or a
training library writes by itself says nothing, and does not count.
"""

from probatum import Access, BadInput, Scores, Target, probe
from probatum.files.card_sections import words
from probatum.files.documents import read_documents
from probatum.statistics.documented import documented


@probe(
    paper="P058 P062 arXiv:2402.05160",
    question="How many of the eight sections of a model card did somebody fill?",
    needs=Access.BYTES,
    metric=documented("sections filled", each="filled"),
    measure=True,
    better="high",
    control="card_sections",
)
def card_completeness(target: Target, *, least: int = 5) -> Scores:
    """Score a section 1 if ``least`` words stand under its headings that are no boilerplate, else 0.

    Parameters
    ----------
    least
        Words below which a section counts as empty.

    Notes
    -----
    Headings are read in English, by their words; a heading may be of two sections ("Training and evaluation data"), and
    one without such words belongs to the section above. A model without a card has filled none. Of a
    directory that holds a data set, the eight sections of its card are counted (P062).
    """
    if least < 1:
        raise BadInput(f"card_completeness.least must be at least 1, got {least}")
    card = read_documents(target.files())
    values, said = [], []
    for name in card.scheme.sections:
        own = [s for s in card.sections if name in s.names and s.lines]
        count = sum(words(s.lines) for s in own)
        first = next((s.lines[0].number for s in own if words(s.lines)), 0)
        values.append(float(count >= least))
        where = f"{card.card_name}, line {first}" if first else "nothing written"
        said.append(f"{where}; {count:,} words")
    note = "" if card.card_name else "there is no model card (README.md)"
    return Scores(card.scheme.sections, values, towards="documented", said=said, note=note)
