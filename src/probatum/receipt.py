"""The receipt of a repair: every measure before, after, and on golds, which never saw what was to be forgotten.

Single measures pass models that have collapsed, and models that merely hide what they know; no measure means anything
without knowing where gold lies, and how far golds lie from one another. So every line is read against the distribution
of golds, the whole only if what was to be kept is kept, and each part of the verdict is corrected for the number of
lines. MUSE (P136, arXiv 2407.06460) and TOFU (arXiv 2401.06121) have one gold and no spread.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from probatum.core.binding import missing, options_of
from probatum.core.catalogue import Method
from probatum.core.data import Facts, Forget
from probatum.core.errors import BadInput, ProbatumError
from probatum.core.finding import EstimateView
from probatum.core.likelihood import written
from probatum.core.receipt import ENOUGH, Receipt, ReceiptLine, judged, standard_error, verdict_of
from probatum.core.scores import Scores
from probatum.core.target import Target
from probatum.runner import Runner
from probatum.statistics.gold import Band, band, ks_distance
from probatum.statistics.tests import holm

#: The measure whose values per fact are compared as distributions: TOFU's forget quality.
DISTRIBUTION = "truth_ratio"

#: Share of the way from gold back to before that counts as a difference where the spread of golds is not known.
TENTH = 0.1

Methods = Sequence[tuple[Method, Mapping[str, Any]]]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Read:
    """One measure on one model."""

    view: EstimateView
    scores: Scores


def receipt(
    runner: Runner,
    methods: Methods,
    rules: Mapping[str, tuple[str, ...]],
    *,
    original: Target | None,
    golds: Sequence[Target],
    tell: Tell | None = None,
) -> Receipt:
    """Run the suite's measures on all models and compare.

    Parameters
    ----------
    runner
        Of the repaired model, whose findings are there; its ``data`` hold Forget and Retain, and better Holdout.
    rules
        ``gate``, ``cost`` and ``gold`` of the suite.
    original, golds
        The model before the repair; models trained without the forget set. Without golds the measures of forgetting
        are compared with the original's on facts that it was never taught (Holdout).

    Raises
    ------
    BadInput
        A gold has another tokenizer or architecture; neither golds nor Holdout are given.
    """
    say = tell or (lambda _: None)
    check(runner.subject, original, golds)
    never = _never_taught(runner) if not golds else None
    if not golds and never is None:
        raise BadInput("a receipt needs something to compare with: --with gold=MODEL, or --holdout FILE of facts")
    after = _found(runner, methods)
    before = _measured(runner, methods, original, say, "original") if original is not None else {}
    others = [_measured(runner, methods, gold, say, gold.name) for gold in golds]
    if never is not None:  # what not knowing looks like, on the model as it was
        others = [_measured(never, methods, original or runner.subject, say, "facts never taught")]
    lines = [
        _line(method, key, rules, before.get(key), after.get(key), [o[key] for o in others if key in o], bool(golds))
        for method, key in _keys(methods)
        if key in after or key in before
    ]
    lines += _distribution(before, after, others, _keys(methods)) if golds else []
    p = {i: line.p_value for i, line in enumerate(lines) if line.p_value is not None}
    adjusted = dict(zip(p, holm(list(p.values())).tolist(), strict=True)) if p else {}
    knows = _golds_that_know(runner, golds)
    return verdict_of(judged(lines, adjusted), len(golds), knows, original is not None)


def for_receipt(
    model: object,
    roles: Mapping[str, Any],
    golds: Sequence[Any],
    data: Mapping[str, Any],
) -> tuple[dict[str, Any], Sequence[Any], dict[str, Any]]:
    """Roles, golds and data of a receipt, completed: the invented people bring their own, and a model that
    ``probatum protect`` made tells in ``protection.json`` from which model and which files it was made.

    Raises `BadInput` where the forget or the retain set is missing.
    """
    roles, data = dict(roles), dict(data)
    if isinstance(model, str) and model.startswith("people") and not Path(model).exists():
        from probatum.controls.forgetting import UNTOUCHED, people_sets

        data = {**people_sets(), **data}
        roles.setdefault("original", UNTOUCHED)
        golds = golds or [f"people_gold{i}" for i in range(3) if f"people_gold{i}" != model]
        roles.setdefault("gold", golds[0])
    said = Path(str(model)) / "protection.json"
    if said.is_file():
        made = json.loads(said.read_text(encoding="utf-8")).get("files", {})
        for kind, name in (("Forget", "forget"), ("Retain", "retain"), ("Holdout", "holdout")):
            if kind not in data and made.get(name) and Path(made[name]).is_file():
                data[kind] = made[name]
        if made.get("model") and "original" not in roles:
            roles["original"] = made["model"]
    for kind in ("Forget", "Retain"):
        if kind not in data:
            raise BadInput(f"a receipt needs --{kind.lower()} FILE: the facts that were to be {_FATE[kind]}")
    return roles, golds, data


_FATE = {"Forget": "forgotten", "Retain": "kept"}


def check(subject: Target, original: Target | None, golds: Sequence[Target]) -> None:
    """Models that are compared fact by fact read the same tokens and have the same shape."""
    for role, other in [("original", original), *(("gold", gold) for gold in golds)]:
        if other is None:
            continue
        if other.tokenizer_digest != subject.tokenizer_digest:
            raise BadInput(
                f"{other.name} as {role} has another tokenizer than {subject.name}, so they cannot be compared"
            )
        own, its = (_shapes(t) for t in (subject, other))
        if own and its and own != its:
            name = next(n for n in sorted({*own, *its}) if own.get(n) != its.get(n))
            raise BadInput(
                f"{other.name} as {role} has another architecture than {subject.name} (they differ in {name}); a gold "
                "is the same model trained without the forget set"
            )


def _shapes(target: Target) -> dict[str, tuple[int, ...]]:
    try:
        weights = target.weights()
    except ProbatumError:
        return {}
    shapes = getattr(weights, "shapes", None)
    return dict(shapes) if shapes is not None else {name: weights[name].shape for name in weights}


def _keys(methods: Methods) -> list[tuple[Method, str]]:
    return [(method, _key(method, options)) for method, options in methods]


def _key(method: Method, options: Mapping[str, Any]) -> str:
    return f"{method.name} {sorted(options.items())}"


def _found(runner: Runner, methods: Methods) -> dict[str, Read]:
    """What the audit of the repaired model already measured."""
    out = {}
    for method, options in methods:
        finding = runner.start(method, options_of(method, options))
        if finding.id in runner.scores:
            from probatum.statistics.metrics import view

            scores, _, result = runner.scores[finding.id]
            out[_key(method, options)] = Read(view(result.estimate), scores)
    return out


def _measured(runner: Runner, methods: Methods, target: Target, say: Tell, who: str) -> dict[str, Read]:
    """The same measures on another model; what cannot be measured there is left out."""
    from probatum.statistics.metrics import TooFew, view

    out = {}
    for method, options in methods:
        say(f"{method.name} on {who}")
        chosen = options_of(method, options)
        if missing(method, target, runner.data, runner.roles):
            continue
        try:
            scores, truth = runner.execute(method, target, runner.data, runner.roles, chosen)
            assert method.metric is not None
            out[_key(method, options)] = Read(view(method.metric(scores, truth).estimate), scores)
        except (TooFew, ProbatumError):
            continue
    return out


def _never_taught(runner: Runner) -> Runner | None:
    """The same runner that takes the holdout for the forget set."""
    holdout = runner.data.get("Holdout")
    if not isinstance(holdout, Facts):
        return None
    columns = {f.name: getattr(holdout, f.name) for f in dataclasses.fields(holdout)}
    return dataclasses.replace(runner, data={**runner.data, "Forget": Forget(**columns)}, scores={})


def _line(
    method: Method,
    key: str,
    rules: Mapping[str, tuple[str, ...]],
    before: Read | None,
    after: Read | None,
    others: Sequence[Read],
    gold: bool,
) -> ReceiptLine:
    first = next(iter(method.signature.data.values()), "")
    part: Literal["gate", "kept", "forgotten"] = (
        "gate"
        if method.name in rules["gate"]
        else "forgotten"
        if first == "Forget" and method.name not in rules["cost"]
        else "kept"
    )
    if not gold and first != "Forget":
        others = [before] if before is not None else []  # without gold, the rest is to stay where it was
    better: Literal["high", "low", "gold"] = "gold" if method.name in rules["gold"] else method.better or "gold"
    views = tuple(o.view for o in others)
    line = ReceiptLine(
        method.name, dict(_options(key, method)), part, "", better, before.view if before else None,
        after.view if after else None, views, None, None, None, "not established",
    )  # fmt: skip
    if after is None or after.view.value is None:
        return dataclasses.replace(line, reason="not measured on the repaired model")
    line = dataclasses.replace(line, metric=after.view.metric)
    values = [v.value for v in views if v.value is not None]
    if not values:
        return dataclasses.replace(line, reason="not measured on any gold")
    found = band(
        after.view.value, standard_error(after.view), values, [standard_error(v) for v in views if v.value is not None]
    )
    if len(values) < ENOUGH and gold and before is not None and before.view.value is not None:
        found = _wider(found, before.view.value, after.view.value)
    return dataclasses.replace(line, low=found.low, high=found.high, p_value=found.p_value)


def _wider(found: Band, before: float, after: float) -> Band:
    """With too few golds to know their spread, less than a tenth of the way back to before is no difference."""
    half = max(found.high - found.center, TENTH * abs(before - found.center))
    p = found.p_value if abs(after - found.center) > half else 1.0
    return Band(found.center, found.center - half, found.center + half, p)


def _options(key: str, method: Method) -> Mapping[str, Any]:
    import ast

    return dict(ast.literal_eval(key.removeprefix(method.name).strip()))


def _distribution(
    before: Mapping[str, Read], after: Mapping[str, Read], others: Sequence[Mapping[str, Read]], keys: Sequence[Any]
) -> list[ReceiptLine]:
    """TOFU's forget quality against every gold: D between the truth ratios, below 0 where they lie beyond gold.

    Beside it stands D between golds. The ratios say on which side: low ones know the truth, high ones shun it.
    """
    key = next((k for m, k in keys if m.name == DISTRIBUTION), None)
    if key is None or key not in after or not any(key in o for o in others):
        return []
    ratios = [o[key].scores.values for o in others if key in o]
    center = float(np.median([np.nanmedian(r) for r in ratios]))

    def against(values: np.ndarray, golds: Sequence[np.ndarray]) -> tuple[EstimateView, float]:
        found = sorted(ks_distance(values, gold) for gold in golds)
        d, n = found[len(found) // 2], int(np.isfinite(values).sum())
        ends = (d.low, d.high) if np.nanmedian(values) <= center else (-d.high, -d.low)
        value = d.value if np.nanmedian(values) <= center else -d.value
        how = "centered bootstrap; below 0: beyond gold"
        view = EstimateView("KS D", value, *ends, 0.95, n, "confidence", how)
        return view, float(np.median([f.p_value for f in found]))

    own, p = against(after[key].scores.values, ratios)
    first = against(before[key].scores.values, ratios)[0] if key in before else None
    among = [against(g, ratios[:i] + ratios[i + 1 :])[0] for i, g in enumerate(ratios) if len(ratios) > 1]
    reason = f"forget quality: median p {p:.2g} over {len(ratios)} gold{'s' if len(ratios) > 1 else ''}"
    most = max((abs(v.value) for v in among if v.value is not None), default=0.0)
    return [
        ReceiptLine(
            "forget_quality", {}, "forgotten", "KS D", "gold", first, own, tuple(among), -most, most, p,
            "not established", reason,
        )
    ]  # fmt: skip


def _golds_that_know(runner: Runner, golds: Sequence[Target]) -> list[str]:
    """Golds that write more of the forget set than of facts that nobody was taught (Fisher, 1 %)."""
    from scipy.stats import fisher_exact

    forget, holdout = runner.data["Forget"], runner.data.get("Holdout")
    knowing = []
    for gold in golds:
        told, facts = _told(gold, forget)
        blank, blanks = _told(gold, holdout) if holdout is not None else (0, facts)
        if facts and blanks:
            table = [[told, facts - told], [blank, blanks - blank]]
            if float(fisher_exact(table, alternative="greater").pvalue) < 0.01 and told / facts > 0.25:
                knowing.append(gold.name)
    return knowing


def _told(model: Target, data: Any) -> tuple[int, int]:
    """How many of the facts that can be asked greedy decoding writes, and how many there are."""
    asked = data.take(data.askable)
    if not len(asked):
        return 0, 0
    told, _ = written(model, asked)
    return int(told.sum()), len(asked)
