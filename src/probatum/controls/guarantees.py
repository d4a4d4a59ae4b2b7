"""Controls for audits of a privacy guarantee: mechanisms whose epsilon is known, so a measure must come out near it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from probatum.controls.cases import Mixed
from probatum.core.access import Access
from probatum.core.control import Control
from probatum.core.data import Canaries, Certificate, Directions, TrainingLog, digest_of
from probatum.core.draws import keyed
from probatum.core.ragged import Ragged
from probatum.core.target import RECORD, Opener, Target, TokenStatistics

DELTA = 1e-5
#: Canaries of a simulated mechanism: the standard error of its log odds is .08 at an epsilon of 2.
CANARIES = 2000
#: Directions and dimensions: as many of each as cost a second, and few enough of the first not to hide one another.
DIRECTIONS, DIMENSIONS = 400, 40_000


class Told(Target):
    """A model that is only a table: one token for every text, with a log-probability that was drawn for it."""

    kind = "simulated mechanism"
    access = Access.LOGPROBS

    def __init__(self, name: str, logprob: Mapping[str, float]):
        self.name = name
        self._logprob = logprob
        self.digest = digest_of(name, *(f"{text}={value!r}" for text, value in sorted(logprob.items())))

    def token_statistics(self, texts: Sequence[str], *, prefixes: Sequence[str] | None = None) -> TokenStatistics:
        """See `Target.token_statistics`; a text that is not in the table has no token."""
        records = [np.zeros(int(text in self._logprob), RECORD) for text in texts]
        for record, text in zip(records, texts, strict=True):
            record["logprob"], record["end"] = self._logprob.get(text, 0.0), len(text)
        return TokenStatistics.of(records, ("id", "logprob", "end"), self.name)

    def encode(self, texts: Sequence[str]) -> Ragged:
        """See `Target.encode`."""
        return self.token_statistics(texts).id


def randomized_response(_: Opener) -> list[Control]:
    """Each canary tells its coin with chance e^ε / (e^ε + 1), and the other side else: ε = 2, and ε = 0."""
    return [
        _response("positive", 2.0, (1.7, 2.5)),
        _response("negative", 0.0, (0.0, 0.4)),
    ]


def _response(kind: str, epsilon: float, expected: tuple[float, float]) -> Control:
    rng = keyed("randomized response", epsilon)
    inside = rng.random(CANARIES) < 0.5
    tells = rng.random(CANARIES) < 1 / (1 + np.exp(-epsilon))
    texts = [f"canary {i}" for i in range(CANARIES)]
    rows = [{"id": text, "text": text, "member": bool(m)} for text, m in zip(texts, inside, strict=True)]
    said = {t: -1.0 if m == tell else -2.0 for t, m, tell in zip(texts, inside, tells, strict=True)}
    name = f"randomized response, epsilon {epsilon:g}"
    data = {"Canaries": Canaries.from_rows(rows, name)}
    return Control(name, kind, Told(name, said), data, {}, epsilon, "epsilon", expected)  # type: ignore[arg-type]


def directions(_: Opener) -> list[Control]:
    """The sum of directions and Gaussian noise, of which ε is known in closed form (9.08 at δ = 1e-5), and noise alone.

    The ranges hold for δ between 1e-8 and 1e-2, and leave room for the spread of so few cosines.
    """
    return [
        _update("positive", 0.541, True, (5.0, 16.0)),
        _update("negative", 0.541, False, (0.0, 2.5)),
    ]


def _update(kind: str, sigma: float, planted: bool, expected: tuple[float, float]) -> Control:
    from probatum.statistics.directions import direction

    shape = (DIMENSIONS // 100, 100)
    total = sigma * keyed("directions", kind).standard_normal(shape, dtype=np.float32)
    for i in range(DIRECTIONS if planted else 0):
        total += direction(1, i, {"layer.weight": shape})["layer.weight"]
    name = f"{'directions and ' if planted else ''}noise of {sigma:g}"
    rows = [{"id": f"direction {i}", "seed": 1, "index": i, "member": True} for i in range(DIRECTIONS)]
    data = {"Directions": Directions.from_rows(rows, name)}
    target = Mixed(name, {"layer.weight": total})
    before = Mixed("before the training", {"layer.weight": np.zeros(shape, np.float32)})
    return Control(name, kind, target, data, {"reference": before}, None, "epsilon", expected)  # type: ignore[arg-type]


def training_logs(_: Opener) -> list[Control]:
    """Whole batches, of which the distance is erf(√T / (√2 σ)) exactly (.954 and .00798), and a sampled training."""
    return [
        _log("negative", {"noise_multiplier": 100.0, "sample_rate": 1.0, "steps": 1}, (0.99201, 0.99203)),
        _log("positive", {"noise_multiplier": 1.0, "sample_rate": 1.0, "steps": 4}, (0.0454, 0.0456)),
        _log("positive", {"noise_multiplier": 1.0, "sample_rate": 0.01, "steps": 1000}, (0.6, 0.75)),
    ]


def _log(kind: str, row: Mapping[str, float], expected: tuple[float, float]) -> Control:
    name = f"noise {row['noise_multiplier']:g}, sampled {row['sample_rate']:g}, {row['steps']:g} steps"
    data = {"TrainingLog": TrainingLog.from_rows([{"id": "log", **row, "delta": DELTA}], name)}
    return Control(name, kind, Told(name, {}), data, {}, None, "", expected)  # type: ignore[arg-type]


#: By how much an epsilon is understated, in percent.
UNDERSTATED = (0.05, 0.5, 2.0, 10.0, 50.0)
_CERTIFIED = ((0.5, 0.01, 400), (1.0, 0.05, 20), (2.0, 0.02, 300), (4.0, 0.2, 50), (0.8, 0.004, 900))


def certificates(_: Opener) -> list[Control]:
    """Certificates of five trainings whose epsilon is understated by known shares; blanks state it truly."""
    from probatum.statistics.accounting import Phase
    from probatum.statistics.guarantee import guarantee

    cases = []
    for sigma, q, steps in _CERTIFIED:
        for delta in (DELTA, DELTA / 10, DELTA / 100, DELTA * 10):
            true = guarantee([Phase(sigma, q, steps)], delta)
            for share in (*UNDERSTATED, 0.0):
                if share and delta < DELTA / 10:  # blanks must be twenty, to know how often they are mistaken
                    continue
                said = {
                    **true, "epsilon": true["epsilon"] * (1 - share / 100), "unit": "record", "sampler": "poisson",
                    "q": q, "sigma": sigma, "T": steps, "C": 1.0, "generator": "operating system",
                    "loss": "one scalar per unit", "sensitivity": {"pairs": 20, "max_ratio": 1.0},
                    "data_digest": "of nothing", "chosen_on_private_data": [],
                    "empirical": {"one_run": None, "one_shot": None},
                }  # fmt: skip
                name = f"epsilon understated by {share:g} %" if share else "true epsilon"
                data = {"Certificate": Certificate.from_rows([{"id": "certificate", "said": json.dumps(said)}], name)}
                kind = "positive" if share else "negative"
                cases.append(Control(name, kind, Told(name, {}), data, {}, share or None, "% understated"))  # type: ignore[arg-type]
    return cases
