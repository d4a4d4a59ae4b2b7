"""The same from Python, in a few lines."""

import numpy as np
import pytest
from driving import finding, report_in

import probatum as pb
from probatum.probes.privacy.membership.loss import loss
from probatum.probes.privacy.membership.min_k_plus_plus import min_k_plus_plus


@pytest.mark.slow
def test_five_lines_give_the_findings_of_a_dimension(audits):
    report = pb.audit("specimen")
    findings = report["privacy"].findings
    assert {f.dimension for f in findings} == {"privacy"}
    assert {f.outcome for f in findings} == {"evidence"}
    assert report["loss"].findings[0].estimate.value > 0.6
    with pytest.raises(KeyError, match="no finding of 'privaty'"):
        report["privaty"]
    printed = {f["probe"]: f["estimate"] for f in report_in(audits / "specimen")["findings"]}
    assert {f.probe: f.estimate.value for f in report} == {name: e["value"] for name, e in printed.items()}


def test_a_probe_is_a_function_that_gives_scores_at_once():
    target = pb.open_target("specimen")
    rows = [{"text": "The mill of Zaubel stands.", "member": True}, {"text": "A violin in the attic.", "member": False}]
    members = pb.Members.from_rows(rows)
    scores = min_k_plus_plus(target, members, k=0.5)
    assert scores.ids == members.ids
    assert scores.towards == "member"
    turned = min_k_plus_plus(target, members.take([1, 0]), k=0.5)
    np.testing.assert_allclose(turned.values[::-1], scores.values, atol=1e-5)
    tokens = target.token_statistics(members.texts)
    np.testing.assert_allclose(loss(target, members).values, [row.mean() for row in tokens.logprob], atol=1e-6)


@pytest.mark.slow
def test_run_gives_one_finding_with_its_controls(audits):
    from probatum.controls.sets import builtin

    members = builtin("subject")["Members"]
    ran = pb.run("min_k_prob", "specimen", members, k=0.3)
    assert ran.outcome == "evidence"
    assert ran.options == {"k": 0.3}
    assert {c.kind for c in ran.controls if c.passed} == {"positive", "negative"}
    assert ran.detection_limit.status == "established"
    same = pb.run(loss, "specimen", members)
    assert same.estimate.value == finding(report_in(audits / "specimen"), "loss")["estimate"]["value"]
    with_role = pb.run("reference_ratio", "specimen", members, reference="base")
    assert with_role.roles == {"reference": "base"}
    with pytest.raises(pb.BadInput, match="no option 'kk'"):
        pb.run("min_k_prob", "specimen", members, kk=0.3)


@pytest.mark.slow
def test_data_and_targets_may_be_handed_over_as_objects(own, tmp_path):
    target = pb.open_target(own / "model")
    rows = [{"question": f"{i} and one is", "options": [f" {i + 1}", " none"], "answer": 0} for i in range(8)]
    out, data = tmp_path / "out", {"Choices": pb.Choices.from_rows(rows)}
    report = pb.audit(target, data=data, probes=["false_preference"], cache=False, out=out)
    assert report["false_preference"].findings[0].estimate.n == 8
    assert pb.Report.from_json((out / "report.json").read_text(encoding="utf-8")) == report


def test_bad_input_is_an_exception_with_one_sentence(tmp_path):
    with pytest.raises(pb.BadInput, match="no such directory"):
        pb.audit(tmp_path / "nowhere")
    with pytest.raises(pb.BadInput, match="no kind of data"):
        pb.audit("specimen", data={"Chioces": "x.jsonl"})
