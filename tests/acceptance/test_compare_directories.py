"""`probatum compare ./model ./base` and `probatum atlas`: read, never loaded, and told in words."""

import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from probatum.controls import specimen


@pytest.fixture
def copies(tmp_path):
    """Copies of two built-in models that descend from one another, and of a stranger."""
    import shutil

    for name in ("specimen", "base", "stranger"):
        shutil.copytree(specimen.directory(name), tmp_path / name)
    return tmp_path


def test_descent_version_and_differences_are_told(probatum, copies):
    ran = probatum("compare", copies / "specimen", copies / "base")
    assert ran.code == 0
    assert "specimen and base share an ancestor" in " ".join(ran.out.split())
    for word in ("MINOR", "exact", "model.layers.", "README.md", "parameters"):
        assert word in ran.out
    assert not (copies / "probatum-report").exists()


def test_strangers_of_one_shape_and_text_are_told_apart(probatum, copies):
    found = json.loads(probatum("compare", copies / "stranger", copies / "base", "--json").out)
    assert found["relation"]["kind"] == "independent"
    assert found["relation"]["p_value"] > 0.01


def test_a_merge_is_found_with_its_second_parent(probatum, copies):
    parts = [load_file(copies / n / "model.safetensors") for n in ("base", "specimen")]
    (copies / "mixed").mkdir()
    save_file({n: np.float32(0.25) * parts[0][n] + np.float32(0.75) * parts[1][n] for n in parts[0]},
              copies / "mixed" / "model.safetensors")  # fmt: skip
    words = ("compare", copies / "mixed", copies / "base", "--with", copies / "specimen", "--json")
    assert json.loads(probatum(*words).out)["relation"]["kind"] == "merged"


def test_what_is_silent_is_said(probatum, copies):
    import shutil

    shutil.copytree(copies / "base", copies / "later")
    weights = load_file(copies / "base" / "model.safetensors")
    rng = np.random.default_rng(0)
    save_file({n: (w + 0.01 * rng.normal(size=w.shape)).astype(np.float32) for n, w in weights.items()},
              copies / "later" / "model.safetensors")  # fmt: skip
    out = " ".join(probatum("compare", copies / "later", copies / "base").out.split())
    assert "Silent change: weights" in out


def test_nothing_heavy_is_imported(copies):
    script = (
        "import sys\nfrom probatum.lineage.compare import compare_directories\n"
        f"compare_directories({str(copies / 'specimen')!r}, {str(copies / 'base')!r})\n"
        "print('heavy:', *(m for m in ('torch', 'transformers', 'sklearn', 'pyarrow', 'altair') if m in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "heavy:"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("{0}/base", "{0}/stranger", "--level", "2"), "expected a share between 0 and 1"),
        (("{0}/base", "{0}/stranger", "--with", "{0}/nothing"), "there is none here"),
    ],
)
def test_bad_input_is_one_sentence(probatum, copies, words, said):
    ran = probatum("compare", *(w.format(copies) for w in words))
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_hostile_names_cannot_act_on_the_terminal(probatum, copies):
    evil = copies / "\x1b[31mred"
    (copies / "base").rename(evil)
    (evil / "note‮txt").write_text("x")
    ran = probatum("compare", copies / "specimen", evil)
    assert ran.code == 0
    assert "\x1b[31mred" not in ran.out
    assert "‮" not in ran.out


def test_an_atlas_of_a_directory(probatum, copies):
    out = copies / "out"
    ran = probatum("atlas", copies, "--out", out, "--times", _times(copies))
    assert ran.code == 0, ran.err
    assert "3 models in 2 families: 1 edges" in ran.out
    atlas = json.loads((out / "atlas.json").read_text())
    names = [m["name"] for m in atlas["models"]]
    (edge,) = atlas["edges"]
    assert (names[edge["parent"]], names[edge["child"]]) == ("base", "specimen")
    page = (out / "atlas.html").read_text()
    assert "<script" not in page
    assert "specimen" in page


def _times(folder):
    file = folder / "times.json"
    file.write_text(json.dumps({"base": "2024-01-01", "specimen": "2024-02-01", "stranger": 0}))
    return file


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("atlas", "{0}/base"), "at least two model directories"),
        (("atlas", "{0}", "--rules", "x"), "expected paper or nearest"),
        (("atlas", "{0}", "--times", "{0}/none.json"), "there is none here"),
    ],
)
def test_bad_input_of_the_atlas_is_one_sentence(probatum, copies, words, said):
    ran = probatum(*(w.format(copies) for w in words))
    assert ran.code == 2
    assert said in ran.err
