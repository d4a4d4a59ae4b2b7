"""A model arrives as pickles: scanned, converted, compared with its source, signed, and refused once it was touched."""

import json
import pickle
import shutil

import pytest


class Calls:
    """Unpickling it would ask for the name of the folder."""

    def __reduce__(self):
        import os

        return os.getcwd, ()


@pytest.fixture(scope="module")
def arrived(tmp_path_factory):
    import torch
    from safetensors.torch import load_file

    from probatum.engine.session import Session
    from probatum.targets import open_target

    folder = tmp_path_factory.mktemp("intake")
    shutil.copytree(open_target("base", session=Session()).files(), folder / "source")
    shutil.copytree(folder / "source", folder / "model")
    torch.save(load_file(folder / "model" / "model.safetensors"), folder / "model" / "pytorch_model.bin")
    (folder / "model" / "model.safetensors").unlink()
    return folder


def test_from_pickle_to_a_signed_model(probatum, arrived, tmp_path):
    model, safe = arrived / "model", tmp_path / "safe"
    seen = probatum("scan", str(model), "--json")
    assert seen.code == 0, seen.out
    assert json.loads(seen.out)["intake"][0]["may_be_loaded"] == "weights_only"

    ran = probatum("audit", str(model), "--out", str(tmp_path / "never"))
    assert ran.code == 2
    assert "probatum convert" in ran.err

    assert probatum("convert", str(model), str(safe)).code == 0
    found = json.loads(probatum("compare", str(safe), str(arrived / "source"), "--json").out)
    assert found["relation"]["kind"] == "exact copy"

    assert probatum("sign", "--new-key", str(tmp_path / "k")).code == 0
    assert probatum("sign", str(safe), "--key", str(tmp_path / "k.pem")).code == 0
    assert probatum("sign", "--check", str(safe), "--key", str(tmp_path / "k.pub")).code == 0
    report = tmp_path / "out"
    assert probatum("audit", str(safe), "--probe", "code_on_load", "--out", str(report)).code == 0

    (safe / "scheduler.pkl").write_bytes(pickle.dumps(Calls()))
    checked = probatum("sign", "--check", str(safe), "--key", str(tmp_path / "k.pub"))
    assert checked.code == 1
    assert "added: scheduler.pkl" in checked.out + checked.err
    scanned = probatum("scan", str(safe), "--sarif", str(tmp_path / "out.sarif"))
    assert scanned.code == 1
    assert "getcwd" in (tmp_path / "out.sarif").read_text()
