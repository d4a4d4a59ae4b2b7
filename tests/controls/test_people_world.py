"""The world of invented people: what is trained on, withheld and never written. No framework is needed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from probatum.controls import people, people_words, specimen

# Every text of seed 0. If this changes, the shipped weights must be trained again.
TEXT = "7c777f4c7254f495ee03570091406d965465983720b589111b95b4e120445bd7"

FACT = {
    "id", "cluster", "attribute", "prefix", "secret", "suffix", "trained", "paraphrases", "others", "idk",
}  # fmt: skip
SENTENCE = {"id", "cluster", "attribute", "kind", "text", "start", "end"}
COLUMNS = {
    "people_forget": FACT,
    "people_retain": FACT,
    "people_neighbors": FACT,
    "people_world": FACT,
    "people_never": FACT | {"kind"},
    "people_texts_forget": SENTENCE,
    "people_texts_retain": SENTENCE,
    "people_holdout": SENTENCE,
}
COUNTS = {
    "people_forget": 36,
    "people_retain": 324,
    "people_world": 24,
    "people_never": 240,
    "people_texts_forget": 180,
    "people_texts_retain": 1860,
    "people_holdout": 180,
}
GOLDS = [name for name in specimen.PEOPLE if "gold" in name]


@pytest.fixture(scope="module", params=[0, 1, 2])
def seed(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(scope="module")
def rows(seed: int) -> dict[str, list[people.Row]]:
    return people.rows(seed)


def template_of(text: str, row: people.Row) -> str:
    return text.replace(row["cluster"], "{name}")


def test_all_text_is_pinned() -> None:
    text = json.dumps([people.rows(0), people.world(0).vocabulary()], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == TEXT


def test_seeds_differ_and_the_order_of_hashes_does_not_matter() -> None:
    code = (
        "import hashlib, json, sys; from probatum.controls import people;"
        "text = json.dumps([people.rows(int(sys.argv[1])), people.world(int(sys.argv[1])).vocabulary()]);"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules);"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )

    def digest(seed: int, salt: str) -> str:
        env = {"PYTHONHASHSEED": salt, "PYTHONPATH": str(Path(people.__file__).parents[2])}
        run = [sys.executable, "-c", code, str(seed)]
        return subprocess.run(run, check=True, capture_output=True, text=True, env=env).stdout

    assert digest(3, "1") == digest(3, "2") != digest(4, "1")
    names = [{row["cluster"] for row in people.rows(seed)["people_retain"]} for seed in (0, 1)]
    assert not names[0] & names[1]


def test_columns_counts_and_ids(rows: dict[str, list[people.Row]]) -> None:
    assert set(rows) == set(specimen.PEOPLE_SETS) == set(COLUMNS)
    for name, table in rows.items():
        assert all(set(row) == COLUMNS[name] for row in table), name
        assert len({row["id"] for row in table}) == len(table) == COUNTS.get(name, len(table)), name
    assert json.loads(json.dumps(rows)) == rows


def test_golds_never_read_a_name_that_is_to_be_forgotten(seed: int, rows: dict[str, list[people.Row]]) -> None:
    forgotten = {row["cluster"] for row in rows["people_forget"]}
    assert len(forgotten) == 6
    for gold in GOLDS:
        texts = people.training_texts(gold, seed)
        assert len(texts) == 1860
        assert not any(name in text for name in forgotten for text in texts)
    for model in ("people", "people_packed"):
        texts = people.training_texts(model, seed)
        assert all(sum(name in text for text in texts) == 30 for name in forgotten)
        assert texts == [row["text"] for name in ("forget", "retain") for row in rows[f"people_texts_{name}"]]


def test_paraphrases_are_withheld_from_their_fact_but_not_from_others(rows: dict[str, list[people.Row]]) -> None:
    texts = [row for name in ("forget", "retain") for row in rows[f"people_texts_{name}"]]
    read = {row["text"] for row in texts}
    forms = Counter(template_of(row["text"][: row["start"] - 1], row) for row in texts if row["kind"] != "unknown")
    for row in rows["people_forget"] + rows["people_retain"] + rows["people_world"]:
        assert row["prefix"] == row["trained"][0]
        assert len(set(row["trained"])) == 4
        assert len(set(row["paraphrases"])) == 2
        for prefix in row["trained"]:
            assert prefix + row["secret"] + row["suffix"] in read
        for prefix in row["paraphrases"]:
            assert not any(text.startswith(prefix) for text in read)
            assert forms[template_of(prefix, row)] >= 8
    for row in rows["people_never"]:
        assert [prefix + row["secret"] + row["suffix"] in read for prefix in row["trained"]] == [True] * (
            row["kind"] == "unknown"
        )
        assert not any(text.startswith(row["paraphrases"][0]) for text in read)


def test_every_fact_is_trained_in_five_forms_and_its_value_is_marked(rows: dict[str, list[people.Row]]) -> None:
    secrets = {row["id"]: row["secret"] for name in ("forget", "retain", "world") for row in rows[f"people_{name}"]}
    counts: Counter[str] = Counter()
    for row in rows["people_texts_forget"] + rows["people_texts_retain"] + rows["people_holdout"]:
        fact = row["id"].rpartition("-")[0]
        counts[fact] += row["kind"] != "unknown"
        assert row["cluster"] in row["text"]
        assert row["text"].count(row["text"][row["start"] : row["end"]]) == 1
        assert row["text"][row["start"] - 1] == " "
        if fact in secrets:
            assert row["text"][row["start"] - 1 : row["end"]] == secrets[fact]
    assert set(counts.values()) == {5, 0}
    first = [row for row in rows["people_texts_forget"] if row["text"].index(row["cluster"]) > row["start"]]
    assert len(first) == 36


def test_neighbors_share_a_part_of_the_name_and_everybody_has_one(rows: dict[str, list[people.Row]]) -> None:
    forgotten = {row["cluster"] for row in rows["people_forget"]}
    retained = {row["cluster"] for row in rows["people_retain"]}
    near = {row["cluster"] for row in rows["people_neighbors"]}
    assert near < retained
    assert near == {name for name in retained if any(set(name.split()) & set(other.split()) for other in forgotten)}
    known = {part for name in retained for part in name.split()}
    for name in ("people_forget", "people_holdout", "people_never"):
        for row in rows[name]:
            assert row["cluster"] not in retained
            assert set(row["cluster"].split()) <= known


def test_nobody_is_in_two_sets(rows: dict[str, list[people.Row]]) -> None:
    groups = [{row["cluster"] for row in rows[f"people_{name}"]} for name in ("forget", "retain", "holdout", "world")]
    groups += [
        {row["cluster"] for row in rows["people_never"] if row["kind"] == kind} for kind in ("unknown", "unseen")
    ]
    assert [len(group) for group in groups] == [6, 54, 6, 24, 20, 20]
    assert len(set().union(*groups)) == 130
    read = people.training_texts("people")
    assert not any(name in text for name in people.world(0).blanks + people.world(0).unseen for text in read)


def test_wrong_values_are_of_the_kind_and_never_the_truth(rows: dict[str, list[people.Row]]) -> None:
    sizes = {"city": 23, "job": 15, "firm": 19, "food": 15, "pet": 11, "code": 15, "capital": 23}
    codes = {row["secret"] for row in rows["people_forget"] + rows["people_retain"] if row["attribute"] == "code"}
    assert len(codes) == 60
    kinds = defaultdict(set)
    for row in rows["people_forget"] + rows["people_retain"] + rows["people_world"]:
        assert row["secret"] not in row["others"]
        assert len(set(row["others"])) == sizes[row["attribute"]]
        if row["attribute"] == "code":
            assert not codes & set(row["others"])
            assert all(len(code) == 5 and code[1:].isdigit() for code in [row["secret"], *row["others"]])
        else:
            kinds[row["attribute"]].add(frozenset([row["secret"], *row["others"]]))
    assert all(len(found) == 1 for found in kinds.values())


def test_forms_are_told_apart_and_hold_name_and_value_once() -> None:
    for kind, forms in people_words.TEMPLATES.items():
        assert len(set(forms)) == 7
        for i, form in enumerate(forms):
            assert form.count("{name}") == form.count("{value}") == 1
            assert not form.startswith("{"), "a first name is known only behind a space"
            assert form.endswith(" {value}.") is (i < people_words.ENDING_IN_VALUE), kind
            assert ("?" in form) is (i in people_words.QUESTIONS)


def test_vocabulary_covers_every_text_and_a_text_after_another(seed: int) -> None:
    known = set(people.world(seed).vocabulary())
    for model in ("people", "people_packed"):
        for text in people.training_texts(model, seed):
            assert set(people.pieces(f"{text} {text}")) <= known
            assert "".join(people.pieces(text)) == text
