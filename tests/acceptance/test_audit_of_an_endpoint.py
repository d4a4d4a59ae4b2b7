"""`probatum audit http://…/v1 --model NAME`: what an endpoint gives is run, the rest is said to be missing."""

import json
import threading

import pytest
from driving import drive, finding, report_in, write_jsonl

from probatum.controls.served import Service, serve_http
from probatum.controls.sets import builtin
from probatum.targets import open_target

pytestmark = pytest.mark.slow
NAME = f"specimen-{open_target('specimen').digest[:12]}"
PROBES = ("loss", "zlib_entropy", "min_k_prob", "min_k_plus_plus", "weight_lineage", "false_preference")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The subject's half of the planted members, as a user's files."""
    folder = tmp_path_factory.mktemp("data")
    members = builtin("subject")["Members"]
    sides = {True: [], False: []}
    for text, inside in zip(members.texts, members.label, strict=True):
        sides[inside].append(text)
    m, n = write_jsonl(folder / "members.jsonl", sides[True]), write_jsonl(folder / "nonmembers.jsonl", sides[False])
    return ("--members", m, "--nonmembers", n, "--randomized")


def only(*names):
    return [word for name in names for word in ("--probe", name)]


def over_the_wire():
    """Was this asked over HTTP? Controls have a service within the process, asked by the target's own threads."""
    return not threading.current_thread().name.startswith("endpoint")


@pytest.fixture(scope="module")
def audited(data, tmp_path_factory):
    """The report, and every prompt that the endpoint itself was asked."""
    folder, asked, respond = tmp_path_factory.mktemp("endpoint"), [], Service.respond

    def listen(self, method, path, body, authorization=""):
        if body and over_the_wire():
            prompt = json.loads(body).get("prompt", "")
            asked.extend([prompt] if isinstance(prompt, str) else prompt)
        return respond(self, method, path, body, authorization)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Service, "respond", listen)
        with serve_http(open_target("specimen")) as url:
            ran = drive("audit", url, "--model", NAME, *data, *only(*PROBES), "--out", folder)
    assert ran.code == 0, ran.err
    (place,) = folder.iterdir()
    return report_in(place), asked


@pytest.fixture(scope="module")
def report(audited):
    return audited[0]


def test_what_log_probs_allow_runs_through_the_endpoint(report, data):
    assert report["subject"]["kind"] == "endpoint"
    assert report["subject"]["access"] == ["TEXT", "LOGPROBS"]
    for name in ("loss", "zlib_entropy", "min_k_prob"):
        assert finding(report, name)["outcome"] == "evidence", name
    assert report["cost"]["forward_passes"] > 20


def test_it_finds_the_same_numbers_as_an_audit_of_the_directory(report, data, probatum, tmp_path):
    assert probatum("audit", "specimen", *data, *only("loss", "min_k_prob"), "--out", tmp_path, "--quiet").code == 0
    there = report_in(tmp_path / "specimen")
    for name in ("loss", "min_k_prob"):
        expected = finding(there, name)["estimate"]["value"]
        assert finding(report, name)["estimate"]["value"] == pytest.approx(expected, abs=2e-3), name


def test_what_it_does_not_give_is_said_with_what_it_gives(report):
    assert finding(report, "min_k_plus_plus")["reason"] == "needs LOGITS, this endpoint gives TEXT, LOGPROBS"
    assert finding(report, "weight_lineage")["reason"] == "needs WEIGHTS, this endpoint gives TEXT, LOGPROBS"
    assert finding(report, "false_preference")["reason"] == "needs --choices FILE"
    for name in ("min_k_plus_plus", "weight_lineage", "false_preference"):
        assert finding(report, name)["outcome"] == "not run"


def test_controls_ran_through_the_same_kind_of_endpoint(report):
    limit = finding(report, "loss")["detection_limit"]
    assert limit["status"] == "established"
    assert "through the same kind of endpoint" in limit["target"]
    assert {c["kind"]: c["passed"] for c in finding(report, "loss")["controls"] if c["passed"] is not None} == {
        "positive": True,
        "negative": True,
    }


def test_an_endpoint_that_gives_text_only_is_told_apart(probatum, data, tmp_path):
    with serve_http(open_target("specimen"), echo=False) as url:
        ran = probatum("audit", url, *data, *only("loss"), "--json", "--out", tmp_path)
    assert ran.code == 0, ran.err
    report = json.loads(ran.out)
    reason = finding(report, "loss")["reason"]
    assert reason.startswith("needs LOGPROBS, this endpoint gives TEXT (http")
    assert reason.endswith("400: echo and logprobs are not offered)")


def test_an_endpoint_that_turns_the_key_away_is_one_sentence(probatum, data, tmp_path):
    with serve_http(open_target("specimen"), key="right") as url:
        ran = probatum("audit", url, *data, *only("loss"), "--out", tmp_path / "out")
    assert ran.code == 2
    assert "401" in ran.err
    assert ran.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_controls_are_never_asked_of_the_endpoint_itself(audited):
    asked = set(audited[1])
    control, subject = (set(builtin(half)["Members"].texts) for half in ("control", "subject"))
    assert subject <= asked
    assert not asked & (control - subject)


MIDDLE = [(401, "not run", "401"), (400, "inconclusive", "not any more")]


@pytest.mark.parametrize(("status", "outcome", "said"), MIDDLE)
def test_a_failure_in_the_middle_becomes_a_reason(probatum, data, tmp_path, monkeypatch, status, outcome, said):
    respond, asked = Service.respond, []

    def failing(self, method, path, body, authorization=""):
        if over_the_wire():
            asked.append(path)
            if len(asked) > 20:
                return status, {"error": {"message": "not any more"}}
        return respond(self, method, path, body, authorization)

    monkeypatch.setattr(Service, "respond", failing)
    with serve_http(open_target("specimen"), lists=False) as url:
        ran = probatum("audit", url, *data, *only("loss"), "--json", "--out", tmp_path / "out")
    assert ran.code == 0, ran.err
    loss = finding(json.loads(ran.out), "loss")
    assert loss["outcome"] == outcome
    assert said in loss["reason"]
    assert said in json.dumps(loss["unscored"]) or outcome == "not run"
    assert "Traceback" not in ran.err
