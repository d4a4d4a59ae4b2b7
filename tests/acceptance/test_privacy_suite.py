"""`--suite privacy` on the built-in models and on a model of one's own: every method, by who could run it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from driving import drive, finding, report_in

from probatum.core.access import AUDIENCES
from probatum.core.catalogue import entries
from probatum.core.suite import read_suite

PRIVACY = sorted(
    n for n, e in entries().items()
    if e.kind == "probe" and e.dimension == "privacy" and not e.items and ".forgetting." not in e.module
)  # fmt: skip
#: What the built-in models cannot be asked: they have no training log, certificate or planted directions.
NEEDS_MORE = {"bayes_security", "dp_certificate", "epsilon_one_shot"}
#: At this scale generated text tells little: the probe misses single texts at every planted dose, and says so.
TOO_WEAK_TO_CLEAR = {"samia"}


@pytest.fixture(scope="module")
def audited(once: Callable[..., Path]) -> Path:
    def make(folder: Path) -> None:
        ran = drive("audit", "specimen", "twin", "--suite", "privacy", "--out", folder)
        assert ran.code == 0, ran.err

    return once("privacy", make)


@pytest.mark.slow
def test_every_method_runs_or_says_what_it_lacks(audited):
    for name in ("specimen", "twin"):
        report = report_in(audited / name)
        assert sorted(f["probe"] for f in report["findings"]) == PRIVACY
        not_run = {f["probe"]: f["reason"] for f in report["findings"] if f["outcome"] == "not run"}
        assert set(not_run) <= NEEDS_MORE, not_run
        assert all(reason.startswith("needs ") for reason in not_run.values())


@pytest.mark.slow
def test_what_was_planted_is_found_and_the_twin_gives_no_alarm(audited):
    planted, clean = (report_in(audited / name)["findings"] for name in ("specimen", "twin"))
    assert [f["probe"] for f in clean if f["outcome"] == "evidence"] == []
    missed = {f["probe"]: f["outcome"] for f in planted if f["outcome"] in ("no evidence", "inconclusive")}
    assert missed == {}
    unclear = {f["probe"]: f["reason"] for f in clean if f["outcome"] == "inconclusive"}
    assert set(unclear) <= TOO_WEAK_TO_CLEAR, unclear
    assert all("misses even the highest planted dose" in reason for reason in unclear.values())


@pytest.mark.slow
def test_membership_is_shown_at_six_doses(audited):
    for probe in ("loss", "lowercase", "gradient_norm", "neighborhood"):
        doses = [c["dose"] for c in finding(report_in(audited / "specimen"), probe)["controls"] if c["dose"]]
        assert doses == [1, 2, 4, 8, 16, 32], probe


@pytest.mark.slow
def test_findings_are_told_apart_by_who_could_learn_them(audited):
    report = report_in(audited / "specimen")
    assert {f["audience"] for f in report["findings"]} == set(AUDIENCES)
    assert finding(report, "samia")["audience"] == "the public"
    assert finding(report, "loss")["audience"] == "an API customer"
    assert finding(report, "gradient_norm")["audience"] == "whoever has the weights"
    assert finding(report, "epsilon_one_run")["audience"] == "the trainer"
    page = (audited / "specimen" / "report.html").read_text(encoding="utf-8")
    assert all(f"What {who} could learn" in page for who in AUDIENCES)


@pytest.mark.slow
def test_one_probe_for_each_access_was_declared_and_is_corrected_with_its_like(audited):
    declared = read_suite("privacy").primary["privacy"]
    report = report_in(audited / "specimen")
    tested = [finding(report, name) for name in declared if finding(report, name)["outcome"] != "not run"]
    assert {f["adjusted_by"] for f in tested} == {f"Holm, {len(tested)} primary probes"}
    assert "max-T" in finding(report, "zlib_entropy")["adjusted_by"]


@pytest.mark.slow
def test_lower_bounds_of_epsilon_stay_below_their_ceiling_and_kinds_of_interval_differ(audited):
    report = report_in(audited / "specimen")
    kinds = {name: finding(report, name)["estimate"]["kind"] for name in ("epsilon_one_run", "epsilon_bayesian")}
    assert kinds == {"epsilon_one_run": "bound", "epsilon_bayesian": "credible"}
    for name in ("epsilon_one_run", "epsilon_two_rates"):
        f = finding(report, name)
        assert 0 < f["estimate"]["value"] <= f["breakdown"]["at most provable"]["value"]


@pytest.mark.slow
def test_no_planted_secret_stands_in_any_output(audited):
    from probatum.controls.sets import builtin

    written = [p.read_text(encoding="utf-8") for p in (audited / "specimen").glob("*") if p.suffix != ".png"]
    secrets = [s for s in builtin("subject")["Records"].secret if len(s) >= 6]
    assert not [s for s in secrets for text in written if f" {s}" in text or f'"{s}' in text or f">{s}" in text]
