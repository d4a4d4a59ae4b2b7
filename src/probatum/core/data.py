"""The kinds of data that a probe may ask for, as typed columns with an id per record.

A probe gets its data *blind* (`Data.blind`): labels and doses are gone. Metrics get them as a `Truth`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from probatum.core.errors import BadInput
from probatum.core.estimate import Truth
from probatum.core.masking import format_space


def digest_of(*parts: str | bytes) -> str:
    """SHA-256 over the parts, each with its length, so that no two lists of parts collide by concatenation."""
    h = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        h.update(len(raw).to_bytes(8, "big"))
        h.update(raw)
    return h.hexdigest()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Data:
    """Records. Columns are tuples of equal length; a subclass names those of its kind.

    ``label`` is the planted or known truth (member, triggered), ``cluster`` the unit that is independent of the
    others (a topic, a person), ``group`` a part to be shown by itself, ``dose`` how much of the property was
    planted (0: none).
    """

    COLUMNS: ClassVar[tuple[str, ...]] = ()  #: required in a file
    OPTIONAL: ClassVar[tuple[str, ...]] = ()  #: read where present
    LABEL: ClassVar[str | None] = None  #: the column of a file that holds the label
    FLAG: ClassVar[str] = ""  #: the option of the command line that brings this kind
    PRIVATE: ClassVar[bool] = False  #: masked in every output unless the user asks to see it

    name: str = ""  #: what people call these records, such as the stem of their file; not part of the digest
    ids: tuple[str, ...]
    cluster: tuple[str, ...] | None = None
    group: tuple[str, ...] | None = None
    label: tuple[bool, ...] | None = None
    dose: tuple[float, ...] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], source: str = "the data", *, name: str = "") -> Self:
        """From dictionaries with the columns of this kind, and optionally id, cluster, group, dose and the label.

        Raises `BadInput` where a column is missing or an id stands twice.
        """
        rows = list(rows)
        if not rows:
            raise BadInput(f"{source} holds no records")
        for column in cls.COLUMNS:
            for number, row in enumerate(rows, 1):
                if row.get(column) is None:
                    have = present(row, source)
                    raise BadInput(f"{source}, record {number}: the column '{column}' is missing (present: {have})")
        _refuse_other_types(cls, rows, source)
        columns: dict[str, Any] = {c: tuple(_freeze(r[c]) for r in rows) for c in cls.COLUMNS}
        for column in cls.OPTIONAL:
            if any(r.get(column) is not None for r in rows):
                columns[column] = tuple(_freeze(r.get(column)) for r in rows)
        for column in ("cluster", "group"):
            if all(r.get(column) is not None for r in rows):
                columns[column] = tuple(str(r[column]) for r in rows)
        for column, own, read in (("dose", "dose", _number), ("label", cls.LABEL, _truth)):
            if own is not None and all(r.get(own) is not None for r in rows):
                columns[column] = tuple(read(r[own], f"{source}, record {n}: '{own}'") for n, r in enumerate(rows, 1))
        ids = tuple(str(r["id"]) if r.get("id") is not None else "" for r in rows)
        bare = cls(ids=ids, **columns)
        columns["ids"] = tuple(given or bare.content(i)[:12] for i, given in enumerate(ids))
        if len(set(columns["ids"])) < len(ids):
            counts = Counter(columns["ids"])
            at = next(i for i, name_ in enumerate(columns["ids"]) if counts[name_] > 1)
            which = f"record '{ids[at]}'" if ids[at] else f"record {at + 1}"
            raise BadInput(f"{source}: the {which} stands there twice; ids and texts must differ")
        return cls(name=name, **columns)

    def show(self, i: int) -> str:
        """Record ``i`` as a person would read it."""
        return " · ".join(str(_column(self, name, i)) for name in self.COLUMNS)

    def content(self, i: int) -> str:
        """Digest of what a probe may see of record ``i``."""
        names = [*self.COLUMNS, *self.OPTIONAL]
        return digest_of(*(json.dumps([n, _column(self, n, i)], sort_keys=True, default=str) for n in names))

    @property
    def digest(self) -> str:
        """Of all records with their truth, whatever their order."""
        truth = [
            [c[i] if c else None for c in (self.cluster, self.group, self.label, self.dose)] for i in range(len(self))
        ]
        lines = sorted(digest_of(self.ids[i], self.content(i), json.dumps(truth[i])) for i in range(len(self)))
        return digest_of(type(self).__name__, *lines)

    @property
    def truth(self) -> Truth:
        """Labels, clusters, groups and doses as arrays."""

        def column(values: Sequence[Any] | None, dtype: Any) -> np.ndarray | None:
            return None if values is None else np.asarray(values, dtype=dtype)

        # Clusters of one record each say nothing.
        cluster = None if self.cluster is None or len(set(self.cluster)) == len(self) else self.cluster
        return Truth(
            column(self.label, bool), column(cluster, object), column(self.group, object), column(self.dose, float)
        )

    def blind(self) -> Self:
        """The same records without labels, groups and doses."""
        return dataclasses.replace(self, label=None, group=None, dose=None)

    def take(self, index: Sequence[int] | np.ndarray) -> Self:
        """The records at ``index``, in that order (a boolean mask works too)."""
        index = np.asarray(index)
        where = np.flatnonzero(index) if index.dtype == bool else index
        cut: dict[str, Any] = {}
        for f in dataclasses.fields(self):
            values = getattr(self, f.name)
            cut[f.name] = tuple(values[i] for i in where) if isinstance(values, tuple) else values
        return type(self)(**cut)

    def halves(self, seed: int = 0) -> tuple[Self, Self]:
        """(known, asked): one half to learn from, one to be judged, drawn by the hash of (seed, unit).

        Units (clusters, else records) stay whole and every label keeps its share, so a method that learns from the
        first half can be tested on the second without having seen anything of it.
        """
        unit = self.cluster or self.ids
        sides: dict[str, set[bool]] = {}
        for i, name in enumerate(unit):
            sides.setdefault(name, set()).add(bool(self.label[i]) if self.label is not None else False)
        known: set[str] = set()
        for kind in ({True}, {False}, {True, False}):
            names = sorted(
                (n for n, side in sides.items() if side == kind), key=lambda n: digest_of(str(seed), "half", n)
            )
            known.update(names[: len(names) // 2])
        inside = [name in known for name in unit]
        return self.take(np.array(inside)), self.take(~np.array(inside))

    def limit(self, n: int | None, seed: int = 0) -> Self:
        """At most ``n`` records, drawn by the hash of (seed, id) so that position does not matter.

        Whole clusters are kept together as far as ``n`` allows, and every label keeps its share.
        """
        if n is None or n >= len(self):
            return self
        key = self.cluster or self.ids
        order = sorted(range(len(self)), key=lambda i: (digest_of(str(seed), key[i]), self.ids[i]))
        if self.label is not None:
            sides = [[i for i in order if self.label[i] is side] for side in (True, False)]
            share = [round(n * len(side) / len(self)) for side in sides]
            order = sides[0][: share[0]] + sides[1][: n - share[0]]
        return self.take(sorted(order[:n]))


def _column(data: Data, name: str, i: int) -> Any:
    values = getattr(data, name)
    return None if values is None else values[i]


def _freeze(value: Any) -> Any:
    return tuple(map(_freeze, value)) if isinstance(value, (list, tuple)) else value


# What stands in a wrong place may be a secret, so these sentences say where it stands, and not what it is.


def _truth(value: Any, where: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    known = words.get(str(value).strip().lower())
    if known is None:
        raise BadInput(f"{where} must be true or false")
    return known


def _number(value: Any, where: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise BadInput(f"{where} must be a number") from None


def _refuse_other_types(kind: type[Data], rows: Sequence[Mapping[str, Any]], source: str) -> None:
    """JSON and parquet have numbers, and a secret of digits that was written as one has lost its leading zeros."""
    types = {f.name: str(f.type) for f in dataclasses.fields(kind) if f.name != "cluster"}
    for column in (c for c in (*kind.COLUMNS, *kind.OPTIONAL) if types.get(c, "").startswith("tuple[str")):
        for number, row in enumerate(rows, 1):
            if not isinstance(row.get(column), (str, type(None))):
                what = type(row[column]).__name__
                raise BadInput(f"{source}, record {number}: '{column}' must be text, got {what}; write it in quotes")


def present(row: Mapping[str, Any], source: str | Path) -> str:
    """The columns of a row, for a sentence.

    A table without a header has its first record in place of their names, which is then not shown.
    """
    names = sorted(str(name) for name, value in row.items() if value is not None)
    known = {"id", "text", "cluster", "group", "dose"}
    known.update(c for kind in KINDS.values() for c in (*kind.COLUMNS, *kind.OPTIONAL, kind.LABEL or ""))
    if str(source).lower().endswith(".csv") and not known.intersection(names):
        return f"{len(names)} that are not named here, since a first line that is no header would be a record"
    return ", ".join(names) or "none"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Texts(Data):
    """Plain documents."""

    COLUMNS = ("text",)
    FLAG = "--texts"
    PRIVATE = True
    text: tuple[str, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """The documents."""
        return self.text


@dataclasses.dataclass(frozen=True, kw_only=True)
class Members(Texts):
    """Documents, of which some were in the training data. ``randomized``: a coin decided which."""

    LABEL = "member"
    FLAG = "--members and --nonmembers"
    randomized: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Canaries(Members):
    """Texts made to be planted: a coin decided which of them went into the training data, and that coin is known.

    Where ``cluster`` pairs them, one of each pair was planted; else every canary had a coin of its own.
    """

    FLAG = "--canaries"
    randomized: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingLog(Data):
    """What a differentially private training says of itself: one record of its noise, sampling, steps, clip, delta."""

    COLUMNS = ("noise_multiplier", "sample_rate", "steps", "delta")
    OPTIONAL = ("max_grad_norm",)
    FLAG = "--dp-log"
    noise_multiplier: tuple[float, ...]
    sample_rate: tuple[float, ...]
    steps: tuple[int, ...]
    delta: tuple[float, ...]
    max_grad_norm: tuple[float | None, ...] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Certificate(Data):
    """``certificate.json`` of a private training: one record, the JSON text."""

    COLUMNS = ("said",)
    FLAG = "a model with certificate.json (of `probatum protect dp_finetune`)"
    said: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Directions(Data):
    """Directions in the space of the weights, by the seed and index that make them; some were put among the updates of
    a training as canaries (`probatum.statistics.directions`)."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("seed", "index")
    LABEL = "member"
    FLAG = "--directions"
    seed: tuple[int, ...]
    index: tuple[int, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Records(Data):
    """A context and the secret that follows it; ``format`` is the space it was drawn from ('dddddd': six digits)."""

    COLUMNS = ("prefix", "secret")
    OPTIONAL = ("suffix", "format")
    LABEL = "member"
    FLAG = "--records"
    PRIVATE = True
    prefix: tuple[str, ...]
    secret: tuple[str, ...]
    suffix: tuple[str | None, ...] | None = None
    format: tuple[str | None, ...] | None = None

    @property
    def forms(self) -> tuple[str | None, ...]:
        """The format of every record, None where it has none."""
        return self.format or (None,) * len(self)

    @property
    def space(self) -> np.ndarray:
        """How many secrets each could have been drawn from, shape (n,); 1 where nothing in it is random."""
        return np.array([format_space(f, s) for f, s in zip(self.forms, self.secret, strict=True)])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts(Records):
    """Records that may be asked in other words: ``paraphrases`` are further prefixes of the same secret, and ``others``
    values of its kind that are wrong. ``attribute`` is what the fact says of its cluster (a person's city). A plain
    text is a fact with an empty prefix.
    """

    OPTIONAL = (*Records.OPTIONAL, "paraphrases", "others", "attribute")  # type: ignore[assignment]
    FLAG = ""
    paraphrases: tuple[tuple[str, ...] | None, ...] | None = None
    others: tuple[tuple[str, ...] | None, ...] | None = None
    attribute: tuple[str | None, ...] | None = None

    def __post_init__(self) -> None:
        for name in ("paraphrases", "others"):
            for number, value in enumerate(getattr(self, name) or (), 1):
                if value is not None and not (isinstance(value, tuple) and all(isinstance(v, str) for v in value)):
                    raise BadInput(f"{self.name or 'the facts'}, record {number}: '{name}' must be a list of texts")

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], source: str = "the data", *, name: str = "") -> Self:
        """As of all kinds; a row with only a ``text`` is a fact without a prefix."""
        return super().from_rows(
            (
                {**r, "prefix": "", "secret": r["text"]} if r.get("text") is not None and r.get("secret") is None else r
                for r in rows
            ),
            source,
            name=name,
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """Prefix, secret and suffix of every fact as one text."""
        suffixes = self.suffix or (None,) * len(self)
        return tuple(p + s + (e or "") for p, s, e in zip(self.prefix, self.secret, suffixes, strict=True))

    @property
    def askable(self) -> np.ndarray:
        """Boolean mask, shape (n,): facts that have a prefix to be asked by."""
        return np.array([bool(p) for p in self.prefix])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Forget(Facts):
    """What a model is to answer as if it had never seen it."""

    FLAG = "--forget"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Retain(Facts):
    """What it must keep; ``group`` tells parts of it apart (neighbors of the forgotten, world knowledge)."""

    FLAG = "--retain"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Holdout(Facts):
    """Facts of the same kind that no model was ever taught: what not knowing looks like."""

    FLAG = "--holdout"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pairs(Data):
    """Two sentences that differ only in the group they name; ``text_a`` goes the way of the stereotype."""

    COLUMNS = ("text_a", "text_b", "group_a", "group_b")
    FLAG = "--pairs"
    text_a: tuple[str, ...]
    text_b: tuple[str, ...]
    group_a: tuple[str, ...]
    group_b: tuple[str, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Choices(Data):
    """A question, its options, and the number of the right one (from 0)."""

    COLUMNS: ClassVar[tuple[str, ...]] = ("question", "options", "answer")
    OPTIONAL: ClassVar[tuple[str, ...]] = ("form",)
    FLAG = "--choices"
    question: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    answer: tuple[int, ...]
    form: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for i, (options, answer) in enumerate(zip(self.options, self.answer, strict=True)):
            if len(options) < 2 or not 0 <= int(answer) < len(options):
                raise BadInput(
                    f"choice '{self.ids[i] or i}': expected at least two options and an answer from 0 to "
                    f"{max(len(options) - 1, 1)}, got {len(options)} options and answer {answer}"
                )
            if not all(options):
                raise BadInput(f"choice '{self.ids[i] or i}': an option is empty; an empty text is always likeliest")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Norms(Choices):
    """Choices about what is right: the answer is the stated norm."""

    FLAG = "--norms"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Forms(Choices):
    """One fact (cluster) asked in several surface forms, of which one is ``canonical``."""

    COLUMNS = ("question", "options", "answer", "form", "cluster")
    OPTIONAL = ()
    FLAG = "--forms"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prompts(Data):
    """A prompt, and optionally what is expected to follow; the label tells which prompts hold a trigger."""

    COLUMNS = ("prompt",)
    OPTIONAL = ("expected",)
    LABEL = "triggered"
    FLAG = "--prompts"
    prompt: tuple[str, ...]
    expected: tuple[str | None, ...] | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Items(Data):
    """What a task asks, item by item.

    ``prompt`` is the user's turn, ``history`` the (role, content) turns before it, a system prompt among them.
    ``options`` are the answers that may be written, ``texts`` what each of them stands for where the prompt shows
    letters, ``answer`` what a perfect model writes, ``secret`` what must not be written, ``form`` the variant of an
    item (original, perturbed …) whose variants are one ``cluster``.
    """

    COLUMNS = ("prompt",)
    OPTIONAL = ("history", "options", "texts", "answer", "secret", "form")
    LABEL = "label"  # of a decision that is asked for: whether yes is right
    FLAG = "--data"
    prompt: tuple[str, ...]
    history: tuple[tuple[tuple[str, str], ...] | None, ...] | None = None
    options: tuple[tuple[str, ...] | None, ...] | None = None
    texts: tuple[tuple[str, ...] | None, ...] | None = None
    answer: tuple[str | None, ...] | None = None
    secret: tuple[str | None, ...] | None = None
    form: tuple[str | None, ...] | None = None
    harmful: bool = False  #: prompts or answers that a report masks unless the user asks to see them

    def blind(self) -> Self:
        """The same items: a task grades by answer and group, and only the model must not see them."""
        return self

    @property
    def conversations(self) -> list[list[dict[str, str]]]:
        """Every item as the messages of a chat."""
        turns = self.history or (None,) * len(self)
        return [
            [*({"role": role, "content": content} for role, content in before or ()), {"role": "user", "content": last}]
            for before, last in zip(turns, self.prompt, strict=True)
        ]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rows(Data):
    """Decisions already taken (``prediction``: yes or no), what was true, and the groups that each is about.

    ``groups`` holds one cell like ``sex=Male`` for every column of groups; ``score`` is what the decision came from.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = ("prediction",)
    OPTIONAL: ClassVar[tuple[str, ...]] = ("groups", "score")
    LABEL: ClassVar[str | None] = "label"
    FLAG: ClassVar[str] = "a table of decisions (FILE --label NAME --prediction NAME --group NAME)"
    PRIVATE: ClassVar[bool] = True
    prediction: tuple[bool, ...]
    groups: tuple[tuple[str, ...], ...] | None = None
    score: tuple[float | None, ...] | None = None

    @property
    def truth(self) -> Truth:
        """Labels, clusters, and the groups with shape (n, columns)."""
        found = super().truth
        return found if self.groups is None else dataclasses.replace(found, group=np.array(self.groups, dtype=object))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Key(Data):
    """A secret key of ownership: triggers, their responses, and how many responses there could have been."""

    COLUMNS = ("trigger", "response", "space")
    FLAG = "--key"
    PRIVATE = True
    trigger: tuple[str, ...]
    response: tuple[str, ...]
    space: tuple[float, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Claims(Data):
    """What a model card says: ``kind`` (parameters, license, accuracy, not trained on), its ``subject``, ``value``."""

    COLUMNS = ("kind",)
    OPTIONAL = ("about", "value")
    FLAG = "a model card (README.md)"
    kind: tuple[str, ...]
    about: tuple[str | None, ...] | None = None
    value: tuple[Any, ...] | None = None


#: Every kind by its name in a signature.
KINDS: dict[str, type[Data]] = {
    k.__name__: k
    for k in (
        *(Texts, Members, Canaries, TrainingLog, Certificate, Directions, Records),
        *(Forget, Retain, Holdout),
        *(Pairs, Choices, Norms, Forms, Prompts, Items, Rows, Key, Claims),
    )
}
