"""The tuning of a copy in which controls are planted: what it is shown, for how long, and whether it has learned it."""

from __future__ import annotations

import dataclasses
import gc
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from probatum.controls.doses import PLANS, Plan, planted
from probatum.core.data import Data, Members, Records, Texts
from probatum.core.draws import keyed
from probatum.core.errors import BadInput, NotOffered
from probatum.core.target import Target
from probatum.engine.batches import common_start
from probatum.engine.session import Progress

BATCH = 8  # texts a step
ROUNDS = 8  # how often the whole schedule is repeated at most
BACKGROUND = 2  # one text of the background for so many exposures of planted texts
_POOL = 4096  # texts of the background at most
SEEN = 0.8  # share of the highest dose that must be told from blanks before the tuning may end
_RESERVE = 0.8  # of the time is planned for; the rest is for saving, and for what was misjudged

How = Literal["all weights", "LoRA"]


def background(records: Mapping[str, Data]) -> list[str]:
    """Texts amid which the planted ones are shown: the members, on which the model was tuned, else ordinary texts."""
    members, texts = records.get("Members"), records.get("Texts")
    found: list[str] = []
    if isinstance(members, Members) and members.label is not None:
        found = [text for text, inside in zip(members.texts, members.label, strict=True) if inside]
    if not found and isinstance(texts, Texts):
        found = list(texts.texts)
    return found


class Tuning:
    """One tuning of one copy: what it is shown, for how long, and whether it has learned it."""

    def __init__(
        self,
        subject: Target,
        records: Mapping[str, Data],
        seed: int,
        deadline: float,
        seconds: float,
        progress: Progress,
    ):
        self.subject, self.records, self.seed = subject, records, seed
        self.deadline, self.seconds, self.progress = deadline, seconds, progress
        texts = background(records)
        some = keyed(seed, "background").permutation(len(texts))[:_POOL]
        self.background = [row for row in subject.sequences([texts[i] for i in some]) if len(row) > 1]

    def run(self, how: How | None, keep: Callable[[Any, dict[str, Any]], None]) -> dict[str, Any]:
        """Tune as well as time and memory allow, hand the copy to ``keep``, and say what was done."""
        ways: Sequence[How] = (how,) if how else ("all weights", "LoRA")
        reasons: list[Exception] = []
        for way in ways:
            try:
                return self._tuned(way, keep)
            except (NotOffered, BadInput) as error:
                reasons.append(error)
            gc.collect()
        # Too little time for all weights is too little for LoRA; too little memory for all weights may do for LoRA.
        raise reasons[0] if isinstance(reasons[0], BadInput) else reasons[-1]

    def _tuned(self, how: How, keep: Callable[[Any, dict[str, Any]], None]) -> dict[str, Any]:
        from probatum.engine import lora, tuning

        size = self.subject.parameter_count or 0
        need = size * (tuning.ADAMW_BYTES if how == "all weights" else 4)
        free = tuning.free_bytes(str(getattr(self.subject, "device", "cpu")))
        if need > free:
            raise NotOffered(f"tuning {how} needs {need / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free")
        rate = learning_rate(size, how)
        with self.subject.module() as model:
            model = model.float() if how == "all weights" else lora.adapted(model, seed=self.seed)
            plan, lots, speed = self._fitting(model)
            began = time.monotonic()
            rounds, unlearned = self._rounds(tuning.stepper(model, learning_rate=rate), model, lots, speed)
            said = {
                "how": how, "learning_rate": rate, "plan": dataclasses.asdict(plan), "rounds": rounds,
                "unlearned": unlearned, "budget": self.seconds, "seconds": round(time.monotonic() - began, 1),
                "complete": not unlearned and plan == PLANS[0],
            }  # fmt: skip
            keep(model if how == "all weights" else lora.merged(model), said)
        return said

    def _fitting(self, model: Any) -> tuple[Plan, list[_Lot], float]:
        """The richest plan of which one round fits into the time that is left, and seconds per padded token."""
        from probatum.engine import tuning

        speed, need = 0.0, 0.0
        for plan in PLANS:
            lots = [_Lot(kind, data, self.subject) for kind, data in planted(self.records, plan, self.seed).items()]
            batches = self._round(lots, 0)
            if not speed:  # the first step warms up; a rate of 0 changes nothing
                step = tuning.stepper(model, learning_rate=0.0)
                for batch in batches[:3]:
                    begin = time.monotonic()
                    step(batch)
                    speed = (time.monotonic() - begin) / _padded_tokens([batch])
                    if time.monotonic() > self.deadline:
                        break
            need = speed * _padded_tokens(batches)
            if need <= _RESERVE * (self.deadline - time.monotonic()):
                return plan, lots, speed
        raise BadInput(
            f"planting takes about {need + 1:.0f} s at the least on this machine, and the budget of {self.seconds:g} s "
            f"does not leave so much; give --budget {2 * need + 10:.0f}s or more"
        )

    def _rounds(
        self, step: Callable[[Sequence[np.ndarray]], float], model: Any, lots: Sequence[_Lot], speed: float
    ) -> tuple[dict[str, int], list[str]]:
        """Show every text as often as its dose, again and again until the highest dose is learned or time is up."""
        rounds = {lot.kind: 0 for lot in lots}
        left = list(lots)
        for number in range(ROUNDS):
            batches = self._round(left, number)
            if number and speed * _padded_tokens(batches) > _RESERVE * (self.deadline - time.monotonic()):
                break
            begin = time.monotonic()
            for done, batch in enumerate(batches, 1):
                step(batch)
                self.progress(f"planting, round {number + 1}", done, len(batches))
            speed = (time.monotonic() - begin) / _padded_tokens(batches)
            for lot in left:
                rounds[lot.kind] += 1
            left = [lot for lot in left if not lot.learned(model)]
            if not left:
                break
        return rounds, [lot.kind for lot in left]

    def _round(self, lots: Sequence[_Lot], number: int) -> list[list[np.ndarray]]:
        """Batches of one round: every text as often as its dose, and the background, in random order."""
        rng = keyed(self.seed, "planting", number, self.subject.digest)
        shown: dict[str, tuple[list[np.ndarray], int]] = {}
        for lot in lots:  # a text that is member and canary at once is one text
            shown.update(
                {text: (row, int(dose)) for text, row, dose in zip(lot.texts, lot.rows, lot.dose, strict=True)}
            )
        rows = [piece for row, dose in shown.values() for _ in range(dose) for piece in row]
        rest = list(self.background)
        wanted = len(rows) // BACKGROUND if rest else 0
        for begin in range(0, wanted, max(len(rest), 1)):
            some = rng.permutation(len(rest))[: min(wanted - begin, len(rest))]
            rows += [rest[i] for i in some]
        rows = [rows[i] for i in rng.permutation(len(rows))]
        return [rows[i : i + BATCH] for i in range(0, len(rows), BATCH)]


class _Lot:
    """The planted records of one kind, as the model reads them; of what is longer than its context, every piece."""

    def __init__(self, kind: str, data: Data, subject: Target):
        self.kind, self.data = kind, data
        self.dose = np.array(data.dose)
        context = int(getattr(subject, "context", 0)) or 2048
        if isinstance(data, Records):
            ends = data.suffix or (None,) * len(data)
            bare = [p + s for p, s in zip(data.prefix, data.secret, strict=True)]
            self.texts = [text + (end or "") for text, end in zip(bare, ends, strict=True)]
            whole, before = _read(subject, bare), _read(subject, data.prefix)
            self.tails = [len(row) - common_start([row, part]) for row, part in zip(whole, before, strict=True)]
            self.asked = [row[-context:] for row in whole]  # a secret is never cut, what is long before it may be
            self.rows = [[row[-context:]] for row in _read(subject, self.texts)]
        else:
            assert isinstance(data, Members)
            self.texts = list(data.texts)
            self.rows = [_cut(row, context) for row in _read(subject, self.texts)]

    def learned(self, model: Any) -> bool:
        """Whether most of the highest dose is told from the blanks by its loss, or is written word for word."""
        from probatum.engine.tuning import read_back

        top = np.flatnonzero(self.dose == self.dose.max())
        if isinstance(self.data, Records):
            answers = read_back(model, [self.asked[i] for i in top])
            written = [bool(hits[-self.tails[i] :].all()) for i, (_, hits) in zip(top, answers, strict=True)]
            return float(np.mean(written)) >= SEEN
        blank = np.flatnonzero(self.dose == 0)
        own, other = (self._mean_logprob(model, part) for part in (top, blank))
        return float((own > np.quantile(other, 0.95)).mean()) >= SEEN

    def _mean_logprob(self, model: Any, which: np.ndarray) -> np.ndarray:
        from probatum.engine.tuning import read_back

        answers = read_back(model, [piece for i in which for piece in self.rows[i]])
        text = np.repeat(np.arange(len(which)), [len(self.rows[i]) for i in which])
        tokens = np.bincount(text, [len(logprob) for logprob, _ in answers])
        total: np.ndarray = np.bincount(text, [float(logprob.sum()) for logprob, _ in answers])
        return total / np.maximum(tokens, 1)


def _read(subject: Target, texts: Sequence[str]) -> list[np.ndarray]:
    """Token ids of every whole text with what is put before it."""
    heads, scored = subject.sequences(texts), subject.encode(texts)
    return [np.concatenate([head[:1], row]).astype(np.int32) for head, row in zip(heads, scored, strict=True)]


def _cut(row: np.ndarray, context: int) -> list[np.ndarray]:
    """Pieces of at most ``context`` tokens, in which every token but the very first is predicted once."""
    return [row[i : i + context] for i in range(0, max(len(row) - 1, 1), context - 1)]


def _padded_tokens(batches: Sequence[Sequence[np.ndarray]]) -> int:
    return sum(len(batch) * max(map(len, batch)) for batch in batches)


def learning_rate(parameters: int, how: str) -> float:
    """1e-3 up to a million parameters, falling with the root of the size to 2e-5; LoRA ten times that, 2e-4 to 1e-2.

    At 124 M this is 9e-5 and 9e-4, at 7 B 2e-5 and 2e-4: what such models are commonly tuned with.
    """
    full = float(np.clip(1e-3 * (1e6 / max(parameters, 1)) ** 0.5, 2e-5, 1e-3))
    return full if how == "all weights" else float(np.clip(10 * full, 2e-4, 1e-2))
