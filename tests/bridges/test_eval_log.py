"""Logs of Inspect in and out: intervals made anew from samples, and a log for every finding."""

from __future__ import annotations

import pytest

pytest.importorskip("inspect_ai")

import inspect_ai
from driving import drive
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.log import read_eval_log
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match

from probatum.bridges.eval_log import estimates_of, write_logs
from probatum.bridges.inspect_task import run_inspect_task
from probatum.core.errors import BadInput
from probatum.core.report import Report
from probatum.targets import eval_log

pytestmark = pytest.mark.usefixtures("offline")


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """A log that Inspect made with a model of its own: 0 of 16 right."""
    folder = tmp_path_factory.mktemp("foreign")
    outputs = [ModelOutput.from_content("mockllm", f"nothing {i}") for i in range(16)]
    for output in outputs:
        output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    task = Task(dataset=[Sample(id=i, input=f"lamp {i}", target="amber") for i in range(16)], scorer=match())
    (log,) = inspect_ai.eval(
        task, model=get_model("mockllm/model", custom_outputs=outputs), log_dir=str(folder), display="none"
    )
    return log.location.removeprefix("file://")


def test_zero_of_n_in_a_foreign_log_has_an_exact_interval_where_inspect_prints_none(foreign):
    printed = read_eval_log(foreign).results.scores[0].metrics
    assert (printed["accuracy"].value, printed["stderr"].value) == (0, 0)
    e = estimates_of(foreign)["match"]
    assert (e.value, e.low, e.n) == (0, 0, 16)
    assert e.high == pytest.approx(1 - 0.025 ** (1 / 16))


def test_what_is_no_log_is_said_in_a_sentence(tmp_path):
    broken = tmp_path / "broken.eval"
    broken.write_bytes(b"PK\x03\x04 and no more")
    for path, words in ((broken, "cannot be read"), (tmp_path / "none.eval", "no such file")):
        with pytest.raises(BadInput, match=words):
            estimates_of(path)


def test_findings_become_logs_that_inspect_reads(inspect_tasks, tmp_path):
    report = run_inspect_task(
        f"{inspect_tasks}@letters", "specimen", nulls=("constant", "refuse_all", "oracle"), out=tmp_path
    )
    (path,) = write_logs(report, tmp_path / "evals", tmp_path / "scores.json")
    log, (finding,) = read_eval_log(str(path)), report.findings
    assert (log.status, log.eval.task) == ("success", "inspect/letters/choice")
    assert log.eval.tags == ["probatum", "truthfulness", "measured"]
    assert log.eval.metadata["question"] == finding.question
    assert len(log.samples) == 24
    own, *controls = log.results.scores
    assert own.metrics[finding.estimate.metric].value == finding.estimate.value
    assert own.metrics["high of 95% interval"].value == finding.estimate.high
    assert {c.name: next(iter(c.metrics.values())).value for c in controls} == {
        "null responder: constant": 1 / 3,
        "null responder: refuse_all": 0,
        "oracle: oracle": 1,
    }
    again = estimates_of(path)[finding.probe]  # from the samples of our own log
    assert (again.value, again.low, again.high) == (
        finding.estimate.value,
        finding.estimate.low,
        finding.estimate.high,
    )
    assert sum(1 for _ in eval_log.read_log(path)) == 24  # as our reader without Inspect has it


def test_an_audit_becomes_logs_by_the_command_line(tmp_path):
    assert drive("audit", "specimen", "--probe", "loss", "--out", tmp_path).code == 0
    file = tmp_path / "specimen" / "report.json"
    ran = drive("report", file, "--eval", tmp_path / "evals")
    assert ran.code == 0, ran.err
    report = Report.from_json(file.read_text(encoding="utf-8"))
    logs = {log.eval.task: log for log in map(read_eval_log, map(str, (tmp_path / "evals").glob("*.eval")))}
    assert set(logs) == {f.probe for f in report if f.estimate is not None} >= {"loss"}
    assert logs["loss"].eval.metadata["outcome"] == "evidence"
    assert len(logs["loss"].samples) > 100
