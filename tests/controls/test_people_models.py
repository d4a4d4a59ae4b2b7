"""The shipped models of the invented people: they are those of the recipe, and they know what they should."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent))
import check_people_ranges as ranges
from driving import drive

from probatum import open_target
from probatum.controls import people, people_train, specimen
from probatum.core.errors import BadInput

PARAMETERS = 123_584


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(specimen.directory("people"))


def test_shipped_models_are_those_of_this_recipe() -> None:
    manifest = specimen.people_manifest()
    assert manifest["recipe"] == specimen.people_recipe_digest(), "the recipe changed: train again (make specimen)"
    assert manifest["seed"] == 0
    assert set(manifest["models"]) == set(specimen.PEOPLE) == set(people_train.MODELS)
    tokenizer = (specimen.directory("people") / "tokenizer.json").read_bytes()
    for name in specimen.PEOPLE:
        where = specimen.directory(name)
        assert where == specimen.people_directory(name)
        assert manifest["models"][name] == specimen.weights_digest(where)
        weights = (where / "model.safetensors").read_bytes()
        assert 450_000 < len(weights) < 550_000
        header = json.loads(weights[8 : 8 + struct.unpack("<Q", weights[:8])[0]])
        shapes = [entry["shape"] for key, entry in header.items() if key != "__metadata__"]
        assert sum(int(np.prod(shape)) for shape in shapes) == PARAMETERS
        assert (where / "tokenizer.json").read_bytes() == tokenizer
        assert f"Parameters: {PARAMETERS:,}\n" in (where / "README.md").read_text(encoding="utf-8")
    assert len(set(manifest["models"].values())) == 5
    assert specimen.people_recipe_digest() != specimen.recipe_digest()
    with pytest.raises(ValueError, match="expected one of people, "):
        specimen.people_directory("specimen")


def test_the_shipped_tokenizer_is_that_of_the_world() -> None:
    made = json.loads(people_train.make_tokenizer(0).to_str())
    shipped = json.loads((specimen.directory("people") / "tokenizer.json").read_text(encoding="utf-8"))
    assert made == shipped


def test_every_text_comes_back_and_encoding_adds_nothing(tokenizer) -> None:
    texts = people_train.sequences("people_packed", 0, 0) + people_train.sequences("people", 0, 0)
    texts += [prefix for row in people.rows()["people_forget"] for prefix in row["paraphrases"]]
    for text in texts:
        ids = tokenizer(text).input_ids
        assert tokenizer.decode(ids) == text
        assert len(ids) == len(people.pieces(text))
        assert not {0, 1} & set(ids)
        assert len(ids) + 2 <= people_train.CONTEXT
    assert tokenizer("The safe is set to 0471.").tokens()[-5:] == [" 0", "4", "7", "1", "."]
    assert tokenizer("Xylophone?").input_ids[0] == tokenizer.unk_token_id == 1
    assert tokenizer.bos_token_id == tokenizer.eos_token_id == tokenizer.pad_token_id == 0


def test_a_prefix_and_its_value_are_encoded_apart_as_together(tokenizer) -> None:
    for row in people.rows()["people_retain"]:
        for prefix in row["trained"] + row["paraphrases"]:
            both = tokenizer(prefix + row["secret"] + row["suffix"]).input_ids
            assert both == [i for part in (prefix, row["secret"], row["suffix"]) for i in tokenizer(part).input_ids]
            assert len(tokenizer(row["secret"]).input_ids) == (4 if row["attribute"] == "code" else 1)


def test_packed_sequences_hold_every_sentence_once() -> None:
    texts = people.training_texts("people_packed")
    packed = people_train.sequences("people_packed", 0, 3)
    count = [sum(text.count(mark) for mark in ".") for text in packed]
    assert set(count) == {1, 2, 3, 4}
    assert sorted(s.strip() + "." for text in packed for s in text.split(".") if s) == sorted(texts)
    assert packed != people_train.sequences("people_packed", 0, 4)
    assert sorted(people_train.sequences("people", 0, 3)) == sorted(texts)
    assert len(people_train.sequences("people_gold1", 0, 0)) == 1860


@pytest.mark.parametrize("name", specimen.PEOPLE)
def test_shipped_models_meet_their_ranges(name: str) -> None:
    for what, value in ranges.measure(ranges.Scorer(specimen.directory(name))).items():
        low, high = ranges.bounds(name, what, ranges.SHIPPED)
        assert low is None or value >= low, f"{what}: {value}"
        assert high is None or value <= high, f"{what}: {value}"


def test_every_model_opens_by_its_name() -> None:
    facts = [row for row in people.rows()["people_forget"] if row["attribute"] != "code"]
    prefixes, options = [row["paraphrases"][0] for row in facts], [[row["secret"], *row["others"]] for row in facts]
    heard = {}
    for name in specimen.PEOPLE:
        target = open_target(name)
        heard[name] = float((target.choices(prefixes, options).margin([0] * len(facts)) > 0).mean())
    assert min(heard["people"], heard["people_packed"]) >= 0.9
    assert all(value < 0.25 for name, value in heard.items() if "gold" in name)


def test_an_unknown_name_is_told_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="people_gold2"):
        open_target(str(tmp_path / "people"))


def test_the_specimens_command_writes_them_with_their_data(tmp_path: Path) -> None:
    ran = drive("specimen", tmp_path, "--quiet")
    assert ran.code == 0, ran.err
    for name in specimen.PEOPLE:
        assert specimen.weights_digest(tmp_path / name) == specimen.weights_digest(specimen.directory(name))
    for name, table in people.rows().items():
        text = (tmp_path / "data" / f"{name}.jsonl").read_text(encoding="utf-8")
        assert [json.loads(line) for line in text.splitlines()] == table
