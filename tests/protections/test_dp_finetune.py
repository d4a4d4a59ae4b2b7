"""Private fine-tuning: canaries that a plain training learns are not in its private twin; the certificate holds."""

import json

import numpy as np
import pytest

from probatum.certify import read_units, train_privately
from probatum.core.data import Texts
from probatum.core.draws import keyed
from probatum.core.errors import BadInput
from probatum.core.releases import read_ledger
from probatum.engine.session import Session
from probatum.protections.training.dp_finetune import dp_finetune
from probatum.statistics.certificate import recheck
from probatum.targets import open_target

USERS, CANARIES, COPIES = 90, 20, 12


def notes():
    """Users with two short notes each; every second canary is the note of a user who repeats it."""
    rows = []
    words = [
        "the",
        "cat",
        "sat",
        "on",
        "a",
        "mat",
        "and",
        "the",
        "dog",
        "ran",
        "to",
        "an",
        "old",
        "house",
        "by",
        "the",
        "sea",
    ]
    for i in range(USERS):
        rng = keyed("note", i)
        rows += [{"person": f"user {i}", "text": " ".join(rng.choice(words, 9)) + f" {j}."} for j in range(2)]
    for i in range(0, CANARIES, 2):
        rows += [{"person": f"canary {i}", "text": canary(i)}] * COPIES
    return rows


def canary(i):
    return f"the code of case {i:02d} is {int(keyed('canary', i).integers(10**6)):06d}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("private")
    (path / "notes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in notes()), encoding="utf-8")
    return path


def secret_logprob(target):
    """Mean log-probability of the digits of canaries that were in the data, and of those that were not."""
    texts = [canary(i) for i in range(CANARIES)]
    found = target.token_statistics([t[-7:] for t in texts], prefixes=[t[:-7] for t in texts]).logprob.mean()
    return found[::2].mean(), found[1::2].mean()


@pytest.mark.slow
def test_canaries_are_learned_by_a_plain_training_and_not_by_its_private_twin(folder):
    from probatum.engine.tuning import mean_loss, schedule, tune
    from probatum.protect import save

    base = open_target("base", session=Session())
    rows = base.sequences([row["text"] for row in notes()])
    chosen = schedule(len(rows), 64, 90, keyed("plain"))
    change = tune(
        base, lambda model, step: mean_loss(model, [rows[i] for i in chosen[step]]), steps=90, learning_rate=3e-3
    )
    save(change, base, folder / "plain", {})
    inside, outside = secret_logprob(open_target(folder / "plain", session=Session()))
    assert inside > outside + 0.5

    trained = train_privately(
        "dp_finetune", "base", data=folder / "notes.jsonl", unit="user:person", out=folder / "run",
        options={"epsilon": 3.0, "epochs": 10, "learning_rate": 3e-3}, ledger=folder / "ledger.jsonl",
        session=Session(),
    )  # fmt: skip
    inside, outside = secret_logprob(open_target(folder / "run", session=Session()))
    assert abs(inside - outside) < 0.25

    said = json.loads((folder / "run" / "certificate.json").read_text(encoding="utf-8"))
    assert recheck(said) == []
    assert said["n"] == USERS + CANARIES // 2
    assert said["unit"] == "user:person"
    assert 2.9 < said["epsilon"] <= 3.0
    assert said["delta"] == pytest.approx(0.5 / said["n"])
    assert said["sensitivity"]["pairs"] >= 20
    assert said["sensitivity"]["max_ratio"] <= 1 + 1e-5
    held = {f.probe: f.outcome for f in trained.report.findings}
    assert held["dp_certificate"] == "no evidence"
    assert [r.what for r in read_ledger(folder / "ledger.jsonl")] == ["run"]


@pytest.mark.slow
def test_a_spent_budget_is_refused_before_anything_is_computed(folder):
    ledger = folder / "ledger.jsonl"
    if not ledger.exists():
        pytest.skip("the training of the test before did not run")
    with pytest.raises(BadInput, match=r"budget|epsilon"):
        train_privately(
            "dp_finetune", "base", data=folder / "notes.jsonl", unit="user:person", out=folder / "again",
            ledger=ledger, budget_epsilon=4.0, options={"epsilon": 3.0}, session=Session(),
        )  # fmt: skip
    assert not (folder / "again").exists()


def test_units_with_missing_values_are_refused(folder):
    rows = [*notes(), {"text": "whose is this?"}, {"person": "", "text": "and this?"}]
    path = folder / "lacking.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(BadInput, match="2 of 302 records have no 'person'"):
        read_units(path, "user:person", None)
    with pytest.raises(BadInput, match="record, or user:COLUMN"):
        read_units(path, "person", None)


def test_a_user_with_many_records_is_one_unit(folder):
    texts = read_units(folder / "notes.jsonl", "user:person", None)
    assert len(texts) == 2 * USERS + CANARIES // 2 * COPIES
    assert len(set(texts.cluster)) == USERS + CANARIES // 2


def test_delta_above_one_in_n_is_refused():
    data = Texts.from_rows([{"text": f"note {i}"} for i in range(50)])
    target = open_target("base", session=Session())
    with pytest.raises(BadInput, match="not below 1/n"):
        dp_finetune(target, data, delta=0.03)
    with pytest.raises(BadInput, match="two units"):
        dp_finetune(target, data.take(np.array([0])))


@pytest.mark.slow
def test_directions_show_a_loud_training_and_not_a_quiet_one(folder):
    """Whole batches: the sum of T steps is a Gaussian mechanism of mean √T / σ, whose epsilon the estimate cannot pass
    by more than its spread; AdamW blurs the directions, so it stays below."""
    said = {}
    for epsilon in (0.5, 60.0):
        trained = train_privately(
            "dp_finetune", "base", data=folder / "notes.jsonl", unit="user:person", out=folder / f"shot {epsilon:g}",
            options={"epsilon": epsilon, "epochs": 12, "batch_size": 1000, "directions": 60}, session=Session(),
        )  # fmt: skip
        assert recheck(trained.certificate) == []
        said[epsilon] = trained.certificate["empirical"]["one_shot"]
        assert said[epsilon]["kind"] == "point"
        assert (folder / f"shot {epsilon:g}" / "directions.jsonl").read_text().count("\n") == 120
    print(said)
    assert said[0.5]["epsilon"] < said[0.5]["no_signal"] + 0.5
    assert 15 < said[60.0]["epsilon"] < 60


def test_directions_of_an_adapter_are_refused(folder):
    target = open_target("base", session=Session())
    texts = Texts.from_rows([{"text": row["text"]} for row in notes()[:8]], "notes")
    with pytest.raises(BadInput, match="no factors of an adapter"):
        dp_finetune(target, texts, rank=2, directions=5)
    with pytest.raises(BadInput, match="hide one another"):
        dp_finetune(target, texts, epochs=1, directions=10**5)
