"""A real task of Inspect as a guest probe: its null responders score what theory says, and intervals are exact."""

from __future__ import annotations

import pytest

pytest.importorskip("inspect_ai")

from driving import drive, report_in
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import Score, mean, scorer

from probatum.bridges.inspect_task import run_inspect_task
from probatum.core.errors import BadInput, ProbatumError
from probatum.statistics.intervals import clopper_pearson
from probatum.targets import open_target

pytestmark = pytest.mark.usefixtures("offline")


def scores(report):
    (finding,) = report.findings
    return finding, {c.target: c.estimate.value for c in finding.controls}


def test_a_choice_task_with_its_null_responders(inspect_tasks, tmp_path):
    finding, null = scores(run_inspect_task(f"{inspect_tasks}@letters", "specimen", out=tmp_path))
    third = 8 / 24
    assert null == pytest.approx(
        {"constant": third, "longest_option": third, "refuse_all": 0, "refuse_none": 0, "echo": 0, "oracle": 1,
         "random": null["random"]}
    )  # fmt: skip
    assert abs(null["random"] - third) < 4 * (third * (1 - third) / 24) ** 0.5
    assert finding.outcome == "measured"
    assert finding.probe == "inspect/letters/choice"
    e, exact = finding.estimate, clopper_pearson(round(finding.estimate.value * 24), 24)
    assert (e.low, e.high, e.method) == (exact.low, exact.high, "Clopper-Pearson")
    assert sum(finding.answers.values()) == 24
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_null_responders_see_options_in_the_order_in_which_they_are_shown(inspect_tasks):
    _, null = scores(run_inspect_task(f"{inspect_tasks}@shuffled", "specimen", nulls=("constant", "oracle")))
    assert null["oracle"] == 1
    assert 0 < null["constant"] < 1


def test_a_task_of_free_answers(inspect_tasks):
    nulls = ("constant", "refuse_all", "echo", "oracle")
    finding, null = scores(run_inspect_task(f"{inspect_tasks}@words", "specimen", nulls=nulls))
    assert null == {"constant": 0.5, "refuse_all": 0, "echo": 0, "oracle": 1}
    assert finding.estimate.value == 0
    assert finding.estimate.high == pytest.approx(1 - 0.025 ** (1 / 24))


def test_an_oracle_that_writes_in_the_wrong_form_is_no_proof(inspect_tasks):
    nulls = ("constant", "oracle")
    finding, _ = scores(run_inspect_task(f"{inspect_tasks}@strict", "specimen", nulls=nulls))
    assert finding.outcome == "inconclusive"
    assert "--form" in finding.reason
    finding, null = scores(run_inspect_task(f"{inspect_tasks}@strict", "specimen", nulls=nulls, form="Final: {}"))
    assert finding.outcome == "inconclusive"  # a word cannot be "cobalt and slate": the task's own fault is seen
    assert null["oracle"] == pytest.approx(2 / 3)


def test_no_null_responder_grades(inspect_tasks):
    """This task asks the model under test itself to grade; a null responder that did would give itself a mark."""
    finding, _ = scores(run_inspect_task(f"{inspect_tasks}@judged", "specimen", nulls=("constant",)))
    assert (finding.outcome, finding.estimate) == ("inconclusive", None)  # the specimen writes no grades
    assert finding.answers["unparsable"] + finding.answers["missing"] == 4

    def grades(messages):
        return "GRADE: C" if "GRADE" in messages[-1]["content"] else "amber"

    target = open_target(grades)
    finding, null = scores(run_inspect_task(f"{inspect_tasks}@judged", target, nulls=("constant",)))
    assert finding.estimate.value == 1
    assert null == {}
    assert "chance is not known" in finding.reason


def test_epochs_dictionaries_and_values_that_are_no_numbers(tmp_path):
    @scorer(metrics={"*": [mean()]})
    def two():
        async def score(state, target):
            return Score(value={"length": len(state.input_text) % 2, "mood": "blue"})

        return score

    task = Task(name="two", dataset=[Sample(input="a" * i, target="x") for i in range(1, 7)], scorer=two(), epochs=2)
    setup = task.setup
    report = run_inspect_task(task, "specimen", nulls=("constant",), limit=4)
    assert task.setup is setup  # the task itself is left as it was
    length, mood = report.findings
    assert (length.probe, length.estimate.value, length.estimate.n) == ("inspect/two/two/length", 0.5, 4)
    assert mood.outcome == "inconclusive"
    assert mood.unscored == {"its scorer gave no number": 8}


def test_what_is_no_task_is_said_in_a_sentence(inspect_tasks):
    for task, words in (
        (
            f"{inspect_tasks}@nothing",
            "has no task 'nothing'; it has judged, letters, shuffled, strict, unscored, words",
        ),
        (f"{inspect_tasks}@unscored", "needs a task with samples and a scorer"),
        ("x.py@y", "no such file"),
        ("nowhere@y", "cannot be imported"),
        ("letters", "expected FILE.py@TASK or MODULE@TASK"),
    ):
        with pytest.raises(BadInput, match=words):
            run_inspect_task(task, "specimen")
    with pytest.raises(BadInput, match="no null responder is called 'liar'"):
        run_inspect_task(f"{inspect_tasks}@letters", "specimen", nulls=("liar",))


def test_a_model_that_answers_nothing_is_no_score_of_zero(inspect_tasks):
    with pytest.raises(ProbatumError, match=r"not one sample was scored .*KeyError"):
        run_inspect_task(f"{inspect_tasks}@words", lambda messages: {}["lamp"], nulls=("constant",))


def test_the_command_line(inspect_tasks, tmp_path):
    ran = drive(
        "guest", "specimen", f"inspect:{inspect_tasks}@letters", "--null", "constant", "--null", "oracle", "--limit", 6,
        "--dimension", "robustness", "--logs", tmp_path / "logs", "--out", tmp_path,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "inspect/letters/choice: 0; beside it constant 0.333, oracle 1" in ran.out
    report = report_in(tmp_path / "specimen")
    (finding,) = report["findings"]
    assert (finding["dimension"], finding["estimate"]["n"]) == ("robustness", 6)
    assert "inspect_ai" in report["versions"]
    assert len(list((tmp_path / "logs").glob("*.eval"))) == 3
    assert drive("guest", "specimen", "letters").code == 2
