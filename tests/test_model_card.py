"""`probatum card`: every number resolves to a finding, few records are not printed as exact, nothing hostile acts."""

from __future__ import annotations

import csv
import json
import re
import shutil

import pytest
import yaml

from probatum.audit import audit
from probatum.cli import main
from probatum.controls import specimen
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.report import Report
from probatum.engine.session import Session
from probatum.model_card import write_model_card
from probatum.reports.html import html
from probatum.reports.model_card import model_card
from probatum.statistics.error_rates import RATES

PROBES = ("card_claims", "card_completeness", "openness", "loss", "dp_certificate")
HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) `a` ![i](http://e.example/p.png)"
TOKEN = "hf_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1b"
SECTIONS = (
    "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data", "Quantitative analyses",
    "Ethical considerations", "Caveats and recommendations",
)  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Decisions on two factors; one group has very few records and a hostile name."""
    path = tmp_path_factory.mktemp("decisions") / "decisions.csv"
    rng = keyed("model card")
    with path.open("w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(["y", "yhat", "sex", "age"])
        for i in range(500):
            y, sex = int(rng.random() < 0.5), "FM"[int(rng.random() < 0.5)]
            age = HOSTILE if i < 9 else ("old", "young")[i % 2]
            out.writerow([y, y if rng.random() < 0.85 else 1 - y, sex, age])
    return path


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of the specimen, as a file."""
    folder = tmp_path_factory.mktemp("report")
    audit("specimen", probes=PROBES, session=Session(), out=folder)
    return folder / "report.json"


@pytest.fixture(scope="module")
def written(table, report, tmp_path_factory):
    """(card, report that lies beside it)."""
    out = tmp_path_factory.mktemp("card") / "CARD.md"
    write_model_card(
        "specimen", out, report=report, decisions=table, label="y", prediction="yhat", groups=("sex", "age")
    )
    beside = Report.from_json((out.parent / "CARD-evidence" / "report.json").read_text(encoding="utf-8"))
    return out.read_text(encoding="utf-8"), beside


def parts(text):
    """(front matter, body without code and quotations)."""
    _, front, body = text.split("---\n", 2) if text.startswith("---\n") else ("", "{}", text)
    body = re.sub(r"^(`{3,}).*?^\1$", "", body, flags=re.M | re.S)
    return yaml.safe_load(front), [line for line in body.splitlines() if not line.startswith("> ")]


def test_every_number_resolves_to_a_finding_of_the_report_beside_it(written):
    text, beside = written
    front, lines = parts(text)
    ids = {f.id for f in beside}
    linked = set()
    heading = ""
    for line in lines:
        heading = line.removeprefix("## ") if line.startswith("## ") else heading
        found = re.findall(r"\(CARD-evidence/report\.html(?:#([0-9a-f]{12}))?\)", line)
        rest = re.sub(r"\[[^\]]*\]\([^)]*\)|`[^`]*`|&#\d+;", "", line)  # links, names, escaped characters
        if re.search(r"\d", rest):
            assert found, f"a number without evidence: {line}"
            # What describes the whole audit (size, date, files) stands at the head of the report.
            whole = heading in ("", "# specimen", "Model details", "Evaluation data", "Caveats and recommendations")
            assert any(found) or whole, f"a number without a finding: {line}"
        linked |= {one for one in found if one}
    assert linked <= ids
    assert {f.id for f in beside if f.outcome != "not run"} <= linked, "no finding is left out"
    results = front["model-index"][0]["results"]
    measured = {f.id: f for f in beside if f.outcome == "measured"}
    assert len(results) == len(measured)
    for result in results:
        finding = measured[result["source"]["url"].removeprefix("CARD-evidence/report.html#")]
        assert result["metrics"][0]["value"] == finding.estimate.value
    page = html(beside)
    assert linked <= set(re.findall(r'id="([0-9a-f]{12})"', page)), "every link has its place on the page"


def test_all_nine_sections_stand_in_order(written):
    headings = re.findall(r"^## (.+)$", written[0], re.M)
    assert headings[:9] == list(SECTIONS)


def rows(text, title):
    block = text.split(f"### {title}\n\n")[1].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in block[2:]]


def test_cells_are_the_numbers_of_the_finding(written):
    text, beside = written
    finding = beside["error_rates"].findings[0]
    names = ["everybody", "sex=F", "sex=M", "age=old", "age=young"]
    found = {row[0]: row for row in rows(text, "Error rates by factor")}
    for name in names:
        for at, rate in enumerate(RATES, 1):
            e = finding.breakdown[rate if name == "everybody" else f"{rate}, {name}"]
            shown = re.findall(r"[\d.]+", found[name][at].replace("\\", "").replace(",", " "))
            assert [float(x) for x in shown] == pytest.approx([e.value, e.low, e.high, e.n], rel=6e-3)
    pairs = [row[0] for row in rows(text, "Error rates by pairs of factors")]
    assert {"sex=F and age=old", "sex=M and age=young"} < set(pairs)
    assert len(pairs) == 6


def test_a_cell_of_few_records_is_marked_and_has_no_exact_number(written):
    both = rows(written[0], "Error rates by factor") + rows(written[0], "Error rates by pairs of factors")
    few = [row for row in both if "script" in row[0]]
    assert len(few) == 3
    for row in few:
        for cell in row[1:5]:
            assert cell == "–" or re.fullmatch(r"† \\\[[\d.]+, [\d.]+\\\], n = \d", cell), cell
    assert "† marks fewer than 30 records" in written[0]


def test_what_was_not_measured_is_said(written, report):
    text, _ = written
    assert re.search(r"^- Not measured: .*\? needs a model with certificate\.json .*#[0-9a-f]{12}\)$", text, re.M)
    assert "- Not measured: robustness; no probe of it was asked." in text
    alone = model_card(Report.from_json(report.read_text(encoding="utf-8")), None)
    assert "Not measured: no table of decisions" in alone
    assert "Not stated: the model's own card says nothing on training." in alone


@pytest.fixture
def own(tmp_path):
    """A copy of the specimen with a card of its own."""

    def make(card):
        folder = tmp_path / "model"
        shutil.copytree(specimen.directory("specimen"), folder)
        (folder / "README.md").write_text(card, encoding="utf-8")
        return folder

    return make


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text('[[probe]]\nname = "card_completeness"\n', encoding="utf-8")
    return str(path)


def test_hostile_words_of_the_models_card_are_quoted_and_cannot_act(own, suite, tmp_path):
    words = f"{HOSTILE}\n\n## Evil heading\n\n\x1b[31m\u202eright to left {TOKEN} and clerk@ferries.org.\n"
    front = f"license: 'mit\u202e{TOKEN}'\nbase_model: [a, {{b: c}}]\ndatasets: 7\n"
    folder = own(f"---\n{front}---\n# m\n\n## Training\n\n{words}\n## Uses\n\n{words}")
    out = tmp_path / "out" / "CARD.md"
    write_model_card(folder, out, suite=suite)
    text = out.read_text(encoding="utf-8")
    assert "<script" not in text.replace("\\<script", "")
    assert "](javascript" not in text
    assert "![" not in text.replace("\\!\\[", "")
    assert TOKEN not in text
    assert "[token]" in text.replace("\\", "")
    assert "ferries.org" not in text
    assert not re.search("[\x00-\x08\x1b\u202e]", text)
    assert "## Evil heading" not in text
    front_matter, _ = parts(text)
    assert front_matter["license"].startswith("mit[U+202E]")
    assert front_matter["base_model"] == ["a"]
    assert "datasets" not in front_matter
    quoted = [line for line in text.splitlines() if line.startswith("> ")]
    assert len(quoted) >= 2
    assert "not checked here" in text
    for place in (out.parent / "CARD-evidence").iterdir():
        assert TOKEN not in place.read_text(encoding="utf-8"), "secrets of the card stand nowhere in the report"


def test_a_card_that_is_there_stays_unless_forced(own, suite, tmp_path):
    folder = own("# m\n")
    with pytest.raises(BadInput, match=r"is there already; .* --force"):
        write_model_card(folder, folder / "README.md", suite=suite)
    assert (folder / "README.md").read_text(encoding="utf-8") == "# m\n"
    first = write_model_card(folder, folder / "README.md", suite=suite, force=True)
    assert "Written by Probatum" in (folder / "README.md").read_text(encoding="utf-8")
    assert [p.name for p in first] == ["README.md", "report.json", "report.html", "card.md"]
    (folder / "README.md").unlink()
    with pytest.raises(BadInput, match="README-evidence is there already"):
        write_model_card(folder, folder / "README.md", suite=suite)
    with pytest.raises(BadInput, match="is a directory"):
        write_model_card(folder, tmp_path, suite=suite)


def test_a_report_about_another_model_is_refused(report, tmp_path):
    with pytest.raises(BadInput, match="is about another model"):
        write_model_card("twin", tmp_path / "CARD.md", report=report)
    assert not (tmp_path / "CARD.md").exists()
    (tmp_path / "broken.json").write_text("{}", encoding="utf-8")
    for name in ("broken.json", "gone.json"):
        with pytest.raises(BadInput):
            write_model_card("specimen", tmp_path / "CARD.md", report=tmp_path / name)


@pytest.mark.parametrize(
    "given",
    [
        {"label": "y"},
        {"decisions": "d.csv"},
        {"decisions": "d.csv", "prediction": "p", "label": "l"},
        {"decisions": "d.csv", "prediction": "p", "groups": ("g",)},
    ],
)
def test_columns_and_table_go_together(given, tmp_path):
    with pytest.raises(BadInput, match="--decisions"):
        write_model_card("specimen", tmp_path / "CARD.md", **given)


def test_the_command_writes_the_card(report, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(["card", "specimen", "--from", str(report), "--no-cache"])
    assert end.value.code == 0
    assert "README.md" in capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["README-evidence", "README.md"]
    with pytest.raises(SystemExit) as end:
        main(["card", "specimen", "--from", str(report), "--no-cache"])
    assert end.value.code == 2
    assert "--force" in capsys.readouterr().err
    saved = json.loads((tmp_path / "README-evidence" / "report.json").read_text(encoding="utf-8"))
    assert saved == json.loads(report.read_text(encoding="utf-8")), "the evidence is the report that was given"
