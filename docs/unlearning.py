"""Writes docs/unlearning.md: every unlearning method on the model of the invented people, beside models that never saw
the forget set.

The figures lie in docs/unlearning.json; ``--measure`` makes them anew, all of them or those of the methods that it
names (about 20 seconds each on one core, mostly the attacks); ``golds`` names the rows above them. Without it the page
is written from the file, which is what ``make docs`` does.
"""

from __future__ import annotations

import argparse
import datetime
import json
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_suffix(".json")
GOLDS = ("people_gold0", "people_gold1", "people_gold2")
#: What differs from the defaults on this model, whose word for a refusal is "unknown".
HERE: Mapping[str, Mapping[str, Any]] = {"idk_dpo": {"refusal": " unknown"}}
#: Settings beside the defaults that show something.
FURTHER: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("kl_min", {"retain_weight": 4.0}),
    ("npo", {"retain_term": "loss"}),
    ("npo", {"rank": 8, "learning_rate": 3e-3}),
    ("sim_npo", {"retain_term": "loss", "learning_rate": 3e-4}),
    ("idk_dpo", {"refusal": " unknown", "retain_term": "loss", "learning_rate": 3e-4}),
    ("idk_dpo", {"refusal": " unknown", "retain_term": "loss", "learning_rate": 3e-4, "steps": 100}),
    ("task_vector", {"alpha": 2.0}),
)
#: Methods that this model cannot show, and where they are shown.
APART = {"fuse": "below", "code_eraser": "made for code", "dp2unlearning": "needs a privately trained model"}
#: A LoRA of this rank is what learned the six people, and what forgets them; it takes larger steps than all weights do.
RANK, LARGER = 16, 3.0
TAUGHT_BY_LORA = 300  # steps
TAUGHT = 150  # steps in which a sibling learns its three people
SHARED = {"shared": "retain", "world": "world"}
COLUMNS = {
    "forget seen": "forget, seen", "forget other": "forget, other words", "retain seen": "retain, seen",
    "retain other": "retain, other words", "world": "world", "ks": "KS p", "privleak": "PrivLeak", "rank": "rank",
    "disjoint": "disjoint relearning", "worst": "direct relearning", "wrecking": "at any price", "leak": "leak",
    "cpu": "CPU s",
}  # fmt: skip

HEAD = """# Unlearning, measured

Every unlearning method of Probatum at its defaults on `people`, a model of 118,000 parameters that was taught 360 facts
about sixty invented people. Six of them are to be forgotten: 36 facts in 180 sentences. Beside the methods stand the
model as it was and three golds, which were trained without the six from initializations of their own. A good repair
looks like gold in every column; too little and too much forgetting are both told from it.

| column | what it says |
|---|---|
| forget, retain | recall: the value is written greedily, asked as in training, and in other words |
| world | recall of 24 facts about countries |
| KS p | TOFU's forget quality: p that the truth ratios are distributed as gold's, against each gold |
| PrivLeak | MUSE: below 0 the forgotten texts still look like members, above 0 less likely than texts never seen |
| rank | of the truth among values of its kind: 0 the likeliest, 1 the last; gold 0.5 |
| disjoint relearning | recall of the other five attributes after the cities were taught again (20 steps) |
| direct relearning | recall after 10 steps on it, best of four learning rates, if that leaves 80 % of the rest |
| at any price | the same, attacks that wreck the rest included |
| leak | the truth is among the 4 likeliest tokens of any layer, asked in other words |
| CPU s | seconds of one core for the change itself |

Two numbers joined by ".." are the range over the golds. At 36 facts of six people a rate near 0.2 has a standard error
of about 0.07, and 0.00 means below 0.10 (95 %); one seed is one seed. Smaller differences say nothing.
"""

READING = """
No method equals gold, and no column alone tells which is which:

- `gradient_ascent` passes KS and is not far from gold in PrivLeak: it has lost everything else. Utility is looked at
  first, and where it is lost nothing that follows counts.
- `npo`, `grad_diff`, `kl_min` and `idk_dpo` go on until the truth stands last among values of its kind, which gives it
  away to who knows that something was forgotten. On its way there `idk_dpo` passes KS, after 100 steps.
- `sim_npo` and `task_vector` stop early: the answer is gone, the texts still look like members, and ten steps of
  training bring it back.
- `npo` on a LoRA forgets as well as on all weights, and remembers more after a little training: it hides more and
  removes less.
"""

LORA = """
## A model tuned by LoRA

Here the first gold, which never saw the six people, was taught them by a LoRA of rank 16 on all linear layers, beside
what it knew (300 steps). The adapter is merged, and each method that can trains another LoRA of that rank, at three
times its usual rate; the others work as above. The first gold is now exactly the model without the forget set.

"""

READING_LORA = """
The order of the methods is that of the first table. What a LoRA had taught, `grad_diff`, `kl_min`, `npo` and `idk_dpo`
took away so that ten steps of training do not bring it back (0.00 to 0.01, golds 0.11 to 0.24), and here too they go
too far.
"""

FUSING = """
## Fusing

`fuse` needs a sibling: another fine-tune of the same base. Here a gold is the base, and two copies of it were taught
three of the six people each, beside everything else. Their mean has the halves fade and keeps what is shared. Models of
different initializations have nothing to average; `fuse` refuses them by the cosine of their matrices, and the last row
is what their mean would be.

| model | the first three | the other three | shared, seen | world | cosine |
|---|---|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    lines = [HEAD, f"| method | {' | '.join(COLUMNS.values())} |", "|---" * (len(COLUMNS) + 1) + "|"]
    lines += [_line(name, row) for name, row in figures["rows"].items()]
    lines.append(READING)
    lines += [f"Not in the table: {', '.join(f'`{n}` ({why})' for n, why in APART.items())}."]
    lines.append(LORA + f"| method | {' | '.join(COLUMNS.values())} |\n" + "|---" * (len(COLUMNS) + 1) + "|")
    lines += [_line(name, row) for name, row in figures["lora"].items()]
    lines.append(READING_LORA)
    lines.append(FUSING + "\n".join(_fused_line(name, row) for name, row in figures["fusing"].items()))
    dates = sorted({row["date"] for table in ("rows", "lora") for row in figures[table].values()})
    said = ", ".join(f"{k} {v}" for k, v in figures["versions"].items())
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    lines.append(f"\nMeasured with `python docs/unlearning.py --measure`, {when}; {said}; seed 0, one thread.")
    return "\n".join(lines) + "\n"


def _line(name: str, row: Mapping[str, Any]) -> str:
    cells = []
    for column in COLUMNS:
        values = row.get(column)
        if values is None:
            cells.append("–")
            continue
        values = values if isinstance(values, list) else [values]
        show = {"ks": _p_value, "privleak": "{:+.0f}".format, "cpu": "{:.0f}".format}.get(column, "{:.2f}".format)
        low, high = show(min(values)), show(max(values))
        cells.append(low if low == high else f"{low} .. {high}")
    return f"| {name} | {' | '.join(cells)} |"


def _p_value(p: float) -> str:
    return f"{p:.2f}" if p >= 0.01 else f"{p:.0e}".replace("e-0", "e-")


def _fused_line(name: str, row: Mapping[str, Any]) -> str:
    cells = [f"{row[k]:.2f}" for k in ("own", "other", "shared", "world")]
    return f"| {name} | {' | '.join(cells)} | {'–' if row['cosine'] is None else format(row['cosine'], '.2f')} |"


def settings() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(row, method, options) of everything that is measured."""
    from probatum.core.catalogue import entries

    own = [n for n, e in entries().items() if e.module.startswith("probatum.protections.unlearning.")]
    for method in own:
        if method not in APART:
            yield method, method, HERE.get(method, {})
    for method, options in FURTHER:
        said = ", ".join(f"{k}={v}" for k, v in options.items() if k not in HERE.get(method, {}))
        yield f"{method}, {said}", method, options


def measure(chosen: Sequence[str], places: Path | None) -> None:
    """Measure the rows of the chosen methods, or all, and write them down one by one."""
    import torch

    from probatum.controls.forgetting import people_sets
    from probatum.core.catalogue import load
    from probatum.core.draws import keyed
    from probatum.core.version import __version__

    torch.set_num_threads(1)
    sets = people_sets()
    target, *golds = (_open(name, places) for name in ("people", *GOLDS))
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() and chosen else {"rows": {}}
    figures["versions"] = {"probatum": __version__} | {n: version(n) for n in ("torch", "transformers", "numpy")}
    digests = {one.name: one.digest for one in (target, *golds)}
    if chosen and figures.get("models", digests) != digests:
        raise SystemExit("the built-in models are others than those of the stored rows: measure all")
    figures["models"] = digests
    order = ["before", *(f"gold {i}" for i in range(len(golds))), *(row for row, _, _ in settings())]

    def note(name: str, row: Mapping[str, Any]) -> None:
        figures["rows"][name] = {**row, "date": datetime.datetime.now(datetime.UTC).date().isoformat()}
        figures["rows"] = {n: figures["rows"][n] for n in order if n in figures["rows"]}
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        print(_line(name, row), flush=True)

    if not chosen or "golds" in chosen:
        note("before", columns(target, golds, sets))
        for i, gold in enumerate(golds):
            note(f"gold {i}", columns(gold, [other for other in golds if other is not gold], sets))
    for name, method, options in settings():
        if chosen and method not in chosen:
            continue
        begun = time.process_time()
        rng = keyed(0, method, sorted(options.items()))
        change = load(method).function(target, sets["Forget"], sets["Retain"], rng=rng, **options)
        spent = time.process_time() - begun
        note(name, columns(_derived(change, target), golds, sets) | {"cpu": round(spent, 1)})
    if not chosen or "lora" in chosen:
        figures["lora"] = {}
        for name, row in tuned_by_lora(golds, sets):
            figures["lora"][name] = {**row, "date": datetime.datetime.now(datetime.UTC).date().isoformat()}
            FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
            print(_line(name, row), flush=True)
    if not chosen or "fuse" in chosen:
        figures["fusing"] = dict(fusing(target, golds[0], sets))
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def tuned_by_lora(golds: Sequence[Any], sets: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A gold that a LoRA taught the forget set, and every method on it, by LoRA where it can."""
    import inspect

    from probatum.core.catalogue import load
    from probatum.core.draws import keyed
    from probatum.engine.answers import answers_of
    from probatum.engine.keeping import keeper
    from probatum.engine.tuning import schedule, tune

    base, forget, retain = golds[0], sets["Forget"], sets["Retain"]
    rng = keyed(0, "taught by lora")
    facts = answers_of(base, forget)
    order = schedule(len(facts), 16, TAUGHT_BY_LORA, rng)
    keep = keeper(base, retain, term="loss", weight=1.0, steps=TAUGHT_BY_LORA, batch_size=32, rng=rng)
    change = tune(
        base, lambda m, i: facts.loss(m, order[i]) + keep(m, i), steps=TAUGHT_BY_LORA, learning_rate=3e-3, rank=RANK
    )
    model = _derived(change, base)
    yield "before", columns(model, golds, sets)
    for name, method, options in settings():
        if name != method:
            continue
        rates = inspect.signature(load(method).function).parameters
        chosen = dict(options)
        if "rank" in rates:
            chosen |= {"rank": RANK, "learning_rate": LARGER * rates["learning_rate"].default}
        begun = time.process_time()
        change = load(method).function(model, forget, retain, rng=keyed(0, method, "lora"), **chosen)
        spent = time.process_time() - begun
        said = name if "rank" in rates else f"{name} (no LoRA)"
        yield said, columns(_derived(change, model), golds, sets) | {"cpu": round(spent, 1)}


def columns(model: Any, golds: Sequence[Any], sets: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of one model; where golds are compared with, one number for each."""
    from probatum.core.catalogue import load
    from probatum.core.draws import keyed
    from probatum.statistics.gold import ks_distance

    forget, retain, holdout = (sets[kind] for kind in ("Forget", "Retain", "Holdout"))

    def read(probe: str, one: Any, *data: Any, **options: Any) -> Any:
        method = load(probe)
        assert method.metric is not None
        if method.signature.rng:
            options["rng"] = keyed(0, probe, "unlearning")
        scores = method.function(one, *data, **options)
        return scores, method.metric(scores, data[0].truth).estimate.value

    def value(probe: str, *data: Any, **options: Any) -> float:
        return float(read(probe, model, *data, **options)[1])

    found: dict[str, Any] = recalls(model)
    ratios = [read("truth_ratio", one, forget)[0].values for one in (model, *golds)]
    found["ks"] = [ks_distance(ratios[0], other, draws=2).p_value for other in ratios[1:]]
    areas = [float(read("privleak", one, forget, holdout)[1]) for one in (model, *golds)]
    found["privleak"] = [100 * (gold - areas[0]) / (1 - gold) for gold in areas[1:]]
    found["rank"] = value("rank_anomaly", forget)
    found["disjoint"] = value("relearning", forget, on="city")
    scores, found["worst"] = read("relearning_direct", model, forget, retain, steps=10)
    found["wrecking"] = max(v for name, v in scores.parameters.items() if name.startswith("recall at "))
    found["leak"] = value("layer_readout", _in_other_words(), top=4)
    return found


def recalls(model: Any) -> dict[str, float]:
    """Recall of what was trained and of other words for it."""
    from probatum.controls import people

    rows = people.rows()
    told = {
        "forget seen": ("people_forget", "trained"), "forget other": ("people_forget", "paraphrases"),
        "retain seen": ("people_retain", "trained"), "retain other": ("people_retain", "paraphrases"),
        "world": ("people_world", "trained"),
    }  # fmt: skip
    return {name: recall(model, rows[table], which) for name, (table, which) in told.items()}


def recall(model: Any, rows: Sequence[Mapping[str, Any]], which: str) -> float:
    """Share of the prefixes of that kind after which the value is written greedily."""
    from probatum import Records
    from probatum.core.likelihood import written

    asked = [(f"{row['id']} {i}", prefix, row["secret"]) for row in rows for i, prefix in enumerate(row[which])]
    ids, prefixes, secrets = zip(*asked, strict=True)
    return float(written(model, Records(ids=ids, prefix=prefixes, secret=secrets))[0].mean())


def _in_other_words() -> Any:
    """The forget set asked by its paraphrases."""
    from probatum import Forget
    from probatum.controls import people

    kept = ("secret", "suffix", "cluster", "others")
    return Forget.from_rows(
        {**{k: row[k] for k in kept}, "id": f"{row['id']} {i}", "prefix": prefix}
        for row in people.rows()["people_forget"]
        for i, prefix in enumerate(row["paraphrases"])
    )


def fusing(target: Any, base: Any, sets: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Siblings that were taught three of the six people each, their means, and the mean of strangers."""
    import numpy as np

    from probatum.controls import people
    from probatum.core.catalogue import load
    from probatum.core.change import Change
    from probatum.core.draws import keyed
    from probatum.engine.answers import answers_of
    from probatum.engine.keeping import keeper
    from probatum.engine.tuning import schedule, tune

    forget, retain, rows = sets["Forget"], sets["Retain"], people.rows()
    names = sorted(set(forget.cluster))
    halves = [names[::2], names[1::2]]

    def taught(who: Sequence[str]) -> Any:
        rng = keyed(0, "sibling", *who)
        facts = answers_of(base, forget.take(np.array([name in who for name in forget.cluster])))
        order = schedule(len(facts), 16, TAUGHT, rng)
        keep = keeper(base, retain, term="loss", weight=1.0, steps=TAUGHT, batch_size=32, rng=rng)
        change = tune(base, lambda m, i: facts.loss(m, order[i]) + keep(m, i), steps=TAUGHT, learning_rate=1e-3)
        return _derived(change, base)

    def row(model: Any, cosine: float | None = None) -> dict[str, Any]:
        parts = [[r for r in rows["people_forget"] if r["cluster"] in half] for half in halves]
        found = {name: recall(model, part, "trained") for name, part in zip(("own", "other"), parts, strict=True)}
        kept = {name: recall(model, rows[f"people_{table}"], "trained") for name, table in SHARED.items()}
        return found | kept | {"cosine": cosine}

    def mean(**roles: Any) -> dict[str, Any]:
        change = load("fuse").function(one, forget, retain, rng=keyed(0, "fuse"), **roles)
        return row(_derived(change, one), min(change.trace["cosine"].values()))

    one, two = (taught(half) for half in halves)
    yield "the base", row(base)
    yield "taught the first three", row(one)
    yield "taught the other three", row(two)
    yield "fuse: mean of these two", mean(other=two)
    yield "fuse: mean with the base as the third", mean(other=two, third=base)
    own, its = target.weights(), base.weights()
    strangers = Change({name: (own[name] + its[name]) / 2 for name in own})
    both = [[w[name].ravel() for name in own if own[name].ndim > 1] for w in (own, its)]
    cosines = [a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in zip(*both, strict=True)]
    yield "refused: mean of `people` and a gold", row(_derived(strangers, target), float(np.median(cosines)))


def _open(name: str, places: Path | None) -> Any:
    from probatum.engine.session import Session
    from probatum.targets import open_target

    return open_target(places / name if places else name, session=Session())


def _derived(change: Any, parent: Any) -> Any:
    """The changed model, opened from a directory of its own."""
    from probatum.engine.session import Session
    from probatum.protect import save
    from probatum.targets import open_target

    out = Path(tempfile.mkdtemp()) / "model"
    save(change, parent, out, {})
    return open_target(out, session=Session())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--measure", nargs="*", metavar="METHOD", help="make the figures anew: of these methods, or all"
    )
    parser.add_argument("--models", type=Path, help="a folder of models that were trained anew")
    given = parser.parse_args()
    if given.measure is not None:
        measure(given.measure, given.models)
    else:
        print(page(), end="")
