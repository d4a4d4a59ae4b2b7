"""Canaries for a training run of one's own: made-up records, a coin for each, and the sealed key that knows the coins.

A coin decides which canaries go into the training data, so those left out differ from those put in by nothing but the
training: no shift between the two sets, and a bound on epsilon from a single run (Steinke, Nasr and Jagielski 2023,
arXiv 2305.08846). Each has a number of repeats, the dose: an audit also shows how often a record must be seen.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from probatum.controls.canary_key import Canary, CanaryKey, free, open_key, standing_in, write
from probatum.controls.canary_kinds import KINDS, SAMPLED, TEMPLATES, sampled, written
from probatum.core.data import Canaries, Data, Members, Records, digest_of
from probatum.core.errors import BadInput
from probatum.core.target import Target

#: With fewer, a fair coin leaves less than ten on one side more often than once in a thousand runs.
LEAST, MOST = 40, 100_000
MOST_REPEATS = 10_000
TEMPERATURE = 1.2


def draw_key(
    *,
    count: int = 200,
    kinds: Sequence[str] = tuple(TEMPLATES),
    repeats: Sequence[int] = (1, 4, 16),
    model: Target | None = None,
    temperature: float = TEMPERATURE,
    seed: int | None = None,
) -> CanaryKey:
    """Draw canaries, and a coin for each; nothing is written.

    Parameters
    ----------
    count
        Canaries in all, dealt evenly to kinds and repeats.
    kinds
        Of `KINDS`; ``high-temperature`` needs ``model``, which writes them at ``temperature``.
    repeats
        How often a canary stands in the training data if its coin says in.
    seed
        None: from the system's own chance. With a seed the draw can be repeated, by whoever knows the seed.

    Raises
    ------
    BadInput
        Too few canaries, an unknown kind, repeats below 1, or a kind that needs a model and has none.
    """
    _check(count, kinds, repeats, model, temperature)
    nonce = secrets.token_hex(32)
    base = nonce if seed is None else f"seed {seed}"
    columns = {}
    for k, kind in enumerate(kinds):
        share = len(range(k, count, len(kinds)))
        if kind in TEMPLATES:
            columns[kind] = written(kind, share, base)
        elif model is not None:
            columns[kind] = sampled(model, share, base, temperature)
    canaries = []
    for i in range(count):
        cycle, k = divmod(i, len(kinds))
        coin = int(digest_of(base, "coin", str(i)), 16) % 2 == 1
        row = columns[kinds[k]][cycle]
        name = "canary-" + digest_of(base, "id", str(i))[:12]
        canaries.append(Canary(name, kinds[k], coin, int(repeats[cycle % len(repeats)]), **row))
    created = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return CanaryKey(digest_of(nonce, "run")[:8], created, nonce, tuple(canaries))


def make(directory: str | Path, **options: Any) -> CanaryKey:
    """Draw canaries (the options of `draw_key`) and write ``key.json`` and ``canaries.jsonl`` into ``directory``."""
    free(Path(directory))  # before a model is asked for canaries
    key = draw_key(**options)
    write(Path(directory), key)
    return key


def read_canaries(path: str | Path) -> dict[str, Data]:
    """The canaries of a key as data for an audit, by kind: Canaries, Members and, where they have secrets, Records."""
    key = open_key(path)
    rows = [{**dataclasses.asdict(c), "group": c.kind, "dose": c.repeats if c.member else 0} for c in key.canaries]
    data: dict[str, Data] = {"Canaries": Canaries.from_rows(rows, str(path), name="canaries")}
    members = Members.from_rows(rows, str(path), name="canaries")
    data["Members"] = dataclasses.replace(members, randomized=True)
    secret = [row for row in rows if row["secret"] is not None]
    if secret:
        data["Records"] = Records.from_rows(secret, str(path), name="canaries")
    return data


def check_key(path: str | Path, texts: Iterable[str], where: str = "the training data") -> str:
    """One sentence where ``texts``, said to be trained on, do not fit the coins of the key; "" where they do.

    A key whose canaries a model never saw looks just like a model that keeps its training data to itself.
    """
    key = open_key(path)
    inside = [c for c in key.canaries if c.member]
    there = standing_in(key.canaries, texts)
    planted = sum(c.id in there for c in inside)
    if strays := len(there) - planted:
        return f"{strays} canaries that the coin left out stand in {where}, so this audit would take them for unseen"
    if not planted:
        return f"none of the key's {len(inside)} planted canaries is in {where}: is this the key of another run?"
    if planted < len(inside):
        return f"only {planted} of the key's {len(inside)} planted canaries are in {where}"
    return ""


def _check(count: int, kinds: Sequence[str], repeats: Sequence[int], model: object, temperature: float) -> None:
    if not LEAST <= count <= MOST:
        raise BadInput(
            f"expected {LEAST} to {MOST:,} canaries, got {count}: with fewer the coins often leave less than ten on a "
            "side, and a test of membership needs ten"
        )
    for kind in kinds:
        if kind not in KINDS:
            raise BadInput(f"no kind of canary is called '{kind}'; there are {', '.join(KINDS)}")
    for what, items in (("kinds", kinds), ("repeats", repeats)):
        again = [item for item, n in Counter(items).items() if n > 1]
        if not items or again:
            raise BadInput(f"--{what}: " + (f"'{again[0]}' stands there twice" if again else "name at least one"))
    if not all(1 <= n <= MOST_REPEATS for n in repeats):
        wrong = next(n for n in repeats if not 1 <= n <= MOST_REPEATS)
        raise BadInput(f"repeats are counts from 1 to {MOST_REPEATS:,}, got {wrong}; what is left out the coin decides")
    if SAMPLED in kinds and model is None:
        raise BadInput(
            f"canaries of kind {SAMPLED} are written by a model: name it with --model, or leave the kind out"
        )
    if not (math.isfinite(temperature) and temperature > 0):
        raise BadInput(f"the temperature must be above 0, got {temperature:g}")
