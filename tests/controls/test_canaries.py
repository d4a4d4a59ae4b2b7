"""Canaries: fair coins, secrets that cannot be guessed, a key that notices a change, data that stay as they were."""

import collections
import datetime
import json
import re
import string
import tracemalloc

import numpy as np
import pytest
import scipy.stats

from probatum.controls import canary_insert, canary_key
from probatum.controls.canaries import LEAST, check_key, draw_key, make, read_canaries
from probatum.controls.canary_insert import insert
from probatum.controls.canary_key import open_key
from probatum.controls.canary_kinds import SAMPLED, TEMPLATES, bits, sampled
from probatum.core.data import Members
from probatum.core.errors import BadInput, ProbatumError
from probatum.core.masking import CLASSES
from probatum.probes.privacy.membership.loss import loss
from probatum.statistics import auroc
from probatum.testing import NgramTarget, TableTarget, UniformTarget

PRINTABLE = string.ascii_letters + string.digits + " .,:"
LETTERS = ["ada painted the lantern near the harbour.", "bram sold a kettle in the market, and left."] * 3


@pytest.fixture(scope="module")
def many():
    return draw_key(count=3000, repeats=(1, 4), seed=3).canaries


@pytest.fixture
def made(tmp_path):
    """A directory with canaries, and their key."""
    return tmp_path / "canaries", make(tmp_path / "canaries", count=60, repeats=(1, 3), seed=1)


def hidden(key, sentence):
    """That a message shows neither a secret nor a text."""
    return not any(c.text in sentence or c.secret in sentence for c in key.canaries)


# The draw.


def test_coins_are_fair_and_depend_on_nothing(many):
    coins = np.array([c.member for c in many])
    assert scipy.stats.binomtest(int(coins.sum()), len(coins), 0.5).pvalue > 0.001
    for what in ([c.kind for c in many], [c.repeats for c in many], coins[:-1], [c.secret[0] for c in many]):
        table = collections.Counter(zip(what, coins[-len(what) :], strict=True))
        rows = [[table[w, side] for side in (True, False)] for w in sorted(set(what))]
        assert scipy.stats.chi2_contingency(rows).pvalue > 0.001
    assert scipy.stats.binom.cdf(9, LEAST, 0.5) * 2 < 1e-3  # what LEAST promises


def test_secrets_follow_the_law_of_their_decoys(many):
    for kind, (_, form) in TEMPLATES.items():
        secrets = [c.secret for c in many if c.kind == kind]
        assert {len(s) for s in secrets} == {len(form)}
        for place, symbol in enumerate(form):
            seen = collections.Counter(s[place] for s in secrets)
            counts = [seen[letter] for letter in CLASSES[symbol]]
            assert sum(counts) == len(secrets), (kind, place)
            assert scipy.stats.chisquare(counts).pvalue > 1e-4, (kind, place)
    assert bits("digits") == pytest.approx(9 * np.log2(10))
    assert bits("people") == pytest.approx(2 * np.log2(26) + 6 * np.log2(10))
    assert bits("new-token") == pytest.approx(12 * np.log2(26))


def test_no_canary_equals_another_and_none_helps_to_guess_one(many):
    for column in ("id", "text", "prefix", "secret"):
        assert len({getattr(c, column) for c in many}) == len(many), column
    assert all(c.text == c.prefix + c.secret + c.suffix for c in many)
    assert collections.Counter((c.kind, c.repeats) for c in many) == dict.fromkeys(
        [(kind, n) for kind in TEMPLATES for n in (1, 4)], 500
    )


def test_a_seed_repeats_the_draw_and_without_one_it_is_new():
    same, again, fresh, other = (draw_key(count=40, seed=s) for s in (5, 5, None, None))
    assert same.canaries == again.canaries
    assert not {c.secret for c in fresh.canaries} & {c.secret for c in (*same.canaries, *other.canaries)}
    # The seal commits without telling: the same canaries have another one each time.
    assert same.seal != again.seal


def test_what_is_planted_stands_there_as_often_as_its_dose(made):
    _, key = made
    expected = {c.text: c.repeats for c in key.canaries if c.member}
    assert collections.Counter(key.planted) == expected
    assert {1, 3} == set(expected.values())
    assert len(expected) < len(key.canaries)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"count": 39}, "expected 40 to 100,000 canaries, got 39"),
        ({"kinds": ["digits", "birds"]}, "no kind of canary is called 'birds'; there are digits, people"),
        ({"kinds": ["digits", "digits"]}, "--kinds: 'digits' stands there twice"),
        ({"kinds": []}, "--kinds: name at least one"),
        ({"repeats": [0, 4]}, "repeats are counts from 1 to 10,000, got 0"),
        ({"repeats": [10**9]}, "got 1000000000"),
        ({"kinds": [SAMPLED]}, "are written by a model: name it with --model"),
        ({"temperature": 0.0}, "the temperature must be above 0"),
    ],
)
def test_a_draw_that_cannot_be_is_refused_in_one_sentence(options, sentence, tmp_path):
    with pytest.raises(BadInput) as refused:
        make(tmp_path / "canaries", **options)
    assert sentence in str(refused.value)
    assert not (tmp_path / "canaries").exists()


# Canaries that a model writes.


def test_a_model_writes_canaries_of_one_line_each():
    key = draw_key(count=40, kinds=["digits", SAMPLED], model=UniformTarget(PRINTABLE + "\n\t"), seed=0)
    texts = [c.text for c in key.canaries if c.kind == SAMPLED]
    assert len(set(texts)) == 20
    assert all(text.isprintable() and text == " ".join(text.split()) for text in texts)
    assert {c.secret for c in key.canaries if c.kind == SAMPLED} == {None}


def test_a_model_that_says_nothing_new_is_refused():
    with pytest.raises(BadInput, match=r"wrote only 0 of 5 canaries at temperature 1.2"):
        sampled(TableTarget(said=lambda prompt: " too short"), 5, "base", 1.2)


# The key.


def test_key_and_canaries_are_the_owners_alone(made):
    folder, key = made
    for name in ("key.json", "canaries.jsonl"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert open_key(folder) == open_key(folder / "key.json") == key
    lines = [json.loads(line) for line in (folder / "canaries.jsonl").open()]
    assert [line["text"] for line in lines] == key.planted
    assert {tuple(line) for line in lines} == {("text",)}, "a label in the training data would give the coins away"


def test_a_key_is_never_overwritten(made):
    folder, _ = made
    with pytest.raises(BadInput, match="is there already, and an audit may need it"):
        make(folder, seed=2)
    (folder / "key.json").unlink()
    with pytest.raises(BadInput, match=r"canaries.jsonl is there already"):
        make(folder, seed=2)
    with pytest.raises(BadInput, match="is a file; name a directory"):
        make(folder / "canaries.jsonl")


def turn(raw):
    raw["canaries"][7]["member"] = not raw["canaries"][7]["member"]


def repeat(raw):
    raw["canaries"][0]["repeats"] += 1


def drop(raw):
    raw["canaries"].pop()


def rename(raw):
    raw["run"] = "00000000"


def reseal(raw):
    raw["seal"] = "0" * 64


@pytest.mark.parametrize("change", [turn, repeat, drop, rename, reseal])
def test_a_key_that_was_changed_is_noticed(made, change):
    folder, key = made
    raw = json.loads((folder / "key.json").read_text())
    change(raw)
    (folder / "key.json").write_text(json.dumps(raw))
    with pytest.raises(BadInput, match="changed after it was made") as refused:
        read_canaries(folder / "key.json")
    assert hidden(key, str(refused.value))


def test_a_key_that_was_only_reformatted_still_opens(made):
    folder, key = made
    raw = json.loads((folder / "key.json").read_text())
    (folder / "key.json").write_text(json.dumps(raw, sort_keys=True))
    assert open_key(folder) == key


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": "probatum canaries"}', "\xff", '"text"', "null"])
def test_what_is_no_key_is_refused_in_one_sentence(content, tmp_path):
    (tmp_path / "key.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(BadInput, match="not a key of canaries"):
        open_key(tmp_path / "key.json")


def test_other_files_and_newer_keys_are_refused(made, tmp_path):
    folder, key = made
    with pytest.raises(BadInput, match="not a key of canaries") as refused:
        open_key(folder / "canaries.jsonl")
    assert hidden(key, str(refused.value))
    with pytest.raises(BadInput, match="no such file"):
        open_key(tmp_path / "nowhere.json")
    raw = json.loads((folder / "key.json").read_text()) | {"schema_version": 2}
    (folder / "key.json").write_text(json.dumps(raw))
    with pytest.raises(BadInput, match="made by a newer Probatum"):
        open_key(folder)


def test_a_key_says_nothing_when_it_is_printed(made):
    assert hidden(made[1], repr(made[1]) + repr(made[1].canaries[0]))


def test_a_key_is_data_for_three_kinds_of_probes(made):
    folder, key = made
    data = read_canaries(folder / "key.json")
    assert set(data) == {"Canaries", "Members", "Records"}
    assert data["Members"].randomized
    assert data["Canaries"].randomized
    for records in data.values():
        assert records.label == tuple(c.member for c in key.canaries)
        assert records.dose == tuple(float(c.repeats * c.member) for c in key.canaries)
        assert records.group == tuple(c.kind for c in key.canaries)
        assert records.ids == tuple(c.id for c in key.canaries)
    assert data["Records"].format == tuple(TEMPLATES[c.kind][1] for c in key.canaries)


def test_records_are_only_those_that_have_a_secret(tmp_path):
    make(tmp_path / "a", count=40, kinds=["digits", SAMPLED], model=UniformTarget(PRINTABLE), seed=0)
    data = read_canaries(tmp_path / "a")
    assert (len(data["Members"]), len(data["Records"])) == (40, 20)
    make(tmp_path / "b", count=40, kinds=[SAMPLED], model=UniformTarget(PRINTABLE), seed=0)
    assert set(read_canaries(tmp_path / "b")) == {"Canaries", "Members"}


def test_the_key_of_another_run_is_noticed_beside_the_training_data(made, tmp_path):
    folder, key = made
    other = make(tmp_path / "other", count=60, seed=2)
    n = sum(c.member for c in other.canaries)
    sentence = check_key(tmp_path / "other", [*LETTERS, *key.planted], "train.jsonl")
    assert sentence == f"none of the key's {n} planted canaries is in train.jsonl: is this the key of another run?"
    assert check_key(folder, [*LETTERS, *key.planted]) == ""
    assert check_key(folder, ["before " + " ".join(key.planted)]) == ""
    some = {text for text in key.planted if text != key.planted[0]}
    assert check_key(folder, some).startswith(f"only {len(some)} of the key's {len(some) + 1}")
    left_out = next(c.text for c in key.canaries if not c.member)
    assert check_key(folder, [*key.planted, left_out]).startswith("1 canaries that the coin left out")


# Among the training data.


ROWS = [{"id": i, "text": f"letter {i} – “é” ✓", "score": i / 7, "tags": ["a", None]} for i in range(200)]


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def test_records_keep_their_order_and_columns_and_canaries_stand_anywhere(made, tmp_path):
    folder, key = made
    done = insert(write(tmp_path / "train.jsonl", ROWS), folder / "key.json", tmp_path / "out.jsonl")
    mixed, texts = read(tmp_path / "out.jsonl"), set(key.planted)
    assert [row for row in mixed if row["text"] not in texts] == ROWS
    assert sorted(row["text"] for row in mixed if row["text"] in texts) == sorted(key.planted)
    assert all(list(row) == ["id", "text", "score", "tags"] for row in mixed)
    assert {row["id"] for row in mixed if row["text"] in texts} == {None}
    assert (done.records, done.lines) == (200, len(key.planted))
    assert done.canaries == len(texts)
    places = [i for i, row in enumerate(mixed) if row["text"] in texts]
    assert scipy.stats.kstest(np.array(places) / len(mixed), "uniform").pvalue > 0.001
    assert not list(tmp_path.glob("*.part"))


def test_every_kind_of_file_is_read_and_another_column_may_hold_the_text(made, tmp_path):
    import pyarrow
    import pyarrow.parquet

    folder, key = made
    (tmp_path / "a.txt").write_text("one\n\ntwo\n")
    (tmp_path / "b.csv").write_text('body,n\n"one, or so",1\ntwo,2\n')
    day = datetime.date(2030, 1, 2)
    pyarrow.parquet.write_table(pyarrow.table({"text": ["one"], "day": [day]}), tmp_path / "c.parquet")
    found = {}
    for name, field in (("a.txt", "text"), ("b.csv", "body"), ("c.parquet", "text")):
        insert(tmp_path / name, folder, tmp_path / f"{name}.jsonl", field=field)
        rows = read(tmp_path / f"{name}.jsonl")
        assert sorted(row[field] for row in rows if row[field] in key.planted) == sorted(key.planted)
        found[name] = [row for row in rows if row[field] not in key.planted]
    assert found["a.txt"] == [{"text": "one"}, {"text": "two"}]
    assert found["b.csv"] == [{"body": "one, or so", "n": "1"}, {"body": "two", "n": "2"}]
    assert found["c.parquet"] == [{"text": "one", "day": "2030-01-02"}]


def test_half_a_surrogate_and_a_line_separator_come_through(made, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "half \\ud83d, line \\u2028 end"}\n{"text": "é"}\n')
    insert(tmp_path / "a.jsonl", made[0], tmp_path / "out.jsonl")
    texts = [row["text"] for row in read(tmp_path / "out.jsonl")]
    assert {"half \ud83d, line \u2028 end", "é"} <= set(texts)


def test_what_cannot_be_inserted_is_refused_and_nothing_is_left(made, tmp_path):
    import pyarrow
    import pyarrow.parquet

    folder, key = made
    train = write(tmp_path / "train.jsonl", ROWS)
    insert(train, folder, tmp_path / "out.jsonl")
    whole = (tmp_path / "out.jsonl").read_bytes()
    stray = next(c.text for c in key.canaries if not c.member)
    pyarrow.parquet.write_table(pyarrow.table({"text": ["one"], "raw": [b"\x00"]}), tmp_path / "c.parquet")
    new = tmp_path / "new.jsonl"
    refused = [
        ((tmp_path / "out.jsonl", folder, new), {}, "canaries of this key stand there already"),
        ((write(tmp_path / "s.jsonl", [{"text": f"see: {stray}"}]), folder, new), {}, "1 canaries of this key"),
        ((train, folder, tmp_path / "out.jsonl"), {}, "is there already; name another file, or use --force"),
        ((train, folder, train), {"force": True}, "is the source itself"),
        ((train, folder, tmp_path / "new.txt"), {}, "expected a name ending in .jsonl"),
        ((train, folder, tmp_path / "no" / "new.jsonl"), {}, "could not be written"),
        ((train, folder, train / "new.jsonl"), {}, "could not be written"),
        ((train, folder, new), {"field": "body"}, "record 1: no text in the column 'body' (present: id, score, tags"),
        ((train, folder, new), {"field": "score"}, "record 1: no text in the column 'score'"),
        ((tmp_path / "c.parquet", folder, new), {}, "a column holds bytes, which JSON lines cannot"),
        ((tmp_path / "nowhere.jsonl", folder, new), {}, "no such file"),
    ]
    for words, options, sentence in refused:
        with pytest.raises(ProbatumError, match=re.escape(sentence)) as error:
            insert(*words, **options)
        assert hidden(key, str(error.value))
    assert not new.exists()
    assert not list(tmp_path.glob("*.part"))
    assert (tmp_path / "out.jsonl").read_bytes() == whole
    insert(train, folder, tmp_path / "out.jsonl", force=True)
    assert (tmp_path / "out.jsonl").read_bytes() == whole, "the same key and file give the same mixture"


def test_a_file_is_never_in_memory_as_a_whole_and_the_mixture_is_that_of_the_draw(made, tmp_path):
    folder, key = made
    body = "some words of a letter that nobody wrote " * 20
    rows = [{"id": i, "text": f"{i} {body}", "rest": None} for i in range(12_000)]
    size = write(tmp_path / "train.jsonl", rows).stat().st_size
    insert(tmp_path / "train.jsonl", folder, tmp_path / "first.jsonl")  # what is imported stays
    tracemalloc.start()
    try:
        insert(tmp_path / "train.jsonl", folder, tmp_path / "out.jsonl")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 10e6
    assert peak < 0.4 * size
    places = key.rng("insert").integers(len(rows) + 1, size=len(key.planted))
    order = sorted(range(len(places)), key=lambda i: (places[i], i))
    mixed = list(rows)
    for i in reversed(order):
        mixed.insert(places[i], {"id": None, "text": key.planted[i], "rest": None})
    assert read(tmp_path / "out.jsonl") == mixed


def test_a_file_that_changes_while_it_is_read_is_noticed(made, tmp_path, monkeypatch):
    train = write(tmp_path / "train.jsonl", ROWS)
    real = canary_insert.iterate_rows
    passes = []

    def shrinking(path):
        passes.append(path)
        yield from (row for i, row in enumerate(real(path)) if len(passes) == 1 or i < 150)

    monkeypatch.setattr(canary_insert, "iterate_rows", shrinking)
    with pytest.raises(BadInput, match=r"changed while it was read \(200 records, then 150\)"):
        insert(train, made[0], tmp_path / "out.jsonl")
    assert sorted(f.name for f in tmp_path.iterdir() if f.is_file()) == ["train.jsonl"]


def test_canaries_are_found_in_texts_of_any_number(made, monkeypatch):
    _, key = made
    monkeypatch.setattr(canary_key, "_AT_ONCE", 100)
    inside = {c.id for c in key.canaries if c.member}
    texts = [text for pair in zip(key.planted, LETTERS * 100, strict=False) for text in pair]
    assert canary_key.standing_in(key.canaries, iter(texts)) == inside
    assert canary_key.standing_in(key.canaries, iter(LETTERS)) == set()
    assert canary_key.standing_in(key.canaries, iter(())) == set()


# What an audit makes of them.


def test_planted_canaries_are_found_and_the_dose_tells():
    key = draw_key(count=120, repeats=(1, 8), seed=4)
    target = NgramTarget(dict(collections.Counter([*LETTERS, *key.planted])), vocabulary=PRINTABLE)
    data = Members.from_rows({"id": c.id, "text": c.text, "member": c.member, "dose": c.repeats} for c in key.canaries)
    result = auroc(loss(target, data.blind()), data.truth)
    assert result.estimate.value > 0.99
    assert result.p_value < 1e-6


def test_without_training_on_them_nothing_is_found_more_often_than_chance_says():
    target = NgramTarget(LETTERS, order=3, vocabulary=PRINTABLE)
    p = []
    for seed in range(150):
        key = draw_key(count=60, seed=seed)
        data = Members.from_rows({"id": c.id, "text": c.text, "member": c.member} for c in key.canaries)
        p.append(auroc(loss(target, data.blind()), data.truth).p_value)
    for a in (0.01, 0.05, 0.2):
        assert sum(x <= a for x in p) <= scipy.stats.binom.ppf(0.999, len(p), a), a
    assert sum(x <= 0.2 for x in p) >= scipy.stats.binom.ppf(0.001, len(p), 0.15), "a test that never rejects"
