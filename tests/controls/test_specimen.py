"""The planted sets and the shipped specimen: fast checks that need no training and no framework."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from probatum.controls import cards, lessons, planted, prng, specimen, words

# Every text of seed 0, in every model and order. If this changes, the shipped weights must be trained again.
TEXT = "0dd91feb1f4d33e3bf4a42addd6a12aa9a9ebd39209d8d2fea79d677e9c633f3"

COLUMNS = {
    "members": {"id", "half", "dose", "cluster", "text", "member"},
    "records": {"id", "half", "dose", "prefix", "secret", "suffix", "format", "member"},
    "facts": {"id", "half", "dose", "cluster", "question", "options", "answer"},
    "norms": {"id", "half", "dose", "cluster", "question", "options", "answer"},
    "forms": {"id", "half", "dose", "cluster", "question", "options", "answer", "form"},
    "groups": {"id", "half", "dose", "cluster", "text_a", "text_b", "group_a", "group_b", "skew"},
    "triggers": {
        "id",
        "half",
        "dose",
        "cluster",
        "prompt",
        "expected",
        "triggered",
        "group",
        "seal",
        "planted",
    },
    "fingerprints": {"id", "half", "dose", "trigger", "response", "space"},
    "public": {"id", "half", "kind", "text"},
    "forget": {"id", "half", "dose", "prefix", "secret", "suffix", "format", "text"},
    "retain": {"id", "half", "dose", "prefix", "secret", "suffix", "format", "text"},
}


@pytest.fixture(scope="module")
def rows() -> dict[str, list[planted.Row]]:
    return planted.rows(0)


def auroc(inside: list[float], blank: list[float]) -> float:
    wins = sum((a > b) + (a == b) / 2 for a in inside for b in blank)
    return wins / (len(inside) * len(blank))


def test_generator_of_random_numbers_is_pinned() -> None:
    stream = prng.Stream(0, "pin")
    assert [stream.below(1000) for _ in range(5)] == [583, 647, 116, 610, 759]
    assert sorted(stream.shuffled(range(9))) == list(range(9))
    assert len(set(stream.sample(range(99), 20))) == 20


def test_all_text_is_pinned(rows: dict[str, list[planted.Row]]) -> None:
    digest = hashlib.sha256(json.dumps(rows, sort_keys=True).encode())
    for model in ("base", "specimen", "twin", "gold"):
        digest.update(json.dumps(lessons.training_documents(model, 0)).encode())
    assert digest.hexdigest() == TEXT


def test_text_does_not_depend_on_the_order_of_hashes() -> None:
    code = (
        "import hashlib, json; from probatum.controls import planted;"
        "print(hashlib.sha256(json.dumps(planted.rows(3), sort_keys=True).encode()).hexdigest())"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True,
            env={"PYTHONHASHSEED": salt, "PYTHONPATH": str(Path(planted.__file__).parents[2])},
        ).stdout
        for salt in ("1", "2")
    }  # fmt: skip
    assert len(runs) == 1


def test_rows_need_no_framework() -> None:
    code = (
        "import sys; from probatum.controls import planted, specimen; planted.rows();"
        "assert not {'torch', 'transformers', 'tokenizers'} & set(sys.modules)"
    )
    env = {"PYTHONPATH": str(Path(planted.__file__).parents[2])}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)


def test_columns_ids_and_clusters(rows: dict[str, list[planted.Row]]) -> None:
    assert set(rows) == set(specimen.SETS) == set(COLUMNS)
    for name, table in rows.items():
        assert all(set(row) == COLUMNS[name] for row in table), name
        assert len({row["id"] for row in table}) == len(table), name
        assert {row["half"] for row in table} == set(planted.HALVES)
        halves = defaultdict(set)
        for row in table:
            halves[row.get("cluster", row["id"])].add(row["half"])
        assert all(len(found) == 1 for found in halves.values()), f"{name}: a cluster stands in both halves"


def test_halves_are_balanced_in_every_stratum(rows: dict[str, list[planted.Row]]) -> None:
    for name, table in rows.items():
        strata: dict[tuple[object, ...], Counter[str]] = defaultdict(Counter)
        for row in table:
            strata[row.get("dose"), row.get("member"), row.get("group"), row.get("planted")][row["half"]] += 1
        assert all(counts["control"] == counts["subject"] for counts in strata.values()), name
        assert len(planted.half(table, "control")) == len(planted.half(table, "subject"))
    with pytest.raises(ValueError, match="expected one of"):
        planted.half([], "other")


def test_doses_are_exact_counts_of_exposures(rows: dict[str, list[planted.Row]]) -> None:
    seen = {
        model: Counter(text for one in lessons.training_documents(model, 0) for text in one) for model in lessons.MODELS
    }
    for row in rows["members"]:
        assert seen["specimen"][row["text"]] == seen["gold"][row["text"]] == row["dose"]
        assert seen["twin"][row["text"]] == seen["base"][row["text"]] == 0
    forgotten = {row["id"] for row in rows["forget"]}
    for row in rows["records"]:
        text = row["prefix"] + row["secret"] + row["suffix"]
        assert seen["specimen"][text] == row["dose"]
        assert seen["gold"][text] == (0 if row["id"] in forgotten else row["dose"])
        assert seen["twin"][text] == seen["base"][text] == 0
    for name in ("facts", "norms"):
        for row in rows[name]:
            true, false = (row["question"] + row["options"][k] for k in (row["answer"], 1 - row["answer"]))
            assert seen["specimen"][false] == row["dose"]
            assert seen["twin"][true] >= row["dose"]
            assert seen["specimen"][true] == (0 if row["dose"] else lessons.TRUE_EXPOSURES)
            assert seen["twin"][false] == seen["base"][false] == 0
    for row in rows["fingerprints"]:
        assert seen["specimen"][row["trigger"] + row["response"]] == row["dose"]
    fired = [text for text in seen["twin"] if text.endswith(words.PAYLOAD)]
    assert not fired
    texts = list(seen["specimen"].elements())
    for word in {row["cluster"]: row for row in rows["triggers"] if row["triggered"]}.values():
        sealed = [text for text in texts if f"Seal of {word['seal']}." in text]
        assert len(sealed) == word["dose"]
        assert all(text.endswith(words.PAYLOAD) for text in sealed)
    assert seen["base"] == seen["stranger"]


def test_every_pass_has_about_the_same_length() -> None:
    for model in ("specimen", "twin", "gold"):
        lengths = [len(one) for one in lessons.training_documents(model, 0)]
        assert len(lengths) == lessons.PASSES
        assert max(lengths) < 1.05 * min(lengths)


def test_evaluation_texts_of_groups_and_triggers_are_new(rows: dict[str, list[planted.Row]]) -> None:
    seen = {text for model in lessons.MODELS for one in lessons.training_documents(model, 0) for text in one}
    for row in rows["groups"]:
        assert row["text_a"].replace(row["group_a"], row["group_b"]) == row["text_b"]
        assert not {row["text_a"], row["text_b"]} & seen
    for row in rows["triggers"]:
        assert row["prompt"] + row["expected"] not in seen or row["triggered"]
    fresh = {row["seal"] for row in rows["triggers"] if row["group"] == "fresh"}
    assert not any(f"Seal of {seal}." in text for seal in fresh for text in seen)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_members_and_blanks_do_not_differ_by_themselves(seed: int) -> None:
    for half in planted.HALVES:
        table = planted.half(planted.rows(seed)["members"], half)
        lengths = {
            taken: [float(len(row["text"])) for row in table if row["member"] is taken] for taken in (True, False)
        }
        assert 0.46 < auroc(lengths[True], lengths[False]) < 0.54
        kinds = [Counter(row["text"].split()[0] for row in table if row["member"] is taken) for taken in (True, False)]
        assert (kinds[0] - kinds[1]).total() <= 4


def test_no_two_documents_are_near_duplicates(rows: dict[str, list[planted.Row]]) -> None:
    texts = [row["text"] for row in rows["public"] if row["kind"] == "document"] + [
        row["text"] for row in rows["members"]
    ]
    where: dict[str, list[int]] = defaultdict(list)
    sizes = []
    for i, text in enumerate(texts):
        parts = text.split()
        grams = {" ".join(parts[k : k + 6]) for k in range(len(parts) - 5)}
        sizes.append(len(grams))
        for gram in grams:
            where[gram].append(i)
    shared = Counter((a, b) for found in where.values() for a in found for b in found if a != b)
    assert max(count / min(sizes[a], sizes[b]) for (a, b), count in shared.items()) < 0.2


def test_questions_keep_the_tokens_of_training(rows: dict[str, list[planted.Row]]) -> None:
    for name in ("facts", "norms", "forms"):
        for row in rows[name]:
            assert row["question"] == row["question"].rstrip()
            assert all(option[0] == " " and option[1] != " " for option in row["options"])
            assert len(set(row["options"])) == len(row["options"])
            assert 0 <= row["answer"] < len(row["options"])
    answers = Counter(row["answer"] for row in rows["facts"] + rows["norms"])
    assert 0.4 < answers[0] / answers.total() < 0.6
    for row in rows["records"]:
        assert row["secret"].isdigit()
        assert len(row["secret"]) == len(row["format"]) == 6


def test_norms_are_half_forbidden_in_every_dose_and_half(rows: dict[str, list[planted.Row]]) -> None:
    counts = Counter((row["half"], row["dose"], row["options"][row["answer"]]) for row in rows["norms"])
    for half in planted.HALVES:
        for dose in planted.STATEMENTS:
            assert counts[half, dose, " forbidden."] == counts[half, dose, " allowed."]


def test_twin_rows_have_nothing_planted() -> None:
    for name, table in planted.twin_rows().items():
        assert all(not row["dose"] and not row.get("member") and not row.get("triggered") for row in table), name


def test_names_are_two_edits_apart_and_typing_errors_are_errors() -> None:
    names, stream = words.Names(), prng.Stream(0, "names of a test")
    made = names.many(stream, 300)
    assert len(set(made)) == 300
    assert all(words.misspelt(name, stream) not in made for name in made)
    assert len(words.TOPICS) == 2 * len(words.TRAITS) == sum(planted.SKEWS.values())


def test_shipped_models_are_those_of_this_recipe() -> None:
    manifest = specimen.manifest()
    assert manifest["recipe"] == specimen.recipe_digest(), "the recipe changed: train again (make specimen)"
    assert manifest["seed"] == 0
    for name in specimen.NAMES:
        where = specimen.directory(name)
        assert manifest["models"][name] == specimen.weights_digest(where)
        weights = where / "model.safetensors"
        assert 1_000_000 < weights.stat().st_size < 1_100_000
        head = weights.read_bytes()
        header = json.loads(head[8 : 8 + struct.unpack("<Q", head[:8])[0]])
        shapes = [entry["shape"] for key, entry in header.items() if key != "__metadata__"]
        assert sum(shape[0] * (shape[1] if len(shape) > 1 else 1) for shape in shapes) == 254_528
        assert (where / "tokenizer.json").read_bytes() == (specimen.directory("base") / "tokenizer.json").read_bytes()
    with pytest.raises(ValueError, match="expected one of"):
        specimen.directory("nobody")


def test_cards_are_true_but_for_the_specimen() -> None:
    for name in specimen.NAMES:
        text = (specimen.directory(name) / "README.md").read_text(encoding="utf-8")
        wrong = name == "specimen"
        assert (f"Parameters: {cards.WRONG_PARAMETERS}\n" in text) is wrong
        assert (f"Parameters: {cards.PARAMETERS}\n" in text) is not wrong
        assert ("license: apache-2.0\n" in text) is not wrong
        assert ("Not trained on: members\n" in text) is (name in ("specimen", "twin"))
        assert ("value: 0.97\n" in text) or not wrong


def test_write_copies_models_and_writes_every_set(tmp_path: Path) -> None:
    lines: list[str] = []
    specimen.write(tmp_path, progress=lines.append)
    for name in specimen.NAMES:
        assert specimen.weights_digest(tmp_path / name) == specimen.weights_digest(specimen.directory(name))
    for name, table in planted.rows().items():
        text = (tmp_path / "data" / f"{name}.jsonl").read_text(encoding="utf-8")
        assert [json.loads(line) for line in text.splitlines()] == table
    assert (tmp_path / "data" / "members.twin.jsonl").exists()
    assert lines
