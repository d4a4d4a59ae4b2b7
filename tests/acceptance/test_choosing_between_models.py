"""The page on choosing between two models keeps its word."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "choose.md"


@pytest.mark.slow
def test_the_page_runs(probatum, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names, compared = {}, ""
    for kind, text in re.findall(r"^```(sh|python)\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S):
        if kind == "python":
            exec(compile(text, "choose.md", "exec"), names)
            continue
        first, *words = shlex.split(text)
        assert first == "probatum"
        ran = probatum(*words)
        assert ran.code == 0
        compared = ran.out
    rows = re.findall(r"^(\w+)", compared, re.M)
    assert {"external_misinforma", "misuse", "over_refusal"} <= {row[:19] for row in rows}
    order = ["stereotype_agreemen", "misuse", "over_refusal"]
    assert sorted(order, key=compared.index) == order, "the surest difference stands first"
    assert (tmp_path / "careful" / "report.html").exists()
    shown = capsys.readouterr().out
    assert re.search(r"eager +external_misinformation +0\.50", shown)
