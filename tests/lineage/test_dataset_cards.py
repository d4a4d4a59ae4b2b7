"""Cards of data sets: known fill is counted exactly, templates count nothing, and a model's card must fit its data."""

import json
import random
from pathlib import Path

import pytest
from models import llama, write

from probatum.files.card_sections import words
from probatum.files.data_card import DATA, SECTIONS
from probatum.files.documents import read_documents
from probatum.lineage.data_sets import beside, check_names, find_data_sets
from probatum.lineage.practice import filled

WRITTEN = {
    "description": ("Dataset Summary", "Letters that people of the country wrote to its ferries."),
    "structure": ("Data Fields", "Each row has the letter, its date and its port."),
    "creation": ("Curation Rationale", "Clerks copied the letters by hand over one long winter."),
    "personal data": ("Personal and Sensitive Information", "All names of writers were taken out by hand."),
    "considerations": ("Discussion of Biases", "Islands without a ferry wrote no letters at all."),
    "licensing": ("Licensing Information", "MIT"),
    "citation": ("Citation Information", "The clerks, Letters to the ferries, second edition, 1987."),
    "maintenance": ("Dataset Curators", "The ministry of ferries answers questions every Monday."),
}
EMPTY = (
    "[More Information Needed]",
    "[More Information Needed](https://example.org/how-to-contribute)",
    "<!-- Say who made it. -->",
    "[Needs More Information]",
    "Thanks to [@github-username](https://github.com/<github-username>) for adding this dataset.",
    "Users should be made aware of the risks, biases and limitations of the dataset. More information needed for "
    "further recommendations.",
    "- **Curated by:** [More Information Needed]\n- **License:** [More Information Needed]",
)


def planted(own, rng, contents=True):
    parts = ["---\npretty_name: letters\n---\n# Dataset Card for Letters\n"]
    if contents:
        parts.append("## Table of Contents\n- [Dataset Description](#dataset-description)\n- [Languages](#languages)\n")
    parts += [f"## {h}\n\n{text if name in own else rng.choice(EMPTY)}\n" for name, (h, text) in WRITTEN.items()]
    return "\n".join(parts)


def put(folder: Path, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def test_of_two_hundred_cards_the_known_fill_is_counted_exactly(tmp_path):
    rng = random.Random(5)
    for n in range(200):
        own = {name for name in SECTIONS if rng.random() < n / 199}
        folder = put(tmp_path / str(n), README__md=planted(own, rng, n % 2))
        assert filled(folder) == (True, frozenset(own))


def test_the_probe_counts_the_sections_of_a_data_set(tmp_path):
    from probatum.controls.folder import Folder
    from probatum.probes.transparency.card_completeness import card_completeness

    text = planted({"creation", "licensing"}, random.Random(1)).replace(
        "\n\nMIT\n", "\n\nThe terms of the old MIT license\n"
    )
    scores = card_completeness(Folder("letters", {"README.md": text, "train.csv": "a\n"}))
    assert {name for name, value in zip(scores.ids, scores.values, strict=True) if value} == {"creation", "licensing"}
    assert tuple(scores.ids) == SECTIONS


@pytest.mark.parametrize(
    ("heading", "section"),
    [
        ("Dataset Structure", "structure"), ("Data Splits", "structure"), ("Source Data", "creation"),
        ("Who are the source language producers?", "creation"), ("Annotation process", "creation"),
        ("Data Collection and Processing", "creation"), ("Out-of-Scope Use", "considerations"),
        ("Considerations for Using the Data", "considerations"), ("Social Impact of Dataset", "considerations"),
        ("Terms of Use", "licensing"), ("BibTeX", "citation"), ("Contributions", "maintenance"),
        ("Dataset Card Contact", "maintenance"), ("Dataset Sources [optional]", "description"),
        ("Supported Tasks and Leaderboards", "description"), ("Privacy", "personal data"),
    ],
)  # fmt: skip
def test_headings_of_both_templates_belong_to_one_section(heading, section, tmp_path):
    put(tmp_path, README__md=f"# Dataset Card for X\n\n## {heading}\n\nSome words that somebody wrote.\n")
    assert filled(tmp_path) == (True, {section})


def test_the_template_as_the_hub_library_writes_it_counts_nothing(tmp_path):
    pytest.importorskip("huggingface_hub")
    from huggingface_hub import DatasetCard, DatasetCardData

    put(tmp_path, README__md=str(DatasetCard.from_template(DatasetCardData(pretty_name="x"))))
    card = read_documents(tmp_path)
    assert card.scheme is DATA
    assert sum(words(s.lines) for s in card.sections) == 0
    assert filled(tmp_path) == (True, frozenset())


@pytest.mark.parametrize(
    ("files", "is_one"),
    [
        ({"README__md": "---\ndataset_info: {}\n---\n"}, True),
        ({"README__md": "# Dataset Card for X\n"}, True),
        ({"train__parquet": "x"}, True),
        ({"README__md": "# Model Card for X\n"}, False),
        ({"README__md": "---\nbase_model: b\n---\n", "train__csv": "x"}, False),
        ({"README__md": "# Dataset Card for X\n", "config__json": "{}"}, False),
        ({"notes__txt": "x"}, False),
    ],
)
def test_what_a_data_set_is(files, is_one, tmp_path):
    put(tmp_path / "d", **files)
    assert bool(find_data_sets(tmp_path, [])) is is_one


def test_data_sets_are_found_on_three_levels_and_none_within_a_model(tmp_path):
    model = write(tmp_path / "org" / "model", llama(1))
    put(model / "data", train__csv="x")
    for name in ("one", "org/two", "datasets/org/three"):
        put(tmp_path / name, README__md="# Dataset Card\n")
    put(tmp_path / "bare" / "data", train__jsonl="{}")
    put(tmp_path / ".cache" / "x", train__jsonl="{}")
    assert [d.name for d in find_data_sets(tmp_path, [model])] == ["bare", "one", "org/three", "org/two"]


CARD = "---\nlicense: {}\n---\n# Dataset Card\n"


@pytest.fixture
def sets(tmp_path):
    put(tmp_path / "org" / "share", README__md=CARD.format("cc-by-sa-4.0"))
    put(tmp_path / "org" / "free", README__md=CARD.format("cc0-1.0"))
    put(tmp_path / "org" / "mute", README__md="# Dataset Card\n\n- **License:** [More Information Needed]\n")
    put(tmp_path / "org" / "told", README__md="# Dataset Card\n\n- **License:** ask the ministry\n")
    put(tmp_path / "org" / "bare", train__csv="x")
    return tmp_path


@pytest.mark.parametrize(
    ("named", "verdict"),
    [("org/share", "conflict"), ("org/free", "kept"), ("org/mute", "no license"), ("org/told", "unknown"),
     ("bare", "no card"), ("else/share", "not here"), ("ORG/Free", "kept")],
)  # fmt: skip
def test_a_models_card_is_held_against_the_cards_of_its_data(sets, named, verdict):
    (row,) = check_names({"m": {"license": "mit", "datasets": [named]}}, find_data_sets(sets, []))
    assert (row["verdict"], row["model"], row["data"]) == (verdict, "m", named)


def test_inconsistent_cards_are_counted_with_an_interval(sets):
    cards = {"a": {"license": "mit", "datasets": ["share", "free", "gone"]}, "b": {"datasets": "bare"}, "c": {}}
    found = beside(sets, [], cards)
    told = found["inconsistent"]
    assert (told["count"], told["n"]) == (2, 3)
    assert 0 < told["low"] < 2 / 3 < told["high"] < 1
    rows = {r["name"]: (r["count"], r["n"]) for r in found["documentation"]}
    assert rows["a card"] == (4, 5)
    assert rows["licensing"] == (3, 4)
    assert beside(sets / "org" / "free", [], {})["inconsistent"]["rate"] is None


def test_the_atlas_counts_data_sets_apart_and_its_page_escapes_them(tmp_path, sets):
    from probatum.core.plain import to_plain
    from probatum.lineage.survey import survey
    from probatum.reports.atlas import html

    for seed in (1, 2):
        put(write(tmp_path / f"m{seed}", llama(seed)), README__md="---\nlicense: mit\ndatasets: ['<b>x', share]\n---\n")
    found = survey(tmp_path)
    assert len(found.models) == 2
    assert len(found.data_sets["found"]) == 5
    assert found.data_sets["inconsistent"]["count"] == 2
    page = html(found)
    assert "<h2>Data sets</h2>" in page
    assert "<b>x" not in page
    assert json.dumps(to_plain(found))
