"""Many model directories at once: a sample of each, their distances, and which of them share an ancestor."""

from __future__ import annotations

import datetime
import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.lineage.drawing import rows_of
from probatum.lineage.facts import on_a_grid
from probatum.lineage.model import Model, base_models, open_model
from probatum.lineage.units import hidden_layers, inward, kept
from probatum.statistics.tests import poisson_tail

NEURONS, LAYERS, WIDTH = 100, 5, 512  #: units that are looked at, over so many layers, and features of each
ROWS, COLUMNS = 2, 128  #: of every other tensor
STEP = Callable[[int, int, str], None]


@dataclass
class Entry:
    """One model of a collection. ``units`` is [units, features] for each layer looked at, ``rest`` all that is read."""

    name: str
    model: Model
    time: float  #: seconds since 1970
    dated_by: str  #: "given", "card" or "file", the weakest
    known: tuple[str, ...]  #: parents by its card
    quantized: bool
    shape: str  #: models of one shape can be compared
    units: list[np.ndarray] = field(repr=False)
    rest: np.ndarray = field(repr=False)
    mlp: bool = False
    kurtosis: float = math.nan
    digest: str = ""


def read_collection(
    folder: Path,
    *,
    times: Mapping[str, float] | None = None,
    step: STEP | None = None,
    unread: list[str] | None = None,
) -> list[Entry]:
    """Read a sample of every model directory below ``folder`` (two levels: NAME or ORG/NAME), by name.

    Parameters
    ----------
    unread
        Takes a sentence for every model that cannot be read, which is then left out; without it, that is an error.

    Raises
    ------
    BadInput
        Fewer than two models, or one that cannot be read.
    """
    if not folder.is_dir():
        raise BadInput(f"{folder}: expected a directory of model directories, but there is none here")
    endings = ("safetensors", "gguf")
    places = sorted({f.parent for level in ("*", "*/*") for e in endings for f in folder.glob(f"{level}/*.{e}")})
    if len(places) < 2:
        raise BadInput(
            f"{folder}: expected at least two model directories with safetensors or GGUF, found {len(places)}"
        )
    names = [p.relative_to(folder).as_posix() for p in places]
    if unknown := sorted(set(times or {}) - set(names)):
        raise BadInput(f"the times name {unknown[0]}, which is not below {folder}")
    entries = []
    for k, (name, place) in enumerate(zip(names, places, strict=True)):
        if step:
            step(k, len(places), name)
        try:
            entries.append(_entry(name, open_model(place), (times or {}).get(name)))
        except BadInput as error:
            if unread is None:
                raise
            unread.append(f"{name} was left out: {error}")
    if len(entries) < 2:
        raise BadInput(f"{folder}: expected at least two models that can be read; {(unread or [''])[0]}")
    return entries


def _entry(name: str, model: Model, given: float | None) -> Entry:
    layers = hidden_layers(model.shapes)
    picked = [layers[i] for i in sorted({round(k) for k in np.linspace(0, len(layers) - 1, LAYERS)})] if layers else []
    units: list[np.ndarray] = []
    for layer in picked:
        chosen = rows_of(layer.units, NEURONS // len(picked), "neurons", len(units))
        read = inward(model.weights, layer, chosen)
        columns = np.sort(keyed("columns", read.shape[1]).permutation(read.shape[1])[:WIDTH])
        units.append(np.nan_to_num(np.asarray(read, np.float32)[:, columns], posinf=0, neginf=0))
    parts, shape = [], [str([(x.units, x.axis, model.shapes[x.inward]) for x in layers])]
    kurtosis = 0.0
    for tensor in sorted(model.shapes, key=lambda n: (_stem(n), n)):
        size = model.shapes[tensor]
        if not size or not math.prod(size) or model.whole(tensor):
            continue
        if len(size) >= 2 and size[0] <= 20_000:  # embeddings grow with the vocabulary and are left out
            read = np.asarray(model.weights.rows(tensor, rows_of(size[0], ROWS, "rest", size)), np.float32)
            flat = np.nan_to_num(read.reshape(len(read), -1), posinf=0, neginf=0)
            parts.append(flat[:, np.sort(keyed("rest", flat.shape[1]).permutation(flat.shape[1])[:COLUMNS])].ravel())
            shape.append(str(size))
            kurtosis += _kurtosis(flat)
        elif len(size) == 1 and size[0] <= 4096:
            parts.append(np.nan_to_num(np.asarray(model.weights[tensor], np.float32)[:COLUMNS], posinf=0, neginf=0))
            shape.append(str(size))
    rest = np.concatenate([*(u.ravel() for u in units), *parts]) if units or parts else np.zeros(0, np.float32)
    time, by = _time(model, given)
    return Entry(
        name, model, time, by, base_models(model.card), _quantized(model, units),
        hashlib.sha256("|".join(shape).encode()).hexdigest()[:12], units, rest, all(x.mlp for x in picked), kurtosis,
        hashlib.sha256(rest.tobytes()).hexdigest(),
    )  # fmt: skip


def distances(entries: list[Entry]) -> np.ndarray:
    """‖x − y‖ of the samples in lengths of a sample: 0 for copies, about √2 for strangers, inf where shapes differ.

    The scale is the median length of the models of one shape, so 0.05 is 5 % of a model's length.
    """
    out = np.full((len(entries), len(entries)), np.inf)
    for shape in {e.shape for e in entries}:
        own = [i for i, e in enumerate(entries) if e.shape == shape]
        table = np.stack([entries[i].rest for i in own]).astype(np.float64)
        squares = (table**2).sum(axis=1)
        gram = table @ table.T
        apart = np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2 * gram, 0))
        out[np.ix_(own, own)] = apart / max(float(np.sqrt(np.median(squares))), 1e-30)
    np.fill_diagonal(out, 0)
    return out


def independence(a: Entry, b: Entry) -> float:
    """Exact p-value that the units of two models of one shape stand where they do by chance."""
    if a.shape != b.shape or not a.units:
        return 1.0
    counts = [kept(x, y, keyed("atlas", k))[0] for k, (x, y) in enumerate(zip(a.units, b.units, strict=True))]
    if a.mlp:
        return poisson_tail(sum(counts), float(len(counts))).value
    return min(1.0, len(counts) * poisson_tail(max(counts), 1.0).value)


def families(entries: list[Entry], table: np.ndarray, *, level: float = 1e-4, tries: int = 3) -> list[int]:
    """A number for each model; those that share an ancestor have one. Nearest pairs are tested first.

    Two families are kept apart once ``tries`` of their nearest pairs were not told from strangers.
    """
    family = list(range(len(entries)))
    failed: dict[tuple[int, int], int] = {}
    rows, columns = np.triu_indices(len(entries), 1)
    for k in np.argsort(table[rows, columns], kind="stable"):
        i, j = int(rows[k]), int(columns[k])
        if not np.isfinite(table[i, j]):
            break
        x, y = sorted((family[i], family[j]))
        if x == y or failed.get((x, y), 0) >= tries:
            continue
        if table[i, j] == 0 or independence(entries[i], entries[j]) <= level:
            family = [x if f == y else f for f in family]
        else:
            failed[x, y] = failed.get((x, y), 0) + 1
    return family


def _stem(name: str) -> str:
    """Names of prefixed models sort alike by their last parts."""
    return ".".join(name.split(".")[-4:])


def _kurtosis(flat: np.ndarray) -> float:
    centered = flat.astype(np.float64) - flat.mean()
    spread = float((centered**2).mean())
    return float((centered**4).mean() / spread**2 - 3) if spread > 0 else 0.0


def _quantized(model: Model, units: list[np.ndarray]) -> bool:
    """Stored as whole numbers or in a type of 8 bits or less, or so few values that a grid must be behind them."""
    types = {model.weights.stored(n) for n in model.weights}
    if (
        any(model.quantized(n) for n in model.shapes)
        or types & {"I8", "U8"}
        or any(t.startswith(("F8", "F4", "F6")) for t in types)
    ):
        return True
    if not units:
        return False
    few = [len(np.unique(u)) <= min(256, u.size // 8) for u in units]
    grid = [u.shape[1] >= 4 and on_a_grid(u) for u in units]
    return all(f or g for f, g in zip(few, grid, strict=True))


def _time(model: Model, given: float | None) -> tuple[float, str]:
    if given is not None:
        return float(given), "given"
    for key in ("created", "created_at", "date", "last_modified"):
        if (value := moment(model.card.get(key))) is not None:
            return value, "card"
    return max(f.stat().st_mtime for e in ("safetensors", "gguf") for f in model.path.glob(f"*.{e}")), "file"


def moment(raw: Any) -> float | None:
    """Seconds since 1970 of a date, an ISO text or a number; None of anything else. No zone means UTC."""
    if isinstance(raw, datetime.datetime):
        return raw.replace(tzinfo=raw.tzinfo or datetime.UTC).timestamp()
    if isinstance(raw, datetime.date):
        return datetime.datetime(raw.year, raw.month, raw.day, tzinfo=datetime.UTC).timestamp()
    if isinstance(raw, str):
        try:
            return moment(datetime.datetime.fromisoformat(raw))
        except ValueError:
            return None
    return float(raw) if isinstance(raw, (int, float)) and not isinstance(raw, bool) and math.isfinite(raw) else None
