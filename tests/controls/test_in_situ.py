"""Controls in a copy of the model under audit: what is planted, how often it is shown, and what is kept of it."""

import dataclasses
import itertools
import json
import stat
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path += [str(Path(__file__).parents[1] / folder) for folder in ("engine", "acceptance")]
from own_models import letters
from tiny_models import build

from probatum import Access, Canaries, Members, Records, Scores, Target, Texts, open_target
from probatum.controls import in_situ, planting
from probatum.controls.doses import LEAST, PLANS, Plan, planted, spread
from probatum.controls.in_situ import plant
from probatum.core.catalogue import load, probe
from probatum.core.errors import BadInput, NotOffered
from probatum.core.masking import shape
from probatum.engine import tuning
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.statistics import auroc

SMALL = (Plan(20, 8, 6, 8),)


def members(n=60, **more):
    texts = letters(2 * n, seed=5)
    rows = [{"id": f"t{i}", "text": text, "member": i < n} for i, text in enumerate(texts)]
    for column, value in more.items():
        for i, row in enumerate(rows):
            row[column] = value(i)
    return Members.from_rows(rows)


def secrets(n=12, prefix="Locker {i} of {who} opens with ", form="ddAA"):
    names = ("Ada", "Bram", "Cleo", "Dirk", "Elsa", "Finn")
    rows = [
        {"prefix": prefix.format(i=i, who=names[i % 6]), "secret": f"{i:02d}XY", "suffix": ".", "format": form}
        for i in range(n)
    ]
    return Records.from_rows(rows)


# What is planted.


@pytest.mark.parametrize(
    ("count", "top", "each", "double", "doses"),
    [
        (140, 32, 10, True, {32: 40, 16: 20, 8: 20, 4: 20, 2: 20, 1: 20}),
        (70, 32, 10, True, {32: 20, 16: 10, 8: 10, 4: 10, 2: 10, 1: 10}),
        (40, 32, 10, True, {32: 20, 8: 10, 2: 10}),
        (20, 16, 10, True, {16: 10, 2: 10}),
        (48, 128, 6, False, {128: 6, 64: 6, 32: 6, 16: 6, 8: 6, 4: 6, 2: 6, 1: 6}),
        (12, 32, 6, False, {32: 6, 2: 6}),
    ],
)
def test_doses_are_powers_of_two_and_the_highest_is_the_one_to_be_proved(count, top, each, double, doses):
    assert Counter(spread(count, top, each=each, double=double)) == doses
    assert sum(Counter(spread(count + 1, top, each=each, double=double)).values()) == count + 1


def test_a_random_half_of_the_nonmembers_is_planted_and_no_member_ever():
    data = members()
    got = planted({"Members": data}, PLANS[0], 0)["Members"]
    truth = dict(zip(data.ids, data.label, strict=True))
    assert len(got) == 60
    assert not any(truth[name] for name in got.ids)
    assert sum(got.label) == 30
    assert [d > 0 for d in got.dose] == list(got.label)
    assert got.randomized
    assert set(planted({"Members": data}, PLANS[0], 1)["Members"].ids) == set(got.ids)
    other = planted({"Members": data}, PLANS[0], 1)["Members"]
    assert dict(zip(other.ids, other.dose, strict=True)) != dict(zip(got.ids, got.dose, strict=True))


def test_the_order_of_the_records_does_not_matter():
    data = members()
    got = planted({"Members": data}, PLANS[0], 0)["Members"]
    again = planted({"Members": data.take(np.arange(len(data))[::-1])}, PLANS[0], 0)["Members"]
    assert dict(zip(got.ids, got.dose, strict=True)) == dict(zip(again.ids, again.dose, strict=True))


def test_a_cluster_is_planted_whole():
    data = members(100, cluster=lambda i: f"author {i // 2}")
    got = planted({"Members": data}, PLANS[0], 0)["Members"]
    doses = {}
    for name, dose in zip(got.cluster, got.dose, strict=True):
        doses.setdefault(name, set()).add(dose)
    assert {len(found) for found in doses.values()} == {1}
    assert len({n for n, d in zip(got.cluster, got.dose, strict=True) if d}) == 25


@pytest.mark.parametrize("seed", range(4))
def test_every_dose_is_dealt_evenly_to_those_who_learn_and_those_who_are_judged(seed):
    got = planted({"Members": members(140)}, PLANS[1], seed)["Members"]
    known, asked = (Counter(half.dose) for half in got.halves(seed))
    assert all(abs(known[dose] - asked[dose]) <= 1 for dose in (1, 2, 4, 8, 16, 32))
    assert asked[32] >= 10  # what a test of membership needs


def test_too_few_nonmembers_are_not_planted():
    few = members(60).take([*range(60), *range(60, 60 + 2 * LEAST - 1)])
    assert "Members" not in planted({"Members": few}, PLANS[-1], 0)
    enough = members(60).take([*range(60), *range(60, 60 + 2 * LEAST)])
    assert sum(planted({"Members": enough}, PLANS[-1], 0)["Members"].label) == LEAST


def test_a_text_has_one_dose():
    data = members()
    rows = [{"id": i, "text": t, "member": m} for i, t, m in zip(data.ids, data.text, data.label, strict=True)]
    pairs = [{**row, "cluster": f"pair {i % 60}"} for i, row in enumerate(rows)]
    for canaries in (rows, pairs):
        same = planted({"Members": data, "Canaries": Canaries.from_rows(canaries)}, PLANS[0], 0)
        doses = [dict(zip(same[kind].text, same[kind].dose, strict=True)) for kind in ("Members", "Canaries")]
        assert doses[0] == doses[1]
        assert same["Canaries"].label == tuple(dose > 0 for dose in same["Canaries"].dose)
    some = planted({"Members": data, "Canaries": Canaries.from_rows(rows[70:])}, PLANS[0], 0)
    assert "Members" not in some  # ten nonmembers are left that are no canaries
    assert not set(some["Canaries"].text) - {r["text"] for r in rows[70:]}


def test_secrets_are_new_and_in_the_style_of_the_users():
    data = secrets()
    got = planted({"Records": data}, PLANS[1], 0)["Records"]
    assert len(got) == 96
    assert sum(got.label) == 48
    assert not set(got.prefix) & set(data.prefix)
    assert len(set(got.prefix)) == 96
    assert {shape(secret) for secret in got.secret} == {"ddAA"}
    assert set(got.suffix) == {"."}
    words = [set(column) for column in zip(*(prefix.split(" ") for prefix in data.prefix), strict=True)]
    for prefix in got.prefix:  # a word at each place that some prefix has there, behind a tag where all are taken
        parts = prefix.split(": ")[-1].split(" ")
        assert all(part in known for part, known in zip(parts, words, strict=True)), prefix
    assert planted({"Records": data}, PLANS[1], 0)["Records"] == got
    assert planted({"Records": data}, PLANS[1], 1)["Records"].secret != got.secret


def test_prefixes_that_are_all_alike_get_a_tag():
    got = planted({"Records": secrets(prefix="My code is ")}, PLANS[1], 0)["Records"]
    assert len(set(got.prefix)) == 96
    assert all(prefix.endswith(": My code is ") for prefix in got.prefix)


def test_secrets_without_chance_are_not_planted():
    assert not planted({"Records": secrets(form="----")}, PLANS[0], 0)


# How it is shown.


def test_a_step_in_pieces_is_the_step(tmp_path, monkeypatch):
    path = build("llama", tmp_path / "model", vocab=300, eos="<end>", scale=1.0)
    target = open_target(path)
    rows = target.sequences(letters(6, seed=1))
    after = []
    for limit in (1 << 26, 300 * max(map(len, rows))):
        monkeypatch.setattr(tuning, "_LOGITS", limit)
        with target.module() as model:
            assert len(list(tuning._pieces(model, rows))) == (1 if limit > 1 << 20 else 6)
            step = tuning.stepper(model, learning_rate=1e-2, warmup=1)
            losses = [step(rows), step(rows)]
            assert losses[1] < losses[0]
            after.append({k: v.detach().numpy().copy() for k, v in model.state_dict().items()})
    for name, value in after[0].items():
        np.testing.assert_allclose(after[1][name], value, atol=1e-4, err_msg=name)


def test_a_rate_of_zero_changes_nothing(tmp_path):
    target = open_target(build("llama", tmp_path / "model", vocab=300, eos="<end>"))
    with target.module() as model:
        before = {k: v.clone() for k, v in model.state_dict().items()}
        step = tuning.stepper(model, learning_rate=0.0)
        step(target.sequences(letters(3, seed=1)))
        step(target.sequences(letters(3, seed=2)))
        assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_what_is_read_back_is_what_the_one_pass_gives(tmp_path):
    target = open_target(build("llama", tmp_path / "model", vocab=300, eos="<end>", context=256))
    texts = letters(5, seed=1)
    tokens = target.token_statistics(texts)
    with target.module() as model:
        answers = tuning.read_back(model, target.sequences(texts))
    for i, (logprob, likeliest) in enumerate(answers):
        np.testing.assert_allclose(logprob, tokens.logprob[i], atol=1e-4)
        np.testing.assert_array_equal(likeliest, tokens.argmax[i] == tokens.id[i])


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A tiny model, and a small plan in one round: for everything that does not ask whether it was learned."""
    torch.set_num_threads(1)
    monkeypatch.setattr(planting, "PLANS", SMALL)
    monkeypatch.setattr(in_situ, "PLANS", SMALL)
    monkeypatch.setattr(planting, "ROUNDS", 1)
    return build("llama", tmp_path / "model", vocab=300, eos="<end>", scale=1.0, context=256)


def spied(monkeypatch):
    """What every step of a tuning is shown, by the tokens of a text."""
    shown, real = Counter(), tuning.stepper

    def stepper(model, *, learning_rate, **more):
        step = real(model, learning_rate=learning_rate, **more)

        def spy(rows):
            if learning_rate:  # not those that are only timed
                shown.update(row.tobytes() for row in rows)
            return step(rows)

        return spy

    monkeypatch.setattr(tuning, "stepper", stepper)
    return shown


@pytest.mark.parametrize("rounds", [1, 2])
def test_a_dose_is_how_often_the_text_was_shown_in_all(tiny, monkeypatch, rounds):
    monkeypatch.setattr(planting, "ROUNDS", rounds)
    monkeypatch.setattr(planting._Lot, "learned", lambda *_: False)
    shown = spied(monkeypatch)
    subject, data = open_target(tiny), members()
    got = plant(subject, {"Members": data, "Records": secrets()}, seconds=600)
    for row, dose in zip(subject.sequences(got.data["Members"].texts), got.data["Members"].dose, strict=True):
        assert shown[row.tobytes()] == dose
    records = got.data["Records"]
    whole = [p + s + "." for p, s in zip(records.prefix, records.secret, strict=True)]
    for row, dose in zip(subject.sequences(whole), records.dose, strict=True):
        assert shown[row.tobytes()] == dose
    assert max(records.dose) == 8 * rounds
    planted_in_all = sum(got.data["Members"].dose) + sum(records.dose)
    background = {row.tobytes() for row in subject.sequences(data.texts[:60])}  # the members
    assert sum(n for row, n in shown.items() if row in background) == planted_in_all // 2
    assert sum(shown.values()) == planted_in_all + planted_in_all // 2


def test_the_schedule_is_repeated_only_for_what_is_not_yet_learned(tiny, monkeypatch):
    monkeypatch.setattr(planting, "ROUNDS", 3)
    monkeypatch.setattr(planting._Lot, "learned", lambda lot, _: lot.kind == "Members")
    got = plant(open_target(tiny), {"Members": members(), "Records": secrets()}, seconds=600)
    assert max(got.data["Members"].dose) == 8
    assert max(got.data["Records"].dose) == 24
    assert "the planted records of the highest dose were not all learned" in got.notes[-1]


@pytest.mark.parametrize(("kind", "rank"), [("Members", 0.9), ("Records", 0)])
def test_learned_means_told_from_the_blanks_or_written_word_for_word(tiny, monkeypatch, kind, rank):
    subject = open_target(tiny)
    lot = planting._Lot(kind, planted({"Members": members(), "Records": secrets()}, SMALL[0], 0)[kind], subject)
    with subject.module() as model:
        assert not lot.learned(model)
        top = [row for rows, dose in zip(lot.rows, lot.dose, strict=True) if dose == lot.dose.max() for row in rows]
        step = tuning.stepper(model, learning_rate=1e-2)
        for _ in range(150):
            step(top)
            if lot.learned(model):
                break
        assert lot.learned(model)


def test_the_tail_of_a_record_is_its_secret(tiny):
    subject = open_target(tiny)
    lot = planting._Lot("Records", planted({"Records": secrets()}, SMALL[0], 0)["Records"], subject)
    expected = subject.token_statistics(lot.data.secret, prefixes=lot.data.prefix).id.lengths
    assert lot.tails == expected.tolist()


def test_of_long_texts_every_token_is_shown(tmp_path):
    subject = open_target(build("llama", tmp_path / "model", vocab=300, eos="<end>", context=32))
    data = planted({"Members": members(), "Records": secrets(prefix="word " * 60 + "{i} {who} ")}, SMALL[0], 0)
    lot = planting._Lot("Members", data["Members"], subject)
    assert max(map(len, lot.rows)) > 3
    tokens = subject.token_statistics(lot.texts)
    with subject.module() as model:
        mean = lot._mean_logprob(model, np.arange(6))
    for i in range(6):  # of a first piece, what the one pass gives; later ones have less before them
        first = lot.rows[i][0]
        np.testing.assert_array_equal(first[1:], tokens.id[i][: len(first) - 1])
    assert mean == pytest.approx(tokens.logprob.mean()[:6], rel=0.3)
    for rows, ids in zip(lot.rows, subject.encode(lot.texts), strict=True):
        assert max(map(len, rows)) <= 32
        np.testing.assert_array_equal(np.concatenate([row[1:] for row in rows]), ids)
        assert all(a[-1] == b[0] for a, b in itertools.pairwise(rows))
    lot = planting._Lot("Records", data["Records"], subject)
    for (row,), secret in zip(lot.rows, lot.data.secret, strict=True):
        assert len(row) == 32
        assert subject.tokenizer().decode(row).endswith(f"{secret}.")


def test_the_subject_is_left_as_it_was(tiny):
    subject = open_target(tiny)
    before = subject.token_statistics(letters(3, seed=8)).logprob.values.copy()
    content = (tiny / "model.safetensors").read_bytes()
    got = plant(subject, {"Members": members()}, seconds=600)
    assert (tiny / "model.safetensors").read_bytes() == content
    fresh = open_target(tiny)
    np.testing.assert_array_equal(fresh.token_statistics(letters(3, seed=8)).logprob.values, before)
    assert got.copy.digest != subject.digest
    assert np.abs(got.copy.token_statistics(letters(3, seed=8)).logprob.values - before).max() > 1e-3


def test_the_same_seed_gives_the_same_copy(tiny):
    digests = {
        seed: [plant(open_target(tiny), {"Members": members()}, seconds=600, seed=seed).copy.digest for _ in range(2)]
        for seed in (0, 1)
    }
    assert digests[0][0] == digests[0][1]
    assert digests[0][0] != digests[1][0]


# What is kept.


def test_a_copy_is_kept_for_its_owner_only_and_found_again(tiny, tmp_path, monkeypatch):
    session = Session(EvidenceStore(tmp_path / "cache"))
    told = []
    first = plant(
        open_target(tiny, session=session), {"Members": members()}, seconds=600, session=session,
        progress=lambda *what: told.append(what),
    )  # fmt: skip
    assert first.trained
    assert told[-1][1] == told[-1][2]
    (folder,) = (tmp_path / "cache" / "in-situ").iterdir()
    for place in (folder, folder.parent):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert not any(text in (folder / "planted.json").read_text() for text in members().texts)

    def refuse(*_, **__):
        raise AssertionError("trained again")

    monkeypatch.setattr(planting.Tuning, "run", refuse)
    again = plant(open_target(tiny, session=session), {"Members": members()}, seconds=600, session=session)
    assert not again.trained
    assert (again.copy.digest, again.where, again.data) == (first.copy.digest, first.where, first.data)
    for other in ({"seed": 1}, {"records": {"Members": members(61)}}, {"how": "LoRA"}):
        given = {"records": {"Members": members()}, "seconds": 600, "session": session, **other}
        with pytest.raises(AssertionError, match="trained again"):
            plant(open_target(tiny, session=session), **given)
    monkeypatch.setattr(in_situ, "_recipe", lambda: "another version of Probatum")
    with pytest.raises(AssertionError, match="trained again"):
        plant(open_target(tiny, session=session), {"Members": members()}, seconds=600, session=session)


def test_more_time_than_before_may_make_a_better_copy(tiny, tmp_path):
    session = Session(EvidenceStore(tmp_path / "cache"))

    def trained(seconds):
        subject = open_target(tiny, session=session)
        return plant(subject, {"Members": members()}, seconds=seconds, session=session).trained

    assert trained(600)
    assert not trained(600)
    assert not trained(60)
    assert trained(1200)  # the highest dose was not learned in the one round that this test allows
    (folder,) = (tmp_path / "cache" / "in-situ").iterdir()
    said = json.loads((folder / "planted.json").read_text())
    (folder / "planted.json").write_text(json.dumps({**said, "complete": True}))
    assert not trained(9000)
    (folder / "model.safetensors").write_bytes(b"")
    assert trained(1200)


def test_a_tuning_that_is_killed_leaves_nothing(tiny, tmp_path, monkeypatch):
    session = Session(EvidenceStore(tmp_path / "cache"))
    real = tuning.write

    def killed(model, directory, dtype):
        real(model, directory, dtype)
        raise KeyboardInterrupt

    monkeypatch.setattr(tuning, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        plant(open_target(tiny, session=session), {"Members": members()}, seconds=600, session=session)
    shelf = tmp_path / "cache" / "in-situ"
    assert not list(shelf.iterdir())
    (shelf / ".part-dead").mkdir()  # kill -9 leaves a part, which is none of a copy and goes after a day
    monkeypatch.setattr(tuning, "write", real)
    monkeypatch.setattr(in_situ, "_ABANDONED", -1.0)
    assert plant(open_target(tiny, session=session), {"Members": members()}, seconds=600, session=session).trained
    assert [folder.name[0] != "." for folder in shelf.iterdir()] == [True]


def test_without_a_cache_the_copy_lives_as_long_as_its_controls(tiny):
    got = plant(open_target(tiny), {"Members": members()}, seconds=600)
    folder = got.copy.files()
    assert folder.is_dir()
    del got
    assert not folder.exists()


def test_the_copy_is_a_model_of_the_same_kind(tiny):
    subject = open_target(tiny)
    got = plant(subject, {"Members": members()}, seconds=600)
    assert got.copy.tokenizer_digest == subject.tokenizer_digest
    assert got.copy.access == subject.access
    assert got.copy.dtype == subject.dtype
    assert got.copy.parameter_count == subject.parameter_count
    assert got.copy.name == f"a copy of {tiny}"


def test_controls_are_not_on_the_budget_of_the_audit(tiny):
    from probatum.core.cost import Budget

    session = Session(budget=Budget(0))
    got = plant(open_target(tiny, session=session), {"Members": members()}, seconds=600, session=session)
    assert len(got.copy.token_statistics(letters(2, seed=8))) == 2


def test_an_adapter_is_planted_as_the_whole_model_that_it_is(tiny, tmp_path):
    pytest.importorskip("peft")
    sys.path.append(str(Path(__file__).parents[1] / "targets"))
    from test_adapter import adapt

    adapt(tiny, tmp_path / "adapter")
    got = plant(open_target(tmp_path / "adapter"), {"Members": members()}, seconds=600)
    assert set(got.copy.weights()) == set(open_target(tiny).weights())


# Who is proved by it.


def test_the_two_controls(tiny):
    subject, records = (
        open_target(tiny),
        {"Members": members(), "Texts": Texts.from_rows([{"text": "a"}, {"text": "b"}])},
    )
    base = open_target(tiny)
    got = plant(subject, records, seconds=600, roles={"reference": base})
    loss, ratio, dc_pdd = (got.controls_for(load(n)) for n in ("loss", "reference_ratio", "dc_pdd"))
    positive, negative = loss.controls
    assert (positive.kind, positive.target, negative.kind, negative.target) == (
        "positive",
        got.copy,
        "negative",
        subject,
    )
    assert positive.data == negative.data == {"Members": got.data["Members"]}
    assert positive.roles == {}
    assert all(control.roles == {"reference": base} for control in ratio.controls)
    assert all(control.data["Texts"] is records["Texts"] for control in dc_pdd.controls)
    assert loss.where.startswith("a copy of this model (0.0")
    assert "tuned with all weights on 20 texts for " in loss.where
    assert got.controls_for(load("exposure")) is None  # no records were given
    assert got.controls_for(load("false_preference")) is None
    assert got.controls_for(load("weight_lineage")) is None


def test_without_a_reference_the_model_itself_is_one(tiny):
    subject = open_target(tiny)
    got = plant(subject, {"Members": members()}, seconds=600)
    assert got.controls_for(load("reference_ratio")).controls[0].roles == {"reference": subject}


def _method(**more):
    def learned(target: Target, data: Members, known: Members) -> Scores:
        """Nothing."""

    def filled(target: Target, data: Members, *, filler: Target) -> Scores:
        """Nothing."""

    def plain(target: Target, data: Members) -> Scores:
        """Nothing."""

    given = {"paper": "P001", "question": "Is it?", "needs": Access.LOGPROBS, "metric": auroc, "dimension": "privacy"}
    name = more.pop("name", "plain")
    function = {"learned": learned, "filled": filled, "plain": plain}[name]
    return probe(**given, **more)(function).method


def test_methods_that_it_does_not_serve_keep_their_own_controls(tiny):
    got = plant(open_target(tiny), {"Members": members()}, seconds=600)
    assert got.controls_for(_method()) is not None
    assert got.controls_for(_method(measure=True)) is None
    assert got.controls_for(_method(control="lineage")) is None
    assert got.controls_for(_method(name="filled")) is None  # nobody plays the filler
    assert got.controls_for(_method(name="learned")) is None  # ten of the highest dose, of which five are judged
    roomy = dataclasses.replace(got, data=planted({"Members": members(140)}, PLANS[1], 0))
    assert roomy.controls_for(_method(name="learned")) is not None
    served = dataclasses.replace(got, roles={"filler": got.subject})
    assert served.controls_for(_method(name="filled")) is not None


# What cannot be done, in one sentence.


def test_a_budget_that_is_too_short_says_how_much_is_needed(tiny):
    begin = time.monotonic()
    with pytest.raises(
        BadInput, match=r"planting takes about \d+ s at the least .* budget of 0.001 s .*--budget \d+s"
    ) as caught:
        plant(open_target(tiny), {"Members": members()}, seconds=0.001)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - begin < 60


def test_a_short_budget_takes_a_poorer_plan(tiny, monkeypatch):
    rich, poor = Plan(28, 32, 72, 128), Plan(20, 4, 6, 2)
    monkeypatch.setattr(planting, "PLANS", (rich, poor))
    real = planting._padded_tokens
    monkeypatch.setattr(planting, "_padded_tokens", lambda batches: real(batches) * (1 if len(batches) < 60 else 10**6))
    got = plant(open_target(tiny), {"Members": members(), "Records": secrets()}, seconds=600)
    assert max(got.data["Members"].dose) == 4
    assert sum(got.data["Records"].label) == 6


def test_a_model_that_cannot_be_trained_is_not_offered(tiny):
    subject = open_target(tiny)
    subject.access = Access.TEXT | Access.LOGPROBS
    with pytest.raises(NotOffered, match="needs a language model that can be trained here"):
        plant(subject, {"Members": members()}, seconds=600)


@pytest.mark.parametrize("records", [{}, {"Texts": Texts.from_rows([{"text": "a"}])}, {"Members": members(30)}])
def test_nothing_to_plant_says_what_is_needed(tiny, records):
    with pytest.raises(BadInput, match=r"needs 40 or more texts in --nonmembers.* or --records") as caught:
        plant(open_target(tiny), records, seconds=600)
    assert ("there are 30 nonmembers" in str(caught.value)) == ("Members" in records)


def test_little_memory_means_lora_and_less_means_nothing(tiny, monkeypatch):
    subject = open_target(tiny)
    size = subject.parameter_count
    monkeypatch.setattr(tuning, "free_bytes", lambda device: 3 * size)
    with pytest.raises(NotOffered, match=r"tuning LoRA needs .* GB of memory"):
        plant(subject, {"Members": members()}, seconds=600)
    monkeypatch.setattr(tuning, "free_bytes", lambda device: 10 * size)
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(BadInput, match=r"needs the extra probatum\[train\]"):
        plant(subject, {"Members": members()}, seconds=600)


def test_memory_that_runs_out_is_a_sentence(tiny, monkeypatch):
    def full(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    monkeypatch.setattr(tuning, "mean_loss", full)
    with pytest.raises(NotOffered, match="memory ran out while a copy of the model was tuned"):
        plant(open_target(tiny), {"Members": members()}, seconds=600, how="all weights")


def test_learning_rates_fall_with_the_size_of_the_model():
    full, lora = (
        [planting.learning_rate(n, how) for n in (250_000, 10**6, 124 * 10**6, 7 * 10**9)]
        for how in ("all weights", "LoRA")
    )
    assert full == pytest.approx([1e-3, 1e-3, 9e-5, 2e-5], rel=0.02)
    assert lora == pytest.approx([1e-2, 1e-2, 9e-4, 2e-4], rel=0.02)


def test_lora_trains_only_its_own_matrices(tiny):
    pytest.importorskip("peft")
    got = plant(open_target(tiny), {"Members": members()}, seconds=600, how="LoRA")
    assert "tuned with LoRA of rank 16" in got.where
    assert any("conservative" in note for note in got.notes)
    own, before = got.copy.weights(), open_target(tiny).weights()
    changed = {name for name in before if not np.array_equal(own[name], before[name])}
    assert changed
    assert not any("embed" in name or "norm" in name or "lm_head" in name for name in changed)
    rank = np.linalg.matrix_rank(own[name := sorted(changed)[0]] - before[name], tol=1e-5)
    assert 0 < rank <= 16
