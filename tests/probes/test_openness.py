"""Openness, reuse attributes and the release checklist: evidence or nothing, and more evidence never lowers a score."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

import probatum as pb
from probatum.controls.documents import BOASTS, STATED, Folder, bare, whole
from probatum.core.draws import keyed
from probatum.files.documents import Documents
from probatum.probes.transparency import openness as module
from probatum.probes.transparency.openness import openness
from probatum.probes.transparency.release_checklist import ITEMS, release_checklist
from probatum.probes.transparency.reuse_attributes import reuse_attributes

PROBES = {"openness": openness, "reuse_attributes": reuse_attributes, "release_checklist": release_checklist}


def scored(probe, files):
    scores = probe(Folder("planted", files))
    return dict(zip(scores.ids, scores.values.tolist(), strict=True)), scores


def some(rng):
    """A random part of the whole directory, the card cut by paragraphs and by keys."""
    files = {name: content for name, content in whole().items() if rng.random() < 0.5}
    _, front, body = whole()["README.md"].split("---\n", 2)
    keys = [block for block in re.split(r"\n(?=\w)", front.strip()) if rng.random() < 0.5]
    parts = [part for part in re.split(r"\n(?=## )", body) if rng.random() < 0.5]
    files["README.md"] = "---\n" + "\n".join(keys) + "\n---\n" + "\n".join(parts)
    return files


@pytest.mark.parametrize("name", PROBES)
def test_nothing_is_there_without_a_place(name):
    for n in range(60):
        files = some(keyed("part", name, n))
        _, scores = scored(PROBES[name], files)
        for value, place in zip(scores.values, scores.said, strict=True):
            named = place.removeprefix("stated in ")
            assert (place == "absent") or any(named.startswith(file) for file in files), place
            if value == 1:
                assert place != "absent"
                lines = re.search(r"README\.md, line (\d+)", place)
                assert lines is None or 0 < int(lines[1]) <= files["README.md"].count("\n") + 1


def units():
    """What evidence comes in: files, keys of the front matter, keys of the configuration, sections of the card."""
    files = whole()
    _, front, body = files.pop("README.md").split("---\n", 2)
    config = json.loads(files.pop("config.json"))
    return (
        [("file", name, content) for name, content in files.items()]
        + [("front", i, block) for i, block in enumerate(re.split(r"\n(?=\w)", front.strip()))]
        + [("body", i, part) for i, part in enumerate(re.split(r"\n(?=## )", body + STATED.split("---\n", 2)[2]))]
        + [("config", key, value) for key, value in config.items()]
    )


def put_together(chosen):
    files = {name: content for kind, name, content in chosen if kind == "file"}
    front = "\n".join(block for kind, _, block in sorted(chosen, key=lambda u: str(u[1])) if kind == "front")
    body = "\n".join(part for kind, _, part in sorted(chosen, key=lambda u: str(u[1])) if kind == "body")
    files["README.md"] = f"---\n{front}\n---\n\n{body}"
    if config := {key: value for kind, key, value in chosen if kind == "config"}:
        files["config.json"] = json.dumps(config)
    return files


@pytest.mark.parametrize("name", PROBES)
def test_more_evidence_never_lowers_a_score(name):
    """Units are added one by one in random order; no item falls, and neither do the shares of the finding.

    (What makes an item of the checklist applicable, such as classes, is no evidence of it, and may lower its share.)
    """
    for n in range(3):
        every = units()
        order = keyed("order", name, n).permutation(len(every))
        before, share, columns, asked = {}, (0.0, 0.0), np.zeros(0), 0
        for cut in range(len(order) + 1):
            scores = PROBES[name](Folder("growing", put_together([every[i] for i in order[:cut]])))
            now = dict(zip(scores.ids, scores.values.tolist(), strict=True))
            fallen = [i for i, value in now.items() if before.get(i, 0.0) > value]
            assert not fallen, (fallen, every[order[cut - 1]][:2])
            kept = scores.scored
            reached = (float(scores.values[kept].mean()), float(scores.null[kept].mean()))
            if name == "reuse_attributes" or kept.sum() == asked:
                assert reached[0] >= share[0] - 1e-12
                assert reached[1] >= share[1] - 1e-12
            before, share, columns, asked = now, reached, scores.null[:, 0], kept.sum()
        assert share == (1.0, columns.mean()), "at the end all is there"


@pytest.mark.parametrize(
    ("gone", "part"),
    [
        ("model.safetensors", None),
        ("tokenizer.json", "tokenizer"),
        ("LICENSE", None),
        ("evaluate.py", "evaluation code"),
        ("paper.pdf", None),
        ("config.json", "architecture"),
    ],
)
def test_what_is_taken_away_is_missed_unless_something_else_shows_it(gone, part):
    files = whole()
    del files[gone]
    values, _ = scored(openness, files)
    assert [name for name, value in values.items() if value == 0] == ([part] if part else [])


def test_a_link_counts_and_reads_stated():
    _, scores = scored(openness, {"README.md": STATED})
    at = scores.ids.index("training code")
    assert (scores.values[at], scores.null[at, 0], scores.said[at]) == (1, 0, "stated in README.md, line 9")


def test_a_restricted_license_is_a_license_and_not_an_open_one():
    values, _ = scored(openness, {"README.md": "---\nlicense: llama3.1\n---\n# m\n"})
    assert (values["license"], values["open license"]) == (1, 0)
    text = {"README.md": "---\nlicense: mit\n---\n", "LICENSE": "Attribution-NonCommercial 4.0 International"}
    assert scored(openness, text)[0]["open license"] == 0, "the text decides, not the name"


def test_shown_and_stated_are_counted_apart():
    finding = pb.run(reuse_attributes, Folder("stated", {"README.md": STATED}))
    assert finding.outcome == "measured"
    assert finding.estimate.value == 0
    assert finding.breakdown["shown or stated"].value == pytest.approx(11 / 19)
    assert finding.breakdown["provenance, shown or stated"].value == 1
    assert finding.breakdown["provenance"].value == 0
    assert finding.breakdown["guidance: names of the classes"].value is None


@pytest.mark.parametrize("name", PROBES)
def test_boasts_are_no_evidence(name):
    values, _ = scored(PROBES[name], {"README.md": BOASTS})
    assert not any(value == 1 for value in values.values())


def test_every_item_of_the_checklist_is_done_absent_or_does_not_apply():
    categories = {"data selection", "data cleaning", "documentation", "training", "environmental impact", "evaluation"}
    assert {item.split(": ")[0] for item in ITEMS} == categories | {"release and license"}
    for files in (whole(), bare(), {}):
        values, scores = scored(release_checklist, files or {"x": "y"})
        for item, place in zip(scores.ids, scores.said, strict=True):
            done = values[item] == 1
            assert done or values[item] == 0 or scores.unscored[item].startswith("does not apply: ")
            assert (place != "absent") == done or item in scores.unscored


def test_what_was_trained_from_scratch_has_no_base():
    _, scores = scored(release_checklist, {"README.md": "# m\n\nTrained from scratch by the clerks.\n"})
    assert "from scratch" in scores.unscored["training: base model named"]


@pytest.mark.parametrize("name", PROBES)
def test_a_broken_reader_concludes_nothing(name, monkeypatch):
    import importlib

    probe = importlib.import_module(f"probatum.probes.transparency.{name}")
    monkeypatch.setattr(probe, "read_documents", lambda folder: Documents(folder))
    finding = pb.run(PROBES[name], "twin")
    assert finding.outcome == "inconclusive"


def test_the_specimen_states_no_license_and_the_twin_does():
    parts = {name: pb.run(openness, name).breakdown for name in ("specimen", "twin")}
    assert parts["specimen"]["license"].value == 0
    assert parts["twin"]["license"].value == 1
    assert parts["twin"]["license"].method.startswith("stated in README.md, line 2")
    assert set(module.PARTS) < set(parts["twin"])
