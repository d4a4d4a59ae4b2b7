"""Who could do what a probe does."""

import pytest

from probatum.core.access import AUDIENCES, Access, audience
from probatum.core.catalogue import entries, load


@pytest.mark.parametrize(
    ("needs", "kinds", "who"),
    [
        (Access.TEXT, ["Members"], "the public"),
        (Access.LOGPROBS, ["Records"], "an API customer"),
        (Access.TEXT | Access.LOGPROBS, ["Records"], "an API customer"),
        (Access.LOGITS, ["Members"], "whoever has the weights"),
        (Access.GRADIENTS, ["Members"], "whoever has the weights"),
        (Access.TRAIN, [], "the trainer"),
        (Access.LOGPROBS, ["Canaries"], "the trainer"),
        (Access(0), ["TrainingLog"], "the trainer"),
    ],
)
def test_the_audience_follows_from_access_and_from_data_that_only_a_trainer_has(needs, kinds, who):
    assert audience(needs, kinds) == who


def test_every_probe_has_an_audience():
    for name, entry in entries().items():
        if entry.kind == "probe":
            assert audience(load(name).needs, entry.signature.data.values()) in AUDIENCES
