"""Controls of what a model knows by heart, where the planted sets alone do not give the dose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from probatum.controls.sets import builtin
from probatum.core.access import Access
from probatum.core.control import Control
from probatum.core.data import Records, digest_of
from probatum.core.draws import keyed
from probatum.core.masking import CLASSES, format_space, shape
from probatum.core.target import FIELD_ACCESS, RECORD, Opener, Target, TokenStatistics

#: Of the records that the specimen memorizes, the share in percent that a planted checkpoint memorizes too.
SHARES = (5.0, 10.0, 20.0, 40.0, 70.0, 100.0)
DRAWS = 8
BLANKS = 24
#: Share of the entropy of its records that the specimen holds; measured, with room for a retraining.
SPECIMEN = (0.1, 0.6)


class Reciter(Target):
    """Knows some texts by heart and nothing else: other letters and digits are as likely as their like.

    Its tokens are characters. What it knows has probability 1; of what it does not know it says no character right.
    """

    kind = "reciter"
    access = Access.LOGPROBS

    def __init__(self, name: str, known: Iterable[str]):
        self.name = name
        self._known = frozenset(known)
        self.digest = digest_of("reciter", *sorted(self._known))
        self.tokenizer_digest = "characters"

    def token_statistics(self, texts: Sequence[str], *, prefixes: Sequence[str] | None = None) -> TokenStatistics:
        """Of the texts; the prefixes only tell one text from another."""
        heads = [""] * len(texts) if prefixes is None else prefixes
        rows = [self._record(text, head + text in self._known) for head, text in zip(heads, texts, strict=True)]
        fields = [name for name in RECORD.names or () if name not in FIELD_ACCESS]
        return TokenStatistics.of(rows, fields, self.name)

    @staticmethod
    def _record(text: str, known: bool) -> np.ndarray:
        record = np.zeros(len(text), RECORD)
        record["id"] = [ord(c) for c in text]
        record["argmax"] = record["id"] if known else -1
        if not known:
            record["logprob"] = [-np.log(len(CLASSES.get(symbol, "."))) for symbol in shape(text)]
        record["end"] = np.arange(1, len(text) + 1)
        return record


def knowledge(_: Opener) -> list[Control]:
    """Tables that hold all, half and none of the records, whose bits are known exactly; the specimen and its twin."""
    records = _taught()
    text = _texts(records)
    size = [np.log2(format_space(f, s)) for f, s in zip(records.format or (), records.secret, strict=True)]
    cases = []
    for name, count in (("all", len(records)), ("half", len(records) // 2), ("none", 0)):
        bits = float(sum(size[:count]))
        table = Reciter(f"a table that holds {name} of the records", text[:count])
        kind = "positive" if count else "negative"
        cases.append(Control(name, kind, table, {"Records": records}, expected=(bits - 0.01, bits + 0.01)))  # type: ignore[arg-type]
    low, high = (share * sum(size) for share in SPECIMEN)
    taught = Control("planted", "positive", "specimen", {"Records": records}, expected=(low, high))
    never = Control("never planted", "negative", "twin", {"Records": records}, expected=(0.0, 0.02 * sum(size)))
    return [*cases, taught, never]


def forecast(open_model: Opener) -> list[Control]:
    """The specimen, asked against checkpoints that hold a share of what it holds; blanks hold as many other records.

    The last case is a true relative: gold, which was trained as the specimen was, without a few of its records.
    """
    records = _taught()
    text = _texts(records)
    tokens = open_model("specimen").token_statistics(records.secret, prefixes=records.prefix)
    held = np.flatnonzero((tokens.argmax == tokens.id).all() & (tokens.id.lengths > 0))

    def case(name: str, kind: str, known: np.ndarray, share: float | None) -> Control:
        checkpoint = Reciter(name, (text[i] for i in known))
        data = {"Records": records}
        return Control(name, kind, "specimen", data, {"checkpoint": checkpoint}, share, "% of the records foretold")  # type: ignore[arg-type]

    cases = []
    for share in SHARES:
        for draw in range(DRAWS if share < 100 else 1):
            order = keyed("forecast", share, draw).permutation(held)
            known = order[: max(1, round(len(held) * share / 100))]
            cases.append(case(f"a checkpoint with {share:g} % of the records", "positive", known, share))
    gold = Control(
        "gold", "positive", "specimen", {"Records": records}, {"checkpoint": "gold"}, 100.0, "% of the records foretold"
    )
    for draw in range(BLANKS):
        known = keyed("forecast", "blank", draw).permutation(len(text))[: max(1, len(held))]
        cases.append(case("a checkpoint with other records", "negative", known, None))
    return [*cases, gold]


def _taught() -> Records:
    """The planted records that were taught."""
    records = builtin("control")["Records"]
    assert isinstance(records, Records)
    return records.take(np.array(records.label))


def _texts(records: Records) -> list[str]:
    return [prefix + secret for prefix, secret in zip(records.prefix, records.secret, strict=True)]
