"""A suite: which probes with which options, and which of them stands for its dimension in a summary. Values only."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.core.catalogue import entries
from probatum.core.errors import BadInput
from probatum.core.finding import DIMENSIONS

HERE = Path(__file__).resolve().parent.parent / "suites"
FORGETTING = {"Forget", "Retain"}
SUITE_KEYS = {"all", "tasks", "probe", "primary", "trail", "receipt"}


@dataclass(frozen=True)
class Suite:
    """``probes``: (name, options); one probe may stand twice with different options.

    ``primary``: per dimension the probes that were declared to stand for it, one for each access, the first of which is
    shown in a one-line summary. They are corrected among themselves; all others as the many that they are.
    """

    name: str
    probes: tuple[tuple[str, Mapping[str, Any]], ...]
    primary: Mapping[str, tuple[str, ...]]
    trail: bool = False  #: whether every number is computed a second time, from the evidence alone
    #: Of a suite for repaired models: ``gate`` names the measures without which nothing may be read, ``gold`` those of
    #: which neither end is good, ``cost`` those of the forget set that show a price; None for other suites.
    receipt: Mapping[str, tuple[str, ...]] | None = None


def read_suite(name: str | Path) -> Suite:
    """A suite by name (``default``, or a dimension) or from a TOML file.

    Raises `BadInput` for an unknown name, a file that is not TOML, or a probe that does not exist.
    """
    default = _parse(HERE / "default.toml", "default")
    text = str(name)
    path = Path(text) if text.endswith(".toml") else HERE / f"{text}.toml"
    if text in DIMENSIONS and not path.is_file():
        part: tuple[tuple[str, Mapping[str, Any]], ...]
        part = tuple((n, {}) for n, e in entries().items() if e.kind == "probe" and e.dimension == text)
        return Suite(text, part, default.primary)
    if not path.is_file():
        known = sorted(p.stem for p in HERE.glob("*.toml"))
        there = ", ".join([*known, *DIMENSIONS])
        raise BadInput(f"no suite is called '{text}'; there are {there}, or give a .toml file")
    suite = _parse(path, text if path.parent == HERE else path.stem)
    return Suite(suite.name, suite.probes, {**default.primary, **suite.primary}, suite.trail, suite.receipt)


def _parse(path: Path, name: str) -> Suite:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not a TOML file ({error})") from error
    unknown = set(raw) - SUITE_KEYS
    if unknown:
        raise BadInput(f"{path}: a suite has no key '{min(unknown)}'; it has {', '.join(sorted(SUITE_KEYS))}")
    known = {n: e for n, e in entries().items() if e.kind == "probe"}
    items, primary = raw.get("probe", []), raw.get("primary", {})
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadInput(f'{path}: expected every probe as a table of its own: [[probe]], then name = "loss"')
    primary = {d: [p] if isinstance(p, str) else p for d, p in primary.items()} if isinstance(primary, dict) else None
    if primary is None or any(d not in DIMENSIONS or not p or not known.keys() >= {*p} for d, p in primary.items()):
        raise BadInput(f'{path}: [primary] names a probe for a dimension, such as privacy = "loss", or a list of them')
    chosen: list[tuple[str, Mapping[str, Any]]] = []
    for item in items:
        probe = item.get("name")
        if probe not in known:
            near = difflib.get_close_matches(str(probe), known, n=3, cutoff=0.4)
            hint = f"did you mean {', '.join(near)}?" if near else "see `probatum list`"
            raise BadInput(f"{path}: no probe is called '{probe}'; {hint}")
        chosen.append((probe, {k: v for k, v in item.items() if k != "name"}))
    every = raw.get("all", False)
    if every not in (True, False, *DIMENSIONS):
        raise BadInput(f"{path}: all is true, or one of {', '.join(DIMENSIONS)}, got '{every}'")
    if every:
        # Tasks ask for answers and no data of the user's: a suite about such data leaves them to the trust suite.
        # Measures of forgetting have a suite of their own, the receipt.
        asked = {
            n
            for n, e in known.items()
            if every in (True, e.dimension)
            and (raw.get("tasks", True) or not (e.items or FORGETTING & set(e.signature.data.values())))
        }
        rest = [n for n in known if n in asked and n not in {c[0] for c in chosen}]
        chosen = [*((n, {}) for n in rest), *chosen]
    if not chosen:
        raise BadInput(f'{path}: the suite names no probe; write [[probe]] name = "loss", or all = true')
    for switch in ("tasks", "trail"):
        if raw.get(switch, False) not in (True, False):
            raise BadInput(f"{path}: {switch} is true or false, got '{raw[switch]}'")
    receipt = raw.get("receipt")
    if receipt is not None:
        named = {c[0] for c in chosen}
        if (
            not isinstance(receipt, dict)
            or set(receipt) - {"gate", "cost", "gold"}
            or not named.issuperset(p for names in receipt.values() for p in names)
        ):
            raise BadInput(f"{path}: [receipt] has the lists gate, cost and gold, of probes of this suite")
        receipt = {key: tuple(receipt.get(key, ())) for key in ("gate", "cost", "gold")}
    trail = bool(raw.get("trail", False))
    return Suite(name, tuple(chosen), {d: tuple(p) for d, p in primary.items()}, trail, receipt)
