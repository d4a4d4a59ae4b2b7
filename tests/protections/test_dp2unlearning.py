"""DP2Unlearning does not look at what is to be forgotten, and starts from nothing but a certified base."""

import json
import shutil

import numpy as np
import pytest

from probatum.controls.forgetting import people_sets
from probatum.controls.specimen import directory
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.engine.session import Session
from probatum.protections.unlearning.dp2unlearning import dp2unlearning
from probatum.statistics.accounting import Phase
from probatum.statistics.guarantee import guarantee
from probatum.targets import open_target


@pytest.fixture
def base(tmp_path):
    """A model of this architecture with the certificate of a private training."""
    shutil.copytree(directory("people_gold0"), tmp_path / "base")
    said = {
        **guarantee([Phase(1.0, 0.05, 20)], 1e-5), "unit": "record", "sampler": "poisson", "q": 0.05, "sigma": 1.0,
        "T": 20, "C": 0.1, "generator": "operating system", "loss": "one scalar per unit", "data_digest": "d",
        "sensitivity": {"pairs": 20, "max_ratio": 1.0}, "chosen_on_private_data": [],
        "empirical": {"one_run": None, "one_shot": None},
    }  # fmt: skip
    (tmp_path / "base" / "certificate.json").write_text(json.dumps(said), encoding="utf-8")
    return tmp_path / "base"


def unlearn(base, forget, **options):
    session = Session()
    return dp2unlearning(
        open_target("people", session=session), forget, people_sets()["Retain"].take(np.arange(40)),
        base=open_target(base, session=session), rng=keyed("dp2"), steps=3, batch_size=8, **options,
    )  # fmt: skip


def test_it_is_the_same_whatever_is_to_be_forgotten(base):
    forget = people_sets()["Forget"]
    first, second = unlearn(base, forget.take(np.arange(5))), unlearn(base, forget.take(np.arange(90, 95)))
    assert all(np.array_equal(first.tensors[n], second.tensors[n]) for n in first.tensors)
    start = open_target(base, session=Session()).weights()
    assert any(not np.array_equal(start[n], first.tensors[n]) for n in first.tensors)
    assert first.trace["bound"]["epsilon"] == pytest.approx(1.9847, abs=1e-4)


def test_a_base_without_a_certificate_that_holds_is_refused(base):
    forget = people_sets()["Forget"]
    with pytest.raises(BadInput, match=r"no certificate\.json"):
        unlearn(directory("people_gold0"), forget)
    said = json.loads((base / "certificate.json").read_text(encoding="utf-8"))
    (base / "certificate.json").write_text(json.dumps({**said, "epsilon": 0.5}), encoding="utf-8")
    with pytest.raises(BadInput, match=r"does not hold: epsilon 0\.5 is below"):
        unlearn(base, forget)


def test_a_base_of_another_shape_is_refused(base):
    said = (base / "certificate.json").read_text(encoding="utf-8")
    other = base.parent / "other"
    shutil.copytree(directory("base"), other)
    (other / "certificate.json").write_text(said, encoding="utf-8")
    with pytest.raises(BadInput, match="do not have the same tensors"):
        unlearn(other, people_sets()["Forget"])
