"""The pages on files keep their word: every command is typed as it stands there."""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

ROOT = Path(__file__).parents[2]
#: Exit codes other than 0 that a page means: the policy of the example asks for files that this model lacks.
MEANT = {("scan", "--policy"): 1}


def commands(page: str) -> list[list[str]]:
    text = (ROOT / page).read_text(encoding="utf-8")
    if page == "README.md":
        text = text[text.index("A model from somewhere else?") :].split("\n\nA model is ")[0]
    fenced = re.findall(r"^```(?:sh)?\n(.*?)^```", text, re.M | re.S)
    lines = [line for block in fenced for line in block.splitlines() if line.startswith("probatum ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


@pytest.fixture
def here(probatum, tmp_path, monkeypatch):
    """A folder with everything that the pages name."""
    import torch
    from safetensors.torch import load_file as load_torch

    from probatum.controls import specimen

    for name, built_in in (("model", "specimen"), ("base", "base"), ("one", "base"), ("other", "specimen"),
                           ("my-model", "specimen")):  # fmt: skip
        shutil.copytree(specimen.directory(built_in), tmp_path / name)
        shutil.copytree(specimen.directory(built_in), tmp_path / "models" / name)
    parts = [load_file(tmp_path / n / "model.safetensors") for n in ("one", "other")]
    (tmp_path / "merged").mkdir()
    mixed = {n: np.float32(0.5) * parts[0][n] + np.float32(0.5) * parts[1][n] for n in parts[0]}
    save_file(mixed, tmp_path / "merged" / "model.safetensors")
    shutil.copyfile(tmp_path / "one" / "model.safetensors", tmp_path / "base.safetensors")
    shutil.copyfile(tmp_path / "other" / "model.safetensors", tmp_path / "tuned.safetensors")
    weights = load_torch(tmp_path / "model" / "model.safetensors")
    torch.save(weights, tmp_path / "pytorch_model.bin")
    torch.save({"state_dict": weights, "step": 3}, tmp_path / "checkpoint.pt")
    rng = np.random.default_rng(0)
    rows = ["y,yhat,sex,age"]
    rows += [
        f"{y},{y ^ (rng.random() < 0.2):d},{rng.choice(['f', 'm'])},{rng.choice(['young', 'old'])}"
        for y in rng.integers(0, 2, 400)
    ]
    (tmp_path / "decisions.csv").write_text("\n".join(rows) + "\n")
    toml = re.search(r"^```toml\n(.*?)^```", (ROOT / "docs/signing.md").read_text(encoding="utf-8"), re.M | re.S)
    assert toml
    (tmp_path / "intake.toml").write_text(toml[1])
    record = "\x1e{}\x1fA\x1f2026-01-0{}T00:00:00+00:00\x1f{}\n\n{}\n"
    for name in ("one", "two"):
        commits = [("first weights", "model.safetensors"), ("a card", "README.md"), ("again", "model.safetensors")]
        lines = [record.format(f"{i:040x}", i, *commit) for i, commit in enumerate(commits, start=1)]
        (tmp_path / f"{name}.log").write_text("".join(lines))
    (tmp_path / "downloads.csv").write_text("model,downloads\none,10\ntwo,20\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def as_repository(folder):
    """Make a folder a git checkout with one commit."""
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "first weights"]):
        subprocess.run(["git", *words], cwd=folder, check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", ["README.md", "docs/cards.md", "docs/convert.md", "docs/lineage.md", "docs/signing.md"]
)
def test_the_commands_of_the_page_run(page, here, probatum):
    typed = commands(page)
    assert len(typed) >= 3
    for words in typed:
        if page == "docs/convert.md" and words[:2] == ["convert", "./model"]:
            (here / "model" / "model.safetensors").rename(here / "model.safetensors")
            shutil.copyfile(here / "pytorch_model.bin", here / "model" / "pytorch_model.bin")
        if words == ["history", "./model"]:
            if shutil.which("git") is None:
                continue
            as_repository(here / "model")
        if page == "README.md" and words[0] == "sign":
            assert probatum("sign", "--new-key", "k").code == 0
        ran = probatum(*words)
        meant = next((code for key, code in MEANT.items() if set(key) <= set(words)), 0)
        assert ran.code == meant, (words, ran.out, ran.err)
    if page == "docs/signing.md":
        assert json.loads((here / "out.sarif").read_text())["version"] == "2.1.0"
