"""What is planted in a copy of the model under audit: which of the user's texts, which secrets, how often each.

Texts are the user's own nonmembers, so planted texts and blanks differ in nothing but the tuning. Secrets are drawn
anew, after prefixes put together from words of the user's: the real prefix may call up a real secret.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from probatum.core.data import Data, Members, Records, digest_of
from probatum.core.draws import keyed
from probatum.core.masking import draw

#: Fewer texts on a side than this, and no probe of membership can be proved on them.
LEAST = 20
_TRIES = 50


@dataclass(frozen=True)
class Plan:
    """How many texts and secrets are planted at most, and how often those of the highest dose."""

    texts: int
    top_text: int
    secrets: int
    top_secret: int


#: From rich to poor; the first that fits the budget is taken.
PLANS = (Plan(140, 32, 72, 128), Plan(70, 32, 48, 128), Plan(40, 32, 24, 64), Plan(20, 16, 12, 32))


def planted(records: Mapping[str, Data], plan: Plan, seed: int) -> dict[str, Data]:
    """What is planted by kind, with blanks: label and dose of every record; kinds with too few records are absent."""
    canaries, members, secrets = (records.get(kind) for kind in ("Canaries", "Members", "Records"))
    out: dict[str, Data | None] = {}
    # A text has one dose, so what stands in both kinds is planted once.
    shared = frozenset(canaries.texts) if isinstance(canaries, Members) else frozenset()
    same = isinstance(members, Members) and shared == set(members.texts)
    if isinstance(members, Members):
        out["Members"] = _texts(members, plan, seed, frozenset() if same else shared)
    if isinstance(canaries, Members):
        out["Canaries"] = _as_in(out["Members"], canaries) if same else _texts(canaries, plan, seed, frozenset())
    if isinstance(secrets, Records):
        out["Records"] = _secrets(secrets, plan, seed)
    return {kind: data for kind, data in out.items() if data is not None}


def _as_in(other: Data | None, data: Members) -> Members | None:
    """The records of ``data`` with label and dose of their texts in ``other``; without those that are not there."""
    if not isinstance(other, Members):
        return None
    dose = dict(zip(other.texts, other.dose or (), strict=True))
    chosen = data.take([i for i, text in enumerate(data.texts) if text in dose])
    doses = tuple(dose[text] for text in chosen.texts)
    return dataclasses.replace(chosen, label=tuple(d > 0 for d in doses), dose=doses, randomized=True)


def _texts(data: Members, plan: Plan, seed: int, taken: frozenset[str]) -> Members | None:
    """A random half of the nonmembers (of at most twice the plan) planted, the other half blanks; clusters whole."""
    label = data.label or ()
    free = [i for i, inside in enumerate(label) if not inside and data.texts[i].strip() and data.texts[i] not in taken]
    pool = data.take(free) if free else data.take([])
    unit = pool.cluster or pool.ids
    units = sorted(set(unit), key=lambda name: digest_of(str(seed), "plant", name))
    count = min(plan.texts, len(units) // 2)
    if count < LEAST:
        return None
    inside, used = set(units[:count]), set(units[: 2 * count])
    keep = [i for i, name in enumerate(unit) if name in used]
    chosen = pool.take(keep)
    unit = chosen.cluster or chosen.ids
    chosen = dataclasses.replace(chosen, label=tuple(n in inside for n in unit), dose=None, randomized=True)
    # A probe that learns is judged by one half of the records: every dose is dealt evenly to both halves.
    known = chosen.halves(seed)[0]
    learned = set(known.cluster or known.ids)
    sides = [[n for n in units[:count] if (n in learned) is side] for side in (False, True)]
    steps = spread(count, plan.top_text, each=10, double=True)
    dose = {name: steps[2 * i + side] for side in (0, 1) for i, name in enumerate(sides[side])}
    return dataclasses.replace(chosen, dose=tuple(float(dose.get(n, 0)) for n in unit))


def _secrets(data: Records, plan: Plan, seed: int) -> Records | None:
    """Invented records in the style of the user's: as many planted as blanks; None where no secret has any chance."""
    rng = keyed(seed, "planted secrets", data.digest)
    formats = data.forms
    data = data.take(
        [i for i, (f, s) in enumerate(zip(formats, data.secret, strict=True)) if len(set(draw(f, s, 8, rng))) > 1]
    )
    if not len(data):
        return None
    steps = [*spread(plan.secrets, plan.top_secret, each=6, double=False), *(0,) * plan.secrets]
    styles = [int(i) for i in rng.integers(len(data), size=len(steps))]
    prefixes = _invented(data.prefix, styles, rng)
    rows = []
    for number, (style, prefix, dose) in enumerate(zip(styles, prefixes, steps, strict=True)):
        form = data.format[style] if data.format else None
        suffix = data.suffix[style] if data.suffix else None
        row = {"prefix": prefix, "secret": draw(form, data.secret[style], 1, rng)[0], "suffix": suffix, "format": form}
        rows.append({"id": f"planted secret {number:03d}", **row, "member": dose > 0, "dose": dose})
    return Records.from_rows(rows, "planted secrets", name=data.name)


def _invented(prefixes: Sequence[str], styles: Sequence[int], rng: np.random.Generator) -> list[str]:
    """New prefixes, each word of one taken from any prefix with as many words; where none is new, a tag before one."""
    words = [prefix.split(" ") for prefix in prefixes]
    alike: dict[int, list[list[str]]] = {}
    for row in words:
        alike.setdefault(len(row), []).append(row)
    seen, out = set(prefixes), []
    for style in styles:
        pool = alike[len(words[style])]
        for attempt in range(2 * _TRIES):
            picks = rng.integers(len(pool), size=len(words[style]))
            new = " ".join(pool[pick][place] for place, pick in enumerate(picks))
            if attempt >= _TRIES:
                new = f"{draw('AAdddd', '', 1, rng)[0]}: {prefixes[style]}"
            if new not in seen:
                break
        seen.add(new)
        out.append(new)
    return out


def spread(count: int, top: int, *, each: int, double: bool) -> list[int]:
    """``count`` doses, highest first: powers of two up to ``top``, about ``each`` records a dose or more.

    With ``double`` the highest dose, at which a probe has to prove itself, gets twice the records of another.
    """
    powers = [2**i for i in range(top.bit_length())]
    most = (count - each) // each if double else count // each
    number = int(np.clip(most, 2, len(powers)))
    first = 0 if number >= 4 else 1
    doses = sorted({powers[round(i)] for i in np.linspace(first, len(powers) - 1, number)}, reverse=True)
    share = [2 if double and i == 0 and count >= (number + 1) * each else 1 for i in range(len(doses))]
    counts = [count * s // sum(share) for s in share]
    counts[0] += count - sum(counts)
    return [dose for dose, n in zip(doses, counts, strict=True) for _ in range(n)]
