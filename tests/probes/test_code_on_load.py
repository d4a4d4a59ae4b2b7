"""The scanner's verdicts as a probe: planted code is found, a clean directory is not accused, the unread is said."""

import pickle
import shutil

import numpy as np
import pytest
from safetensors.numpy import save_file

from probatum.audit import audit
from probatum.controls.planted_files import planted_files
from probatum.engine.session import Session
from probatum.targets import open_target


class Calls:
    """Unpickling it would ask for the name of the folder."""

    def __reduce__(self):
        import os

        return os.getcwd, ()


@pytest.fixture
def model(tmp_path):
    shutil.copytree(open_target("base", session=Session()).files(), tmp_path / "model")
    return tmp_path / "model"


def asked(model):
    return audit(model, probes=("code_on_load",), session=Session()).findings[0]


def test_every_planted_call_is_found_and_no_honest_file_is_accused():
    from probatum.probes.safety.code_on_load import code_on_load

    for case in planted_files(lambda name: None):
        scores = code_on_load(case.target)
        assert scores.values.sum() == (1 if case.kind == "positive" else 0), (case.name, scores.said)
        assert not scores.unscored


def test_a_clean_model_gives_no_evidence_with_a_limit(model):
    found = asked(model)
    assert (found.outcome, found.estimate.value) == ("no evidence", 0)
    assert (found.detection_limit.status, found.detection_limit.unit) == ("below lowest dose", "planted calls")


def test_a_pickle_beside_the_weights_is_evidence_and_named(model):
    (model / "optimizer.bin").write_bytes(pickle.dumps({"lr": 1, "state": Calls()}))
    found = asked(model)
    assert (found.outcome, found.severity, found.estimate.value) == ("evidence", "high", 1)
    assert found.samples[0].record == "optimizer.bin"
    assert "getcwd" in found.samples[0].text


def test_unknown_code_is_evidence_of_lower_severity(model):
    (model / "scaler.bin").write_bytes(b"cown_module\nThing\n)R.")
    found = asked(model)
    assert (found.outcome, found.severity) == ("evidence", "medium")
    assert "own_module" in found.samples[0].text


def test_what_nobody_read_is_inconclusive(model):
    (model / "weights.7z").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(60))
    found = asked(model)
    assert (found.outcome, found.unscored) == ("inconclusive", {"not covered by the scanner": 1})


def test_hostile_names_are_escaped(model):
    (model / "a\x1b[31m\nb.bin").write_bytes(pickle.dumps(Calls()))
    found = asked(model)
    assert "\x1b" not in found.samples[0].record
    assert "\n" not in found.samples[0].record


def test_an_adapter_or_a_shard_is_read_too(model):
    save_file({"a": np.zeros(3)}, model / "extra.safetensors")
    assert asked(model).outcome == "no evidence"
