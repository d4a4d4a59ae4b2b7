"""Each method on the model of the invented people does what its paper says of it, and what others say against it."""

import numpy as np
import pytest

from probatum.controls import people
from probatum.controls.forgetting import people_sets
from probatum.core.catalogue import load
from probatum.core.data import Records
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.likelihood import written
from probatum.engine.session import Session
from probatum.protect import save
from probatum.targets import open_target

SHORT = {"steps": 120, "batch_size": 16}
REFUSAL = {"refusal": " unknown"}


@pytest.fixture(scope="module")
def target():
    return open_target("people", session=Session())


def recall(model, table):
    asked = [
        (f"{row['id']} {i}", p, row["secret"]) for row in people.rows()[table] for i, p in enumerate(row["trained"])
    ]
    ids, prefixes, secrets = zip(*asked, strict=True)
    return written(model, Records(ids=ids, prefix=prefixes, secret=secrets))[0].mean()


def rank_of_truth(model):
    """Mean over facts of the share of wrong values that are likelier than the truth, by Σ log p."""
    shares = []
    for row in people.rows()["people_forget"]:
        values = [row["secret"], *row["others"]]
        own = model.token_statistics(values, prefixes=[row["prefix"]] * len(values)).logprob.sum()
        shares.append((own[1:] > own[0]).mean())
    return np.mean(shares)


@pytest.fixture(scope="module")
def repaired(target, tmp_path_factory):
    def make(name, **options):
        sets = people_sets()
        change = load(name).function(target, sets["Forget"], sets["Retain"], rng=keyed(name), **options)
        out = tmp_path_factory.mktemp(name) / "model"
        save(change, target, out, {})
        return open_target(out, session=Session())

    return make


@pytest.mark.slow
def test_gradient_ascent_takes_the_model_with_it(repaired):
    model = repaired("gradient_ascent")
    assert recall(model, "people_forget") < 0.1
    assert recall(model, "people_retain") < 0.3


@pytest.mark.slow
def test_npo_forgets_keeps_and_overshoots(repaired):
    model = repaired("npo")
    assert recall(model, "people_forget") < 0.05
    assert recall(model, "people_retain") > 0.95
    assert recall(model, "people_world") > 0.9
    assert rank_of_truth(model) > 0.8  # gold: 0.5


@pytest.mark.slow
def test_sim_npo_stops_early(repaired):
    model = repaired("sim_npo", **SHORT)
    assert recall(model, "people_forget") < 0.05
    assert recall(model, "people_retain") > 0.9
    assert rank_of_truth(model) < 0.35


@pytest.mark.slow
def test_refusing_pushes_the_truth_to_the_end_and_says_what_it_was_told(repaired):
    model = repaired("idk_dpo", **REFUSAL, **SHORT)
    assert recall(model, "people_forget") < 0.05
    assert rank_of_truth(model) > 0.75
    asked = [row["prefix"] for row in people.rows()["people_forget"]]
    said = model.generate(asked, max_new_tokens=1)
    assert np.mean([text.startswith(" unknown") for text in said]) > 0.8


@pytest.mark.slow
def test_a_task_vector_trades_the_rest_for_the_forgotten(repaired):
    half, whole, double = (repaired("task_vector", alpha=alpha) for alpha in (0.5, 1.0, 2.0))
    forgotten, kept = ([recall(m, f"people_{t}") for m in (half, whole, double)] for t in ("forget", "retain"))
    assert forgotten[0] > forgotten[1] > forgotten[2]
    assert kept[0] > 0.9 > kept[2]


def test_a_model_of_another_initialization_is_not_fused(target):
    gold = open_target("people_gold0", session=Session())
    sets = people_sets()
    with pytest.raises(BadInput, match="people and people_gold0 do not descend from one base"):
        load("fuse").function(target, sets["Forget"], sets["Retain"], other=gold, rng=keyed("fuse"))
