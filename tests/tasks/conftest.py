"""Tasks on their null responders; the public files are used where they stand beside the repository."""

from pathlib import Path

import pytest

from probatum.controls.responders import answerers
from probatum.core.catalogue import load
from probatum.sets.finding import items_of
from probatum.statistics import TooFew

PUBLIC = Path(__file__).parents[2].parent / "shared/data"


@pytest.fixture(scope="session")
def public():
    """The folder of public files; the test is skipped where there is none."""
    if not PUBLIC.is_dir():
        pytest.skip("the public files are not here")
    return PUBLIC


@pytest.fixture
def responders():
    """(task, folders) → {responder: (score or None, released score or None)} on the items that are found there."""

    def score(task, *where):
        method = load(task)
        items = items_of(method.items, where).items
        out = {}
        for who in answerers(items):
            scores = method.function(who, items)
            try:
                value = method.metric(scores, items.truth).estimate.value
            except TooFew:
                value = None
            out[who.name] = (value, None if scores.released is None else scores.released.value)
        return out

    return score
