"""The ledger of releases: added to, read back, and every edit named."""

import itertools
import json
import threading

import pytest

from probatum import BadInput
from probatum.core.releases import FIRST, Release, ledger_head, read_ledger, releases_of, spend

STATED = {
    "unit": "record", "relation": "add-or-remove-one", "sampler": "poisson", "q": 0.02, "sigma": 1.0, "T": 100,
    "C": 0.1, "delta": 1e-5, "data_digest": "d" * 64,
}  # fmt: skip


def release(**more):
    return Release(**{"what": "run", **STATED, **more})


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "privacy-ledger.jsonl"
    for number in range(4):
        spend(path, [release(what=f"run {number}", T=100 + number)])
    return path


def change(path, number, **values):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[number - 1].update(values)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_what_was_added_is_read_back(ledger):
    found = read_ledger(ledger)
    assert [r.what for r in found] == ["run 0", "run 1", "run 2", "run 3"]
    assert found[2].T == 102
    assert found[0].when.endswith("Z")
    lines = [json.loads(line) for line in ledger.read_text().splitlines()]
    assert lines[0]["previous"] == FIRST
    assert all(b["previous"] == a["digest"] for a, b in itertools.pairwise(lines))
    assert ledger_head(ledger) == lines[-1]["digest"]
    assert spend(ledger, [release()]) == ledger_head(ledger) != lines[-1]["digest"]


def test_lines_are_only_added(ledger):
    before = ledger.read_bytes()
    spend(ledger, [release(), release(T=7)])
    assert ledger.read_bytes().startswith(before)
    assert len(read_ledger(ledger)) == 6


@pytest.mark.parametrize("number", [1, 2, 4])
def test_an_edited_line_is_named(ledger, number):
    change(ledger, number, sigma=5.0)
    with pytest.raises(BadInput, match=rf"line {number}: was edited"):
        read_ledger(ledger)
    with pytest.raises(BadInput, match=rf"line {number}: was edited"):
        spend(ledger, [release()])


def test_an_edit_with_its_digest_made_anew_breaks_the_next_line(ledger):
    from probatum.core.releases import _digest

    line = json.loads(ledger.read_text().splitlines()[1])
    line["sigma"] = 5.0
    change(ledger, 2, sigma=5.0, digest=_digest(line))
    with pytest.raises(BadInput, match=r"line 3: does not follow .* line 2 was edited"):
        read_ledger(ledger)


def test_removed_moved_and_garbled_lines_are_named(ledger):
    lines = ledger.read_text().splitlines(keepends=True)
    for kept, named in (
        (lines[1:], "line 1: is not the first"),
        (lines[:1] + lines[2:], "line 2: does not follow"),
        ([lines[0], lines[2], lines[1], lines[3]], "line 2: does not follow"),
        ([*lines[:2], lines[2][:40]], "line 3: not a line of a ledger"),
        ([*lines, "[]\n"], "line 5: not a line of a ledger"),
    ):
        ledger.write_text("".join(kept))
        with pytest.raises(BadInput, match=named):
            read_ledger(ledger)


def test_a_head_noted_elsewhere_shows_a_cut_end(ledger):
    head = ledger_head(ledger)
    assert len(read_ledger(ledger, head=head)) == 4
    ledger.write_text("".join(ledger.read_text().splitlines(keepends=True)[:3]))
    assert len(read_ledger(ledger)) == 3  # nothing in the file shows it
    with pytest.raises(BadInput, match="no line has the digest"):
        read_ledger(ledger, head=head)


def test_writers_at_once_keep_the_chain(tmp_path):
    path = tmp_path / "ledger.jsonl"
    writers = [threading.Thread(target=spend, args=(path, [release(T=i + 1)])) for i in range(12)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(r.T for r in read_ledger(path)) == list(range(1, 13))


def test_a_certificate_counts_once(tmp_path):
    path = tmp_path / "ledger.jsonl"
    said = {**STATED, "q": [0.02, 0.1], "sigma": [1.0, 2.0], "T": [100, 5], "epsilon": 1.0}
    found = releases_of(said, what="adapter")
    assert [(r.what, r.q, r.sigma, r.T) for r in found] == [("adapter", 0.02, 1.0, 100), ("adapter", 0.1, 2.0, 5)]
    spend(path, found)
    with pytest.raises(BadInput, match="already in line 1"):
        spend(path, found)
    assert len(read_ledger(path)) == 2
    spend(path, releases_of({**said, "epsilon": 1.1}))  # another certificate


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("q", 1.2, "q must be a number above 0, at most 1"),
        ("q", 0, "q must be"),
        ("sigma", 0, "sigma must be"),
        ("sigma", float("nan"), "sigma must be"),
        ("sigma", True, "sigma must be"),
        ("T", -4, "T must be"),
        ("T", 1.5, "whole number"),
        ("delta", 0, "delta must be"),
        ("delta", 1, "delta must be a number above 0, below 1"),
        ("C", -1.0, "C must be"),
        ("unit", "", "'unit' must be a text"),
        ("sampler", "shuffled", "another epsilon"),
        ("relation", "both", "relation must be"),
        ("data_digest", None, "'data_digest' must be a text"),
    ],
)
def test_what_cannot_be_a_release_is_not_written(tmp_path, field, value, sentence):
    path = tmp_path / "ledger.jsonl"
    with pytest.raises(BadInput, match=sentence):
        spend(path, [release(), release(**{field: value})])
    assert not path.exists()


def test_bad_files_and_certificates(tmp_path):
    with pytest.raises(BadInput, match="no such ledger"):
        read_ledger(tmp_path / "none.jsonl")
    with pytest.raises(BadInput, match="no release"):
        spend(tmp_path / "none.jsonl", [])
    with pytest.raises(BadInput, match="'sigma' is missing"):
        releases_of({k: v for k, v in STATED.items() if k != "sigma"})
    with pytest.raises(BadInput, match="one value for each phase"):
        releases_of({**STATED, "T": [1, 2]})
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        spend(tmp_path / "file" / "ledger.jsonl", [release()])
