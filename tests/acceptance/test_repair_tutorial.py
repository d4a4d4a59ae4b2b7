"""The page on repairs keeps its word."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "repair.md"


@pytest.mark.slow
def test_the_page_runs(probatum, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, printed = {}, {}
    for kind, text in re.findall(r"^```(sh|python)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S):
        if kind == "python":
            exec(compile(text, "repair.md", "exec"), names)
            continue
        for line in text.strip().splitlines():
            first, *words = shlex.split(line)
            assert first == "probatum"
            ran = probatum(*words)
            assert ran.code == 0, ran.err
            printed[" ".join(words[:2])] = printed.get(" ".join(words[:2]), "") + ran.out
    assert "measured" in printed["audit known/people"]
    assert "Void" in printed["protect gradient_ascent"]
    assert "Over-unlearned" in printed["protect npo"]
    assert re.search(r"epsilon (7\.\d+|8) at delta 0.0833 for every user:cluster", printed["protect dp_finetune"])
    assert "no evidence" in printed["audit private"]
    assert (tmp_path / "repaired" / "receipt" / "report.html").exists()
