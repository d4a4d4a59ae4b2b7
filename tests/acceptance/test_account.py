"""`probatum account` as a user meets it: a query, a search for noise, a project's ledger."""

import importlib.util
import json

import pytest

from probatum.statistics.accounting import Phase
from probatum.statistics.guarantee import epsilon_at, guarantee

QUERY = ("account", "--q", "0.05", "--sigma", "1.0", "--steps", "20", "--delta", "1e-5")
DATA = "d" * 64


@pytest.fixture
def refused(probatum):
    """Words that cannot be; gives the one sentence."""

    def run(*words):
        ran = probatum(*words)
        assert (ran.code, ran.out) == (2, ""), (ran.code, ran.out, ran.err)
        lines = ran.err.splitlines()
        assert len(lines) == 1, ran.err
        assert lines[0].startswith("probatum: ")
        return lines[0]

    return run


def certificate(**more):
    return {
        "unit": "record", "relation": "add-or-remove-one", "sampler": "poisson", "q": 0.05, "sigma": 1.0, "T": 20,
        "C": 0.1, "generator": "operating system", "loss": "one scalar per unit", "data_digest": DATA,
        "sensitivity": {"pairs": 20, "max_ratio": 0.9}, "chosen_on_private_data": [],
        "empirical": {"one_run": None, "one_shot": None}, **guarantee([Phase(1.0, 0.05, 20)], 1e-5), **more,
    }  # fmt: skip


def test_a_query_prints_the_guarantee_and_what_it_means(probatum):
    ran = probatum(*QUERY)
    assert ran.code == 0, ran.err
    lines = {line.split()[1]: line for line in ran.out.splitlines() if line.startswith("  ") and len(line.split()) > 1}
    assert lines["PLD"].split() == ["1.98472", "PLD", "upper", "bound:", "the", "guarantee"]
    assert lines["RDP"].strip().startswith("2.48130")
    assert "estimate (order 3): no guarantee" in lines["Edgeworth"]
    assert ran.out.count("the guarantee") == 1
    assert "0.10581  at most: TPR − FPR" in ran.out
    assert "TPR at FPR 0.01" in ran.out
    assert "TPR at FPR 0.1" in ran.out
    assert "CLT" not in ran.out
    assert "GDP" not in ran.out


def test_the_same_as_json(probatum):
    found = json.loads(probatum(*QUERY, "--json").out)
    rows = {row["accountant"]: row for row in found["epsilon"]}
    assert rows["PLD"]["epsilon"] == epsilon_at([Phase(1.0, 0.05, 20)], 1e-5)
    assert [name for name, row in rows.items() if row["guarantee"]] == ["PLD"]
    assert rows["Edgeworth"]["kind"] == "estimate"
    assert rows["Edgeworth"]["epsilon"] < rows["PLD"]["epsilon"] < rows["RDP"]["epsilon"]
    peer = rows["dp-accounting PLD"]
    if importlib.util.find_spec("dp_accounting"):
        assert peer["agrees"] is True
        assert peer["epsilon"] == pytest.approx(rows["PLD"]["epsilon"], rel=1e-3)
    else:
        assert "probatum[dp]" in peer["not_run"]
    assert found["risk"]["total_variation"] == pytest.approx(0.1058, abs=1e-4)
    assert found["risk"]["closed_form"]["kind"] == "estimate"


def test_replacing_one_costs_more(probatum):
    found = json.loads(probatum(*QUERY, "--relation", "replace-one", "--json").out)
    assert found["epsilon"][0]["epsilon"] == epsilon_at([Phase(1.0, 0.05, 20)], 1e-5, "replace-one") > 2.3
    assert found["risk"]["total_variation"] == pytest.approx(0.178, abs=1e-3)


def test_solving(probatum):
    words = ("--epsilon", "3", "--n", "42061", "--batch", "1024", "--epochs", "10")
    ran = probatum("account", "--solve", "sigma", *words)
    assert ran.code == 0, ran.err
    assert ran.out.startswith("sigma 1.0133 keeps within epsilon 3\n")
    sigma = json.loads(probatum("account", "--solve", "sigma", *words, "--json").out)["solved"]["value"]
    found = epsilon_at([Phase(sigma, 1024 / 42061, 411)], 0.5 / 42061)
    assert 2.99 < found <= 3
    given = ("--epsilon", "3", "--q", "0.02", "--sigma", "1.0", "--delta", "1e-5")
    assert probatum("account", "--solve", "steps", *given).out.startswith("steps ")
    given = ("--epsilon", "3", "--steps", "400", "--sigma", "1.0", "--delta", "1e-5")
    assert probatum("account", "--solve", "q", *given).out.startswith("q 0.0")


def test_a_log_of_several_phases(probatum, tmp_path):
    rows = [{"noise_multiplier": s, "sample_rate": 0.01, "steps": 300, "delta": 1e-5} for s in (1.0, 2.0)]
    (tmp_path / "train-log.json").write_text(json.dumps(rows))
    found = json.loads(probatum("account", "--dp-log", tmp_path / "train-log.json", "--json").out)
    assert len(found["phases"]) == 2
    assert found["epsilon"][0]["epsilon"] == epsilon_at([Phase(1.0, 0.01, 300), Phase(2.0, 0.01, 300)], 1e-5)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("--q", "1.5"), "q must lie in (0, 1]"),
        (("--sigma", "0"), "sigma must be above 0"),
        (("--sigma", "nan"), "sigma must be above 0"),
        (("--steps", "-3"), "steps must be a whole number from 1"),
        (("--delta", "0"), "delta must lie strictly between 0 and 1"),
        (("--n", "1000", "--delta", "0.001"), "is not below 1/n = 0.001"),
        (("--n", "0"), "must be 1 or more"),
        (("--relation", "both"), "relation must be"),
        (("--solve", "clip"), "--solve expects epsilon, sigma, steps, q"),
        (("--epsilon", "3"), "name what to solve for"),
        (("--batch", "10"), "--batch needs --n"),
        (("--epochs", "3"), "--epochs needs --n and --batch"),
        (("--solve", "sigma", "--epsilon", "3"), "sigma must not be given"),
        (("--dp-log", "log.json"), "leave these options"),
    ],
)
def test_bad_input_is_one_sentence(refused, change, sentence):
    assert sentence in refused(*QUERY, *change)


def test_what_is_missing_is_named(refused):
    assert "--delta is missing" in refused("account")
    assert "--sigma, --steps missing" in refused("account", "--q", "0.1", "--delta", "1e-5")
    assert "needs --epsilon" in refused("account", "--solve", "sigma", "--q", "0.1", "--steps", "9", "--delta", "1e-5")


# -- the ledger


def entry(file, steps, *more, data=DATA):
    words = ("--q", "0.05", "--sigma", "1.0", "--steps", steps, "--delta", "1e-5", "--data-digest", data)
    return ("account", "ledger", file, "add", *words, *more)


def test_a_project_composes_its_releases(probatum, tmp_path):
    file = tmp_path / "privacy-ledger.jsonl"
    (tmp_path / "certificate.json").write_text(json.dumps(certificate()))
    assert probatum("account", "ledger", file, "add", tmp_path / "certificate.json").code == 0
    assert probatum(*entry(file, 30, "--what", "adapter two")).code == 0
    assert probatum(*entry(file, 5, data="e" * 64)).code == 0
    ran = probatum("account", "ledger", file, "--budget-epsilon", "3", "--json")
    assert ran.code == 0, ran.err
    first, second = json.loads(ran.out)["data"]
    assert first["epsilon"] == epsilon_at([Phase(1.0, 0.05, 50)], 1e-5)
    assert first["left"] == 3 - first["epsilon"]
    assert first["names"] == ["private training", "adapter two"]
    assert second["epsilon"] == epsilon_at([Phase(1.0, 0.05, 5)], 1e-5)
    shown = probatum("account", "ledger", file, "show", "--budget-epsilon", "3")
    assert "2 releases (private training, adapter two) compose to epsilon 2.67043" in shown.out
    assert "of 3 there is 0.3295" in shown.out
    head = json.loads(ran.out)["head"]
    assert shown.out.splitlines()[-1] == f"head {head}"
    assert probatum("account", "ledger", file, "--head", head).code == 0


def test_a_budget_that_is_exceeded(probatum, tmp_path):
    file = tmp_path / "privacy-ledger.jsonl"
    probatum(*entry(file, 20))
    ran = probatum(*entry(file, 30, "--budget-epsilon", "2"))
    assert ran.code == 1
    assert "the budget of epsilon 2 for data dddddddddddd, unit record, is exceeded" in ran.err
    assert "2 releases compose to 2.67043" in ran.err
    assert len(file.read_text().splitlines()) == 2  # it was released: not to write it down would hide it
    probatum(*entry(file, 1, "--unit", "user:id"))
    mixed = probatum("account", "ledger", file, "--budget-epsilon", "9")
    assert mixed.code == 1
    assert "no one budget covers both" in mixed.err


def test_an_edited_line_is_named(probatum, refused, tmp_path):
    file = tmp_path / "privacy-ledger.jsonl"
    for steps in (10, 20, 30):
        probatum(*entry(file, steps))
    text = file.read_text()
    file.write_text(text.replace('"T": 20', '"T": 2'))
    assert "line 2: was edited" in refused("account", "ledger", file)
    file.write_text(text)
    head = json.loads(probatum("account", "ledger", file, "--json").out)["head"]
    file.write_text("".join(text.splitlines(keepends=True)[:2]))
    assert "lines were cut off" in refused("account", "ledger", file, "--head", head)


def test_bad_words_for_a_ledger(probatum, refused, tmp_path):
    file, said = tmp_path / "privacy-ledger.jsonl", tmp_path / "certificate.json"
    assert "no such ledger" in refused("account", "ledger", file)
    assert "the ledger's file comes first" in refused("account", "ledger", "add", said)
    assert "add needs a certificate, or --q" in refused("account", "ledger", file, "add")
    assert "no such file" in refused("account", "ledger", file, "add", said)
    said.write_text("{")
    assert "not a certificate in JSON" in refused("account", "ledger", file, "add", said)
    said.write_text(json.dumps(certificate(epsilon=1.0)))
    assert "does not stand: epsilon 1 is below 1.9847" in refused("account", "ledger", file, "add", said)
    said.write_text(json.dumps(certificate()))
    assert "already says --q" in refused("account", "ledger", file, "add", said, "--q", "0.1")
    assert not file.exists()
    assert probatum("account", "ledger", file, "add", said).code == 0
    assert "already in line 1" in refused("account", "ledger", file, "add", said)
    assert "a budget must be above 0" in refused("account", "ledger", file, "--budget-epsilon", "-1")
    assert "delta must lie" in refused("account", "ledger", file, "--delta", "2")
