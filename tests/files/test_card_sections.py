"""Sections of a card: headings by their words, and of the text what somebody wrote."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from probatum.controls.documents import GENERATED, UNTOUCHED
from probatum.files.card_sections import SECTIONS, sections, words


def names(text):
    return {s.heading: set(s.names) for s in sections(text)}


def count(text):
    return sum(words(s.lines) for s in sections(text))


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Training data", {"training"}),
        ("Fine-tuning procedure", {"training"}),
        ("Dataset", {"training"}),
        ("Evaluation results", {"evaluation"}),
        ("Testing Data, Factors & Metrics", {"evaluation"}),
        ("Benchmarks", {"evaluation"}),
        ("Training and evaluation data", {"training", "evaluation"}),
        ("Bias, Risks, and Limitations", {"limitations"}),
        ("Ethical considerations", {"limitations"}),
        ("Intended uses & limitations", {"intended use", "limitations"}),
        ("Out-of-Scope Use", {"intended use"}),
        ("Uses", {"intended use"}),
        ("How to use", {"how to start"}),
        ("Usage", {"how to start"}),
        ("🚀 Quickstart", {"how to start"}),
        ("Use with transformers", {"how to start"}),
        ("How to Get Started with the Model", {"how to start"}),
        ("Environmental Impact", {"environmental impact"}),
        ("CO2 emissions", {"environmental impact"}),
        ("Citing & Authors", {"citation"}),
        ("BibTeX", {"citation"}),
        ("Model Description", {"details"}),
        ("Technical Specifications [optional]", {"details"}),
        ("Acknowledgments", set()),
    ],
)
def test_a_heading_belongs_to_the_sections_whose_words_it_holds(heading, expected):
    assert names(f"# m\n\nintro\n\n## {heading}\n\ntext\n")[heading] == expected


def test_a_heading_without_such_words_belongs_to_the_one_above():
    found = names("# m\n## Evaluation\n### Summary\nx\n### Speeds\nx\n## Glossary\nx\n")
    assert found["Summary"] == found["Speeds"] == {"evaluation"}
    assert found["Glossary"] == set(), "what stands under the title alone need not be about the model"


@pytest.mark.parametrize(
    "text",
    ["Training\n========\n\nx", "Training\n---\n\nx", "<h2 align='center'>Training</h2>\nx", "**Training**\n\nx"],
)
def test_headings_are_written_in_four_ways(text):
    assert {"training"} in names(f"# m\n\n{text}\n").values()


def test_a_bold_label_at_the_start_of_a_paragraph_is_a_heading_that_runs_into_its_text():
    text = (
        "# m\n\n## Hardware\n\n**Carbon footprint** Thirty watt hours.\n\n**Status** Done.\n\n- **Emissions:** none\n"
    )
    found = {s.heading: ([line.text for line in s.lines], set(s.names)) for s in sections(text)}
    assert found["Carbon footprint"] == (["Thirty watt hours."], {"environmental impact"})
    assert found["Status"] == (["Done."], set())
    assert list(found) == ["m", "Hardware", "Carbon footprint", "Status"], "an item of a list is no heading"


def test_a_comment_in_code_is_no_heading_and_a_table_has_none():
    text = "# m\n\n## Usage\n\n```python\n# Training\nx = 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- item\n---\n"
    assert list(names(text)) == ["m", "Usage"]


def test_front_matter_is_no_text():
    assert count("---\nlicense: mit\ntags:\n- training\n---\n") == 0
    assert sections("---\nlicense: mit\n---\nhello there\n")[0].lines[0].number == 4


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_nobody_wrote_has_no_words(text):
    assert count(f"## Training\n\n{text}\n") == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- **Developed by:** the clerks of the ministry", 5),
        ("More information needed, said the clerk", 3),
        ("[a link](https://example.org/with/many/words)", 2),
        ("![badge of the build](https://example.org/x.svg) [text](y)", 1),
        ("<img src='a b c d e'> one", 1),
        ("训练数据来自网页", 8),
        ("<!-- hidden\n\nstill hidden --> shown", 1),
        ("a <!-- never ends", 1),
        ("- learning_rate: 0.1", 3),
    ],
)
def test_words_are_what_a_reader_reads(text, expected):
    assert count(f"## Training\n\n{text}\n") == expected


def test_a_card_that_a_library_wrote_says_nothing_and_what_is_added_to_it_counts():
    assert count(GENERATED) == 0
    own = GENERATED.replace("More information needed\n", "It sorts notices of ferries by their topic.\n", 1)
    assert {n for s in sections(own) if s.lines for n in s.names} == {"details"}


def test_the_template_of_the_hub_says_nothing():
    hub = pytest.importorskip("huggingface_hub")
    template = Path(hub.__file__).parent / "templates" / "modelcard_template.md"
    if not template.is_file():
        pytest.skip("this version of the library has no template")
    text = template.read_text(encoding="utf-8")
    assert {n for s in sections(text) for n in s.names} == set(SECTIONS), "all eight are asked for"
    assert count(text) == 0


@pytest.mark.slow
def test_what_the_trainer_of_transformers_writes_says_nothing():
    from transformers.modelcard import TrainingSummary

    summary = TrainingSummary(
        model_name="m",
        finetuned_from="org/base-1.5",
        dataset=["notices"],
        eval_results={"Loss": 0.3, "Accuracy": 0.9},
        hyperparameters={"learning_rate": 2e-5, "optimizer": "adam with betas=(0.9,0.999)"},
        eval_lines=[{"Training Loss": 1.0, "Epoch": 1.0, "Step": 10, "Validation Loss": 0.3}],
        source="trainer",
    )
    summary.dataset_tags = None
    assert count(summary.to_model_card()) == 0


def test_no_text_ends_the_reader():
    draw = random.Random(5)
    pieces = ["# ", "## Training", "\n", "---", "```", "~~~", "<!--", "-->", "**", "|", "[", "](", "{{", "}}", "\x00",
              "\ufeff", "a", "More information needed", "<h1>", "</h1>", "=", " ", "- ", "\r\n", "\u2028"]  # fmt: skip
    for _ in range(2000):
        text = "".join(draw.choices(pieces, k=draw.randrange(1, 40)))
        assert count(text) >= 0
