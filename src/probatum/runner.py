"""One probe on one subject: bound, proved by its controls, run, and put beside the truth that it did not see."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from probatum.core.access import audience
from probatum.core.binding import bind, missing, options_of
from probatum.core.catalogue import Method
from probatum.core.control import Control, InSitu
from probatum.core.cost import Budget
from probatum.core.data import Choices, Data, Forms, Items, Members, digest_of
from probatum.core.decision import CONTROL_ALPHA, Proof
from probatum.core.draws import keyed
from probatum.core.errors import BadInput, ProbatumError, StoreError
from probatum.core.estimate import Estimate, Metric, Result, Truth
from probatum.core.finding import PREVALENCE, BlindView, ControlView, Curve, EstimateView, Finding, LimitView, Sample
from probatum.core.masking import alias, mask
from probatum.core.plain import from_plain, to_plain
from probatum.core.scores import Scores
from probatum.core.target import Target
from probatum.core.version import __version__
from probatum.engine.session import Session
from probatum.sets.finding import Found
from probatum.targets import open_target

#: Records that a row-wise probe gets at once.
ROWS = 4096


@dataclass(frozen=True)
class Pending:
    """A finding before the correction for multiplicity, with what the decision needs."""

    method: Method
    finding: Finding
    result: Result | None = None
    proof: Proof = field(default_factory=Proof)


@dataclass
class Runner:
    """One audit under way: the subject, what it is asked, and what has been found so far."""

    subject: Target
    data: Mapping[str, Data]
    roles: Mapping[str, Target]
    session: Session
    seed: int = 0
    reveal: bool = False
    mask_key: bytes = b""
    debug: bool = False
    #: Scores of every finding, for paired comparisons later: finding id → (scores, truth, result).
    scores: dict[str, tuple[Scores, Truth, Result]] = field(default_factory=dict)
    #: What users could mend and what ended a probe: `audit` raises it where no probe got further.
    faults: list[BadInput] = field(default_factory=list)
    #: Controls planted in a copy of the subject, for the methods that these serve; the built-in ones serve the rest.
    #: A reason in place of controls: they were asked for, and cannot be had.
    in_situ: Callable[[Method], InSitu | str | None] | None = None
    #: The items of a set, by its name; None where no task is among the probes.
    find_items: Callable[[str], Found] | None = None
    #: Whether HELM's further metrics are computed for every task, at the price of asking its items in other forms.
    facets: bool = False
    #: Set of items → what was found for it, in the order in which tasks asked.
    found: dict[str, Found] = field(default_factory=dict)
    _blind: dict[str, Any] = field(default_factory=dict)

    def run(self, method: Method, options: Mapping[str, Any]) -> Pending:
        """One probe. What the user can mend, and what an endpoint or a budget refuses, becomes a reason."""
        if method.items and "Items" not in self.data:
            try:
                return dataclasses.replace(self, data={**self.data, "Items": self._items(method.items)}).run(
                    method, options
                )
            except BadInput as error:
                self.faults.append(error)
                return Pending(method, self.start(method, options_of(method, options), reason=str(error)))
        started = time.perf_counter()
        chosen = options_of(method, options)
        finding = self.start(method, chosen)
        reason = missing(method, self.subject, self.data, self.roles)
        if reason:
            return Pending(method, dataclasses.replace(finding, reason=reason))
        try:
            proof = self.prove(method, chosen)
            scores, truth = self.execute(method, self.subject, self.data, self.roles, chosen)
        except StoreError:
            raise
        except ProbatumError as error:
            if self.debug:
                raise
            if isinstance(error, BadInput):
                self.faults.append(error)
            return Pending(method, _timed(finding, started, reason=str(error)))
        from probatum.statistics.metrics import TooFew

        scores = self._with_failures(method, scores)
        try:
            result = _metric(method)(scores, truth)
        except TooFew as error:
            reason = "; ".join(filter(None, (f"{error}{_most_unscored(scores)}", scores.note)))
            return Pending(
                method, _timed(finding, started, outcome="inconclusive", reason=reason, unscored=_count(scores))
            )
        self.scores[finding.id] = (scores, truth, result)
        finding = self._fill(finding, method, chosen, scores, truth, result, proof)
        return Pending(method, _timed(finding, started), result, proof)

    def _items(self, name: str) -> Items:
        """The items of a task, found once for all tasks that ask them."""
        from probatum.sets.finding import items_of

        if name not in self.found:
            self.found[name] = (self.find_items or items_of)(name)
        return self.found[name].items

    def _origin(self, method: Method) -> str:
        if method.items in self.found:
            return self.found[method.items].origin
        given = self.data.get("Items")
        return f"{len(given)} items of {given.name or 'the user'}" if method.items and given is not None else ""

    def execute(
        self,
        method: Method,
        target: Target,
        data: Mapping[str, Data],
        roles: Mapping[str, Target],
        options: Mapping[str, Any],
    ) -> tuple[Scores, Truth]:
        """Run the function; what comes back is put beside the truth that it did not see."""
        arguments = bind(method, data, roles, options, self.seed)
        parameter, kind = next(iter(method.signature.data.items()), ("", ""))
        parts = []
        for records in _parts(arguments.get(parameter)) if method.rowwise else (arguments.get(parameter),):
            if parameter:
                arguments[parameter] = records
            if method.signature.rng:
                arguments["rng"] = keyed(self.seed, method.name, sorted(options.items()))
            parts.append(method.function(target, **arguments))
            if not isinstance(parts[-1], Scores):
                raise TypeError(f"{method.name} returned {type(parts[-1]).__name__}, expected Scores")
        scores = parts[0] if len(parts) == 1 else Scores.joined(parts)
        return scores, dataclasses.replace(_align(data.get(kind), scores), seed=self.seed)

    def _with_failures(self, method: Method, scores: Scores) -> Scores:
        """The same scores, where a record that a target could not answer is unscored for the target's reason."""
        failures: dict[str, str] = {}
        for target in (self.subject, *self.roles.values()):
            failures |= getattr(target, "failures", {})
        first = next(iter(method.signature.data.values()), None)
        if not failures or first is None or first not in self.data:
            return scores
        data = self.data[first]
        texts = {name: getattr(data, data.COLUMNS[0])[i] for i, name in enumerate(data.ids)}
        reasons = dict(scores.unscored)
        for name in reasons:  # what failed is the record's text, or begins with it
            why = failures.get(texts.get(name, ""))
            why = why or next((w for t, w in failures.items() if name in texts and t.startswith(texts[name])), None)
            reasons[name] = why or reasons[name]
        return dataclasses.replace(scores, unscored=reasons)

    def prove(self, method: Method, options: Mapping[str, Any]) -> Proof:
        """The controls of a probe, through the same class of target; cached by everything that could change them."""
        from probatum.controls.choice import controls_for
        from probatum.statistics.proof import Run, prove

        store = self.session.store
        through = self.subject if self.subject.kind == "endpoint" else None
        planted = self.in_situ(method) if self.in_situ is not None else None
        if isinstance(planted, str):
            proof = dataclasses.replace(self, in_situ=None).prove(method, options)
            if proof.limit is None:
                return proof
            nothing = LimitView(None, None, None, proof.limit.unit, "this model", "not established", (), planted)
            return dataclasses.replace(proof, limit=nothing)
        key = digest_of(
            "proof", sources_digest(method), method.name, repr(sorted(options.items())), str(self.seed),
            repr(sorted(versions().items())), self.session.dtype,
            *((through.kind, str(through.access)) if through else ()),
            *(control.digest for control in (planted.controls if planted else ())),
            *(f"{role}={self.roles[role].digest if role in self.roles else None}" for role in _optional(method)),
        )  # fmt: skip
        known = store.note(key) if store is not None else None
        if known is not None:
            return from_plain(Proof, json.loads(known))  # type: ignore[no-any-return]
        opened = self._opener(through)
        runs = []
        where = planted.where if planted else ""
        for control in planted.controls if planted else controls_for(method, opened):
            roles = {name: opened(role) if isinstance(role, str) else role for name, role in control.roles.items()}
            roles.setdefault("ancestor", roles.get("reference", next(iter(roles.values()), None)))  # type: ignore[arg-type]
            # What the subject goes without, its controls go without; what only the user has, they have too.
            for role in _optional(method):
                if role not in self.roles:
                    roles.pop(role, None)
                elif method.control is None:  # cases of a probe's own bring all that they need
                    roles.setdefault(role, self.roles[role])
            target = opened(control.target) if isinstance(control.target, str) else control.target
            runs.append(Run(control, *self.execute(method, target, control.data, roles, options)))
        proof = prove(
            runs,
            _metric(method),
            where=where
            or (_where(runs[0].control, opened) if runs and not method.measure else ""),  # no limit, no place
            seed=self.seed,
            measure=method.measure,
        )
        if store is not None:
            store.put_note(key, json.dumps(to_plain(proof), allow_nan=False))
        return proof

    def _opener(self, through: Target | None) -> Callable[[str], Target]:
        """Opens built-in models for controls: not on the subject's budget, and as an endpoint if the subject is one."""
        session = dataclasses.replace(self.session, budget=Budget())
        opened: dict[str, Target] = {}

        def open_model(name: str) -> Target:
            if name not in opened:
                target = open_target(name, session=session)
                if through is not None:
                    from probatum.controls.served import like

                    target = like(through, target)  # type: ignore[arg-type]
                opened[name] = target
            return opened[name]

        return open_model

    def start(self, method: Method, options: Mapping[str, Any], *, reason: str = "") -> Finding:
        """The finding as it stands before the probe ran."""
        options = options_of(method, options)
        data = {p: self.data[k].digest for p, k in method.signature.data.items() if k in self.data}
        roles = {r: self.roles[r].name for r in method.signature.roles if r in self.roles}
        digests = [self.roles[r].digest for r in sorted(roles)]
        identity = digest_of(
            self.subject.digest, method.name, repr(sorted(options.items())), repr(sorted(data.items())),
            *digests, str(self.seed), __version__,
        )  # fmt: skip
        return Finding(
            id=identity[:12],
            probe=method.name,
            dimension=method.dimension,  # type: ignore[arg-type]
            question=method.question,
            paper=method.paper,
            access=tuple(a.name or "" for a in method.needs),
            outcome="not run",
            reason=reason,
            options=dict(options),
            roles=roles,
            better=method.better,
            beside=method.beside,
            items=self._origin(method),
            data={p: d[:12] for p, d in data.items()},
            audience=audience(method.needs, method.signature.data.values()),
            seed=self.seed,
        )

    def _fill(
        self,
        finding: Finding,
        method: Method,
        options: Mapping[str, Any],
        scores: Scores,
        truth: Truth,
        result: Result,
        proof: Proof,
    ) -> Finding:
        from probatum.statistics.metrics import view

        first = next(iter(method.signature.data.values()), None)
        data = self.data.get(first) if first else None
        curves = list(result.curves)
        blind = None
        if isinstance(data, Members) and data.label is not None:
            blind, curve = self._blind_baseline(data, scores, truth, result)
            curves += [curve] if curve is not None else []
        return dataclasses.replace(
            finding,
            direction=result.direction,
            estimate=view(result.estimate),
            breakdown={
                name: view(e)
                for name, e in (
                    *result.breakdown.items(),
                    *_prevalence(method, result, proof),
                    *self._facets(method, options, scores, truth),
                )
            }
            | self._seen_before(method),
            p_value=result.p_value,
            p_value_kind=result.p_value_kind,
            controls=(*proof.controls, *self._responders(method, data, options)),
            detection_limit=proof.limit,
            blind_baseline=blind,
            samples=self._samples(data, scores, method),
            answers=_kinds(scores),
            released=_released(scores),
            resolution=_resolution(result) if method.measure else None,
            curves=tuple(curves),
            reason="; ".join(filter(None, (scores.note, result.note))),
            unscored=_count(scores),
            severity=result.severity,
        )

    def _responders(self, method: Method, data: Data | None, options: Mapping[str, Any]) -> tuple[ControlView, ...]:
        """What those who know nothing reach on the same questions. (Of forms, only facts that are known count.)"""
        from probatum.controls.choice import allowed
        from probatum.controls.responders import ORACLE, RESPONDERS, Answerer, answerers
        from probatum.statistics.metrics import TooFew, view

        who: Sequence[Target] = ()
        if isinstance(data, Choices) and not isinstance(data, Forms):
            who = RESPONDERS
        elif isinstance(data, Items) and method.items:
            who = [*answerers(data), *self._references(method)]
        views = []
        for responder in who:
            scores, truth = self.execute(method, responder, self.data, self.roles, options)
            try:
                result = _metric(method)(scores, truth)
            except TooFew:
                continue
            passed: bool | None = result.p_value is None or result.p_value > CONTROL_ALPHA
            kind: Literal["oracle", "null responder", "reference"] = "null responder"
            if not isinstance(responder, Answerer) and method.items:
                kind, passed = "reference", None
            elif responder.name == ORACLE:
                kind, (low, high) = "oracle", allowed(method.nulls[ORACLE], ORACLE, len(scores))
                passed = bool(low <= result.estimate.value <= high)
            views.append(ControlView(kind, responder.name, None, None, view(result.estimate), result.p_value, passed))
        return tuple(views)

    def _facets(
        self, method: Method, options: Mapping[str, Any], scores: Scores, truth: Truth
    ) -> Sequence[tuple[str, Estimate]]:
        if not (self.facets and method.items):
            return ()
        from probatum.facets import facets

        return list(facets(self, method, options, scores, truth).items())

    def _seen_before(self, method: Method) -> dict[str, EstimateView]:
        if not method.items:
            return {}
        from probatum.contamination import contamination

        return contamination(self, method)

    def _references(self, method: Method) -> list[Target]:
        """The model that a task's score is shown beside, where the user named one that can answer."""
        reference = self.roles.get("reference")
        return [reference] if reference is not None and method.needs in reference.access else []

    def _blind_baseline(
        self, data: Members, scores: Scores, truth: Truth, result: Result
    ) -> tuple[BlindView | None, Any]:
        """The best classifier that sees only the texts, once per data set, and what the probe does beyond it."""
        from probatum.statistics import roc
        from probatum.statistics.blind import blind_baseline

        label = np.array(data.label)
        if min(label.sum(), (~label).sum()) < 10:
            return None, None
        if data.digest not in self._blind:
            clusters = data.truth.cluster
            self._blind[data.digest] = blind_baseline(data.texts, label, data.ids, seed=self.seed, clusters=clusters)
        blind = self._blind[data.digest]
        place = {name: i for i, name in enumerate(data.ids)}
        index = np.array([place[name] for name in scores.ids])
        keep = scores.scored
        own, other, member = scores.values[keep], blind.scores[index][keep], label[index][keep]
        if result.direction == "reversed":  # what counts is how far below chance it lies
            own = -own
        units = None if truth.cluster is None else (truth.cluster[keep][member], truth.cluster[keep][~member])
        paired = roc.paired_delong(own[member], own[~member], other[member], other[~member], clusters=units)
        fpr, tpr, _ = roc.roc_curve(other[member], other[~member])
        step = max(1, len(fpr) // 60)
        curve = Curve("blind", tuple(fpr[::step].tolist()), tuple(tpr[::step].tolist()))
        a = blind.auc
        estimate = EstimateView("AUROC", a.value, a.low, a.high, a.level, a.n, "confidence", a.method)
        shown = BlindView(blind.name, estimate, blind.p_value, paired.difference, paired.low, paired.high)
        return shown, curve

    def _samples(self, data: Data | None, scores: Scores, method: Method, n: int = 5) -> tuple[Sample, ...]:
        """The records with the highest scores, or of a measure of which high is good the lowest: the worst items."""
        ranked = scores.values if method.better == "high" else -scores.values
        order = [i for i in np.argsort(ranked, kind="stable") if scores.scored[i]][:n]
        place = {name: i for i, name in enumerate(data.ids)} if data is not None else {}
        samples = []
        for i in order:
            name = scores.ids[i]
            text = data.show(place[name]) if data is not None and name in place else name
            if scores.said is not None:
                text = f"{text[:240]} → {(scores.said[i] or 'no answer')[:160]}"
            hide = data is not None and (data.PRIVATE or getattr(data, "harmful", False)) and not self.reveal
            samples.append(
                Sample(
                    alias(name, self.mask_key) if hide else name,
                    float(scores.values[i]),
                    mask(text, self.mask_key) if hide else text[:400],
                    hide,
                )
            )
        return tuple(samples)


def _parts(records: Data | None) -> Iterator[Data | None]:
    """Many records in parts of `ROWS`: a probe that looks at one at a time needs no more memory for more of them."""
    if records is None or len(records) <= ROWS:
        yield records
        return
    for start in range(0, len(records), ROWS):
        yield records.take(np.arange(start, min(start + ROWS, len(records))))


def _optional(method: Method) -> list[str]:
    """Roles that a probe can do without."""
    return [role for role in method.signature.roles if role in method.signature.optional]


def _metric(method: Method) -> Metric:
    if method.metric is None:
        raise TypeError(f"{method.name} is not a probe: it has no metric")
    return method.metric


def _align(data: Data | None, scores: Scores) -> Truth:
    """The truth of every score, found by record id, or by cluster where a probe scores whole clusters."""
    if data is None:
        return Truth()
    place = {name: i for i, name in enumerate(data.ids)}
    if scores.ids and scores.ids[0] not in place and data.cluster is not None:
        place = {name: i for i, name in reversed(list(enumerate(data.cluster)))}
        return dataclasses.replace(data.truth.take(np.array([place[name] for name in scores.ids])), cluster=None)
    return data.truth.take(np.array([place[name] for name in scores.ids], dtype=int))


def _prevalence(method: Method, result: Result, proof: Proof) -> list[tuple[str, Estimate]]:
    """Of a share of records: how many may leak at the detection limit or above it and have been missed, at 95 %.

    The upper bound of the share found, over the lower bound of the probe's sensitivity at the first planted dose that
    is no lower than its limit (both one-sided).
    """
    from probatum.statistics.intervals import clopper_pearson
    from probatum.statistics.metrics import hit_rate

    limit = proof.limit
    if method.metric is not hit_rate or limit is None or limit.status not in ("established", "below lowest dose"):
        return []
    rate = next((r for r in limit.rates if r.dose >= (limit.value or 0)), None)
    n, share = result.estimate.n, result.estimate.value
    if rate is None or not n or np.isnan(share):
        return []
    sensitivity = clopper_pearson(rate.detected, rate.n, level=0.9).low
    upper = clopper_pearson(round(share * n), n, level=0.9).high
    bound = min(1.0, upper / sensitivity) if sensitivity > 0 else 1.0
    method_ = (
        f"{upper:.2g} (Clopper-Pearson) over the sensitivity at {rate.dose:g} {limit.unit}, at least {sensitivity:.2g}"
    )
    return [(PREVALENCE, Estimate("share of records", bound, None, bound, n, method_, kind="bound"))]


def _resolution(result: Result) -> float | None:
    """The smallest difference between two such measurements that 80 % power at 5 % resolves: 2.8 · √2 standard errors.

    The standard error is read off the interval, half its width over 1.96.
    """
    e = result.estimate
    return None if e.low is None or e.high is None else float(2.8 * np.sqrt(2) * (e.high - e.low) / (2 * 1.96))


def _kinds(scores: Scores) -> dict[str, int]:
    """How many answers were of each kind; every kind is named, none is dropped."""
    from probatum.scorers.grading import KINDS

    return {} if scores.kinds is None else {kind: scores.kinds.count(kind) for kind in KINDS}


def _released(scores: Scores) -> EstimateView | None:
    r = scores.released
    if r is None:
        return None
    n = int(scores.scored.sum())
    return EstimateView(r.name, r.value, r.low, r.high, 0.95, n, "confidence", "percentile bootstrap over items")


def _count(scores: Scores) -> dict[str, int]:
    return dict(sorted(Counter(scores.unscored.values()).items()))


def _most_unscored(scores: Scores) -> str:
    """``; 207 unscored (no answer)``, or nothing."""
    common = Counter(scores.unscored.values()).most_common(1)
    return f"; {len(scores.unscored)} unscored ({common[0][0]})" if common else ""


def _timed(finding: Finding, started: float, **changes: Any) -> Finding:
    return dataclasses.replace(finding, seconds=round(time.perf_counter() - started, 3), **changes)


def _where(control: Control, open_model: Callable[[str], Target]) -> str:
    """The model on which a limit was measured, in words that keep it from being read as the subject's."""
    target = open_model("specimen")
    size = f"{(target.parameter_count or 0) / 1e6:.2f} M parameters"
    through = ", through the same kind of endpoint" if target.kind == "endpoint" else ""
    mixed = "" if isinstance(control.target, str) else "mixtures of "
    return f"{mixed}the specimen ({size}{through})"


@functools.cache
def versions() -> dict[str, str]:
    """What a number may depend on: Probatum, Python, and the libraries that compute it. Imports none of them."""
    names = ("numpy", "scipy", "scikit-learn", "torch", "transformers", "tokenizers", "safetensors")
    return {
        "probatum": __version__,
        "python": platform.python_version(),
        **{n: importlib.metadata.version(n) for n in names},
    }


@functools.cache
def _sources(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".py", ".toml") or file.name == "manifest.json":
            digest.update(f"{file.relative_to(folder).as_posix()}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def sources_digest(method: Method) -> str:
    """Of everything that computes this method's controls: all of Probatum, and the file of a method from outside."""
    own = importlib.util.find_spec(method.function.__module__)
    outside = Path(own.origin).read_bytes() if own is not None and own.origin else b""
    return digest_of(_sources(Path(__file__).parent), outside)
