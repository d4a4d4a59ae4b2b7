"""What the proofs of probes share: a probe on a toy, and what its own metric makes of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from probatum.core.data import Data
from probatum.core.draws import keyed
from probatum.core.estimate import Result, Truth
from probatum.core.target import Target
from probatum.testing import toy_data


@pytest.fixture
def found() -> Callable[..., Result]:
    """``found(probe, target)``: the toy data of the probe's kinds, blind, and the estimate against their truth."""

    def run(probe: Any, target: Target, data: Data | None = None, **given: Any) -> Result:
        method = probe.method
        kinds = list(method.signature.data.items())
        first = data or toy_data()[kinds[0][1]]
        if ("known", kinds[0][1]) in kinds[1:]:  # one half to learn from, the other to be judged
            given["known"], first = first.halves()
        for parameter, kind in kinds[1:]:
            given.setdefault(parameter, toy_data()[kind])
        if method.signature.rng:
            given.setdefault("rng", keyed("test"))
        scores = probe(target, first if method.learns else first.blind(), **given)
        truth = first.truth
        if tuple(scores.ids) != first.ids:  # a probe of whole clusters
            place = {name: i for i, name in enumerate(first.cluster or first.ids)}
            truth = dataclasses.replace(truth.take([place[name] for name in scores.ids]), cluster=None)
        return method.metric(scores, truth if len(scores) else Truth())

    return run
