"""Controls whose unit is a whole case: one model, or one card, at one dose."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from probatum.controls.sets import builtin
from probatum.core.access import Access
from probatum.core.control import Control
from probatum.core.data import Choices, Claims, digest_of
from probatum.core.draws import keyed
from probatum.core.target import Opener, Target

#: Share of the hidden units, in percent, that a mixed model has from the specimen; the rest are a stranger's.
SHARES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
#: By how many points a card overstates an accuracy.
OVERSTATED = (2.0, 5.0, 10.0, 20.0, 30.0)
DRAWS = 10
BLANKS = 24


class Mixed(Target):
    """A model of which only the weights exist: some hidden units of one model, the others of a second."""

    kind = "mixed weights"
    access = Access.WEIGHTS

    def __init__(self, name: str, tensors: Mapping[str, np.ndarray]):
        self.name = name
        self._tensors = tensors
        self.digest = digest_of(*(part for k in sorted(tensors) for part in (k, tensors[k].tobytes())))

    def weights(self) -> Mapping[str, np.ndarray]:
        """The tensors."""
        return self._tensors


def lineage(open_model: Opener) -> list[Control]:
    """Mixtures of a descendant and a stranger, asked against base; blanks are strangers with their units reordered."""
    own, other = _mlp(open_model("specimen")), _mlp(open_model("stranger"))
    roles = {"ancestor": "base"}

    def case(kind: str, share: float, draw: int) -> Control:
        rng = keyed("lineage", kind, share, draw)
        mixed = {}
        for name, matrix in own.items():
            n = len(matrix)
            # A stranger's units have no order; a new one is as good as another stranger.
            tensor = other[name][rng.permutation(n)]
            kept = rng.permutation(n)[: round(n * share / 100)]
            tensor[kept] = matrix[kept]
            mixed[name] = tensor
        dose = share if kind == "positive" else None
        title = f"specimen's units: {share:g} %" if kind == "positive" else "stranger"
        return Control(title, kind, Mixed(title, mixed), {}, roles, dose, "% of units kept")  # type: ignore[arg-type]

    positive = [case("positive", share, draw) for share in SHARES for draw in range(DRAWS)]
    return [*positive, *(case("negative", 0.0, draw) for draw in range(BLANKS))]


def _mlp(target: Target) -> dict[str, np.ndarray]:
    weights = target.weights()
    return {name: np.array(weights[name]) for name in weights if name.endswith("gate_proj.weight")}


def claims(open_model: Opener) -> list[Control]:
    """Cards that state the specimen's accuracy on its facts, overstated by known amounts; blanks state it truly."""
    facts = builtin("control")["Choices"]
    assert isinstance(facts, Choices)
    right = open_model("specimen").choices(facts.question, facts.options).margin(facts.answer) > 0
    return list(_cards(facts, float(right.mean())))


def _cards(facts: Choices, accuracy: float) -> Iterator[Control]:
    for points in (*OVERSTATED, 0.0):
        for draw in range(BLANKS if not points else DRAWS):
            part = facts.take(np.sort(keyed("claims", points, draw).permutation(len(facts))[: len(facts) * 3 // 4]))
            stated = min(round(accuracy + points / 100, 2), 1.0)
            row = {"id": f"accuracy {draw}", "kind": "accuracy", "about": part.name, "value": stated}
            data = {"Claims": Claims.from_rows([row], "a planted card"), "Choices": part}
            kind = "positive" if points else "negative"
            name = f"accuracy stated {points:g} points too high" if points else "true accuracy"
            yield Control(name, kind, "specimen", data, {}, points or None, "points overstated")  # type: ignore[arg-type]
