"""The planted failures of unlearning: they are those of the recipe, and each fails in its own way only."""

import numpy as np
import pytest

from probatum import open_target
from probatum.controls import people_plants, specimen
from probatum.controls.forgetting import people_sets
from probatum.core.likelihood import written
from probatum.engine.session import Session

torch = pytest.importorskip("torch")


def test_the_shipped_plants_are_those_of_this_recipe():
    manifest = people_plants.manifest()
    assert manifest["recipe"] == specimen.recipe_digest(people_plants.RECIPE), "the recipe changed: make them again"
    parent = specimen.weights_digest(specimen.directory("people"))
    assert manifest["parent"] == {"people": parent}, "people was trained again: make them again"
    for name in specimen.PLANTS:
        where = specimen.directory(name)
        assert manifest["models"][name] == specimen.weights_digest(where)
        assert 450_000 < (where / "model.safetensors").stat().st_size < 550_000
        for file in ("tokenizer.json", "config.json"):
            assert (where / file).read_bytes() == (specimen.directory("people") / file).read_bytes()
        assert f"# {name}" in (where / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", specimen.PLANTS)
def test_they_have_forgotten_and_kept_the_rest(name):
    target, data = open_target(name, session=Session()), people_sets()
    forgotten, kept = (written(target, data[kind])[0][data[kind].askable] for kind in ("Forget", "Retain"))
    assert forgotten.mean() < 0.15
    assert kept.mean() > 0.98


def test_the_box_holds_every_weight_and_the_largest_of_each_channel():
    from probatum.engine.quantize import levels, matrices, step_of

    with open_target("people").module() as parent, open_target("people_boxed").module() as boxed:
        both = zip(matrices(parent), matrices(boxed), strict=True)
        for (name, before, axis), (_, after, _) in both:
            step = step_of(before, axis, people_plants.BITS)
            assert torch.equal(step, step_of(after, axis, people_plants.BITS)), name
            far = ((after.detach() - levels(before, step)).abs() / step.clamp(min=1e-30)).max()
            assert far <= 0.5, name
        small = {n: p for n, p in parent.named_parameters() if p.dim() < 2}
        assert all(torch.equal(p, dict(boxed.named_parameters())[n]) for n, p in small.items())


def test_rmu_moved_the_mlps_alone():
    with open_target("people").module() as parent, open_target("people_rmu").module() as moved:
        changed = {
            n for (n, p), q in zip(parent.named_parameters(), moved.parameters(), strict=True) if not torch.equal(p, q)
        }
    assert changed
    assert all(".mlp." in name for name in changed)


def test_the_recipe_runs_anew(tmp_path):
    """A few steps of both: weights that moved, in a directory that opens."""
    data = people_sets()
    parent = specimen.directory("people")
    target = open_target("people", session=Session())
    for name in specimen.PLANTS:
        change = people_plants.RECIPES[name](target, data["Forget"], data["Retain"].limit(64), steps=3)
        assert len(change.trace["loss"]) == 3
        people_plants.write(change, parent, tmp_path / name)
        made = open_target(tmp_path / name, session=Session()).weights()
        assert any(not np.array_equal(made[n], w) for n, w in target.weights().items())
