"""`probatum audit http://…/v1 --suite privacy`: every method that an endpoint can serve finds what it finds locally."""

import json
import threading

import numpy as np
import pytest
from driving import drive, finding, report_in, write_jsonl

from probatum.controls import choice
from probatum.controls.served import Service, serve_http
from probatum.controls.sets import builtin
from probatum.core.catalogue import entries
from probatum.targets import open_target

pytestmark = pytest.mark.slow
PRIVACY = sorted(
    name
    for name, e in entries().items()
    if e.kind == "probe" and e.dimension == "privacy" and not e.items and ".forgetting." not in e.module
)
NAME = f"specimen-{open_target('specimen').digest[:12]}"
#: What text and log-probs serve, with these data.
ASKED = {
    "attack_ensemble", "code_memorization", "con_recall", "dataset_inference", "dc_pdd", "discoverable_extraction",
    "exposure", "knowledge_bits", "loss", "lowercase", "max_k_prob", "memo", "min_k_prob", "neighborhood", "pac",
    "quantile_regression", "recall", "samia", "window_min_loss", "zlib_entropy",
}  # fmt: skip
#: They choose among the statistics that the target gives, or add them up; an endpoint gives fewer of them.
OTHER_STATISTICS = {"attack_ensemble", "dataset_inference"}
#: Numbers of the two audits may differ by rounding: texts are read in other company.
TOLERANCE = 2e-3
EVERY = {"Members": 5, "Records": 12, "Texts": 40}
FEWER = ("--set", "samia.samples=3", "--set", "neighborhood.neighbors=5")


def some(data):
    """Every so many-th record: both audits read the same ones."""
    return {kind: part.take(np.arange(0, len(part), EVERY.get(kind, 1))) for kind, part in data.items()}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A part of the subject's half of what is planted, as a user's files."""
    folder, part = tmp_path_factory.mktemp("data"), some(builtin("subject"))
    members, records = part["Members"], part["Records"]
    sides = {True: [], False: []}
    for text, inside in zip(members.texts, members.label, strict=True):
        sides[inside].append(text)
    rows = zip(records.prefix, records.secret, records.format, records.label, strict=True)
    lines = [json.dumps(dict(zip(("prefix", "secret", "format", "member"), row, strict=True))) for row in rows]
    (folder / "records.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return (
        *("--members", write_jsonl(folder / "members.jsonl", sides[True])),
        *("--nonmembers", write_jsonl(folder / "nonmembers.jsonl", sides[False])),
        *("--texts", write_jsonl(folder / "texts.jsonl", list(dict.fromkeys(part["Texts"].texts)))),
        *("--records", folder / "records.jsonl", "--randomized", "--suite", "privacy", *FEWER),
    )


@pytest.fixture(scope="module")
def reports(data, tmp_path_factory):
    """(through the endpoint, of the directory, prompts per request at the endpoint).

    Both audits have the same, fewer controls, and so caches of their own.
    """
    folder = tmp_path_factory.mktemp("reports")
    fewer = some(builtin("control"))
    prompts, respond = [], Service.respond

    def listen(self, method, path, body, authorization=""):
        # Controls have a service within the process, asked by the target's own threads.
        if path.endswith("/v1/completions") and not threading.current_thread().name.startswith("endpoint"):
            prompt = json.loads(body)["prompt"]
            prompts.append(1 if isinstance(prompt, str) else len(prompt))
        return respond(self, method, path, body, authorization)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice, "builtin", lambda half: fewer)
        patch.setattr(Service, "respond", listen)
        with serve_http(open_target("specimen"), chat=False) as url:
            there = ("--out", folder / "there", "--cache", folder / "cache-there", "--quiet")
            ran = drive("audit", url, "--model", NAME, *data, *there)
        assert ran.code == 0, ran.err
        [place] = (folder / "there").iterdir()
        served = report_in(place)
        here = ("--out", folder / "here", "--cache", folder / "cache-here", "--quiet")
        ran = drive("audit", "specimen", *data, *(word for name in sorted(ASKED) for word in ("--probe", name)), *here)
        assert ran.code == 0, ran.err
    return served, report_in(folder / "here" / "specimen"), prompts


def test_every_method_has_a_finding_and_only_what_is_lacking_is_not_run(reports):
    served, _, _ = reports
    assert sorted(f["probe"] for f in served["findings"]) == PRIVACY
    for f in served["findings"]:
        if f["outcome"] == "not run":
            assert f["reason"].startswith("needs "), (f["probe"], f["reason"])
    for name in ("min_k_plus_plus", "surp", "probabilistic_extraction", "gradient_norm", "epsilon_one_shot"):
        assert "this endpoint gives TEXT, LOGPROBS" in finding(served, name)["reason"], name


def test_what_text_and_log_probs_allow_gives_the_numbers_of_the_local_audit(reports):
    served, local, _ = reports
    for name in ASKED:
        mine, other = finding(served, name), finding(local, name)
        assert mine["data"] == other["data"], name
        if name not in OTHER_STATISTICS:
            assert mine["outcome"] == other["outcome"], name
            assert mine["estimate"]["value"] == pytest.approx(other["estimate"]["value"], abs=TOLERANCE), name
            assert mine["p_value"] == pytest.approx(other["p_value"], abs=TOLERANCE), name


def test_what_chooses_among_statistics_says_how_many_there_were(reports):
    for name in OTHER_STATISTICS:
        mine, other = (finding(report, name) for report in reports[:2])
        assert mine["outcome"] == other["outcome"] == "evidence", name
    there, here = (finding(report, "attack_ensemble")["reason"] for report in reports[:2])
    assert there != here
    assert "statistics" in there


def test_controls_ran_through_an_endpoint_and_give_the_same_limits(reports):
    served, local, _ = reports
    for name in ("loss", "recall", "neighborhood"):
        limits = [finding(report, name)["detection_limit"] for report in (served, local)]
        assert limits[0]["status"] == limits[1]["status"], name
        assert "through the same kind of endpoint" in limits[0]["target"]


def test_several_prompts_went_in_one_request(reports):
    prompts = reports[2]
    assert sum(prompts) > 3000
    assert np.mean(prompts) > 5
