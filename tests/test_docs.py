"""The pages keep their word: the tutorial runs, the README's Python runs, the generated page is fresh."""

from __future__ import annotations

import json
import re
import runpy
import shlex
from pathlib import Path

import pytest

from probatum.cli import main
from probatum.cli.list_ import as_markdown
from probatum.core.catalogue import entries
from probatum.targets import open_target

ROOT = Path(__file__).resolve().parent.parent


def blocks(page: str, *kinds: str) -> list[tuple[str, str]]:
    return re.findall(rf"^```({'|'.join(kinds)})\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.M | re.S)


def test_the_list_of_methods_is_fresh():
    rows = sorted(entries().values(), key=lambda e: (e.kind, e.dimension, e.name))
    assert (ROOT / "docs/methods.md").read_text(encoding="utf-8") == as_markdown(rows), "run `make docs`"


def test_the_comparison_with_peers_is_fresh():
    made = runpy.run_path(str(ROOT / "docs/comparison.py"))["page"]()
    assert (ROOT / "docs/comparison.md").read_text(encoding="utf-8") == made, "run `make docs`"


def test_the_table_of_null_responders_is_fresh():
    made = runpy.run_path(str(ROOT / "docs/nulls.py"))["page"]()
    assert (ROOT / "docs/nulls.md").read_text(encoding="utf-8") == made, "run `make docs`"


def test_the_page_of_unlearning_is_fresh_and_about_the_models_that_are_shipped():
    made = runpy.run_path(str(ROOT / "docs/unlearning.py"))
    assert (ROOT / "docs/unlearning.md").read_text(encoding="utf-8") == made["page"](), "run `make docs`"
    figures = json.loads((ROOT / "docs/unlearning.json").read_text(encoding="utf-8"))
    assert {row for row, _, _ in made["settings"]()} <= set(figures["rows"]), "run docs/unlearning.py --measure METHOD"
    for name, digest in figures["models"].items():
        assert open_target(name).digest == digest, "run docs/unlearning.py --measure"


def test_what_the_page_of_unlearning_says_stands_in_its_figures():
    rows = json.loads((ROOT / "docs/unlearning.json").read_text(encoding="utf-8"))["rows"]
    golds = [rows[f"gold {i}"] for i in range(3)]
    leaks = [value for gold in golds for value in gold["privleak"]]
    ascent = rows["gradient_ascent"]
    assert ascent["retain seen"] < 0.1
    assert min(ascent["ks"]) > 0.05
    assert max(map(abs, ascent["privleak"])) < max(map(abs, leaks)) + 15
    for name in ("npo", "grad_diff", "kl_min", "idk_dpo"):
        assert rows[name]["rank"] > 0.85
        assert sum(rows[name]["privleak"]) / 3 > max(leaks)
    on_the_way = next(row for name, row in rows.items() if name.startswith("idk_dpo") and name.endswith("steps=100"))
    assert max(on_the_way["ks"]) > 0.05 > max(rows["idk_dpo"]["ks"])
    for name in ("sim_npo", "task_vector"):
        assert max(rows[name]["privleak"]) < min(leaks) - 20
        assert rows[name]["worst"] > max(gold["wrecking"] for gold in golds)
    lora = next(row for name, row in rows.items() if name.startswith("npo, rank"))
    assert lora["forget seen"] < 0.05
    assert lora["worst"] > rows["npo"]["worst"] + 0.2
    assert lora["disjoint"] > rows["npo"]["disjoint"] + 0.2


def test_every_link_between_pages_leads_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            if not link.startswith("http"):
                assert (page.parent / link).exists(), f"{page.name} links to {link}"


@pytest.mark.slow
def test_the_tutorial_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    steps = blocks("docs/tutorial.md", "sh", "python")
    assert len(steps) > 8
    for kind, text in steps:
        if kind == "python":
            exec(compile(text, "tutorial.md", "exec"), names)
            continue
        for line in text.strip().splitlines():
            words = shlex.split(line)
            assert words[0] == "probatum"
            with pytest.raises(SystemExit) as end:
                main(words[1:])
            assert end.value.code == 0, line
    assert (tmp_path / "repaired" / "protection.json").exists()


@pytest.mark.slow
def test_the_five_lines_of_the_readme_run(capsys):
    (_, text), *_ = blocks("README.md", "python")
    exec(compile(text, "README.md", "exec"), {})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) >= 9
    assert all(" evidence " in line for line in lines)
