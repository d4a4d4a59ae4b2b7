"""The eight dimensions at one look: every finding on its own scale, what knows nothing beside it, and no total."""

import dataclasses
import re

import example
import pytest

from probatum.core.finding import DIMENSIONS, ControlView, EstimateView, Finding, best_null, sentence
from probatum.reports.html import html
from probatum.reports.overview import overview, strip


def view(value, low=None, high=None, metric="accuracy"):
    return EstimateView(metric, value, low, high, 0.95, 100, "confidence", "Clopper-Pearson")


def finding(probe="task", dimension="safety", outcome="measured", better="high", value=0.6, nulls=(), **more):
    controls = tuple(ControlView("null responder", name, None, None, view(score), None, True) for name, score in nulls)
    e = None if outcome == "not run" else view(value, value - 0.1, value + 0.1)
    return Finding(
        id=f"{abs(hash(probe)):012d}"[:12], probe=probe, dimension=dimension, question="How often?", paper="P001",
        access=("TEXT",), outcome=outcome, estimate=e, better=better, controls=controls, **more,
    )  # fmt: skip


@pytest.fixture
def report():
    """A report whose findings are ours."""

    def made(*findings, **more):
        return dataclasses.replace(example.report(), findings=tuple(findings), **more)

    return made


@pytest.mark.parametrize(("better", "best"), [("high", "b"), ("low", "a")])
def test_the_best_null_responder_is_best_in_the_direction_that_is_good(better, best):
    assert best_null(finding(better=better, nulls=[("a", 0.1), ("b", 0.9), ("c", 0.5)])).target == best


def test_the_sentence_of_a_score_names_the_best_null_responder():
    said = sentence(finding(nulls=[("echo", 0.1), ("constant", 0.5)]))
    assert said.startswith("Measured: accuracy 0.6 [0.5, 0.7]. Knowing nothing, constant has 0.5.")


def test_a_rate_is_drawn_between_0_and_1_and_other_metrics_on_their_own_scale():
    rate = strip(finding(value=0.5))
    assert rate.ends == ("0", "1")
    assert rate.value == pytest.approx(80)  # the middle of 6 to 154
    bits = dataclasses.replace(finding(), estimate=view(4.0, 2.0, 8.0, "bits"))
    assert strip(bits).ends == ("0", "8")
    assert strip(bits).high == 154


def test_a_value_that_is_no_number_is_not_drawn():
    lost = dataclasses.replace(finding(), estimate=view(float("nan")))
    assert strip(lost).value is None


def test_all_eight_dimensions_stand_there_and_what_was_not_run_is_counted(report):
    shown = overview(report(finding("a"), finding("b", outcome="not run"), finding("c", "privacy", "evidence", "")))
    assert [d.name for d in shown] == list(DIMENSIONS)
    by_name = {d.name: d for d in shown}
    assert len(by_name["safety"].strips) == 1
    assert by_name["safety"].missing == 1
    assert not by_name["ethics"].strips


def test_many_findings_are_cut_and_the_declared_ones_stay(report):
    many = [finding(f"p{i:02d}", "privacy") for i in range(30)] + [finding("x")]
    shown = next(d for d in overview(report(*many, declared=("p29",))) if d.name == "privacy")
    assert len(shown.strips) == 14
    assert shown.more == 16
    assert shown.strips[-1].finding.probe == "p29"


def test_a_report_of_one_dimension_has_no_picture(report):
    assert overview(report(finding("a"), finding("b"))) == []


def test_the_page_says_in_words_what_it_draws_and_marks_an_inconclusive_finding_otherwise(report):
    failed = finding("unsure", "ethics", "inconclusive", nulls=[("constant", 0.5)])
    page = html(report(finding("sure", nulls=[("echo", 0.25)]), failed))
    strips = re.findall(r'<svg class="strip".*?</svg>', page, re.S)
    assert len(strips) == 2
    assert 'aria-label="sure: measured, accuracy 0.6 [0.5, 0.7]; null responder echo 0.25"' in strips[0]
    assert 'class="value"' in strips[0]
    assert 'class="hollow"' in strips[1]
    assert 'class="value"' not in strips[1]
    assert "There is no total" in page


def test_a_tasks_answers_scorers_and_partner_stand_in_its_finding(report):
    task = finding(
        "refusal", better="high", nulls=[("refuse_all", 1.0)], beside="over_refusal", items="100 items of xstest",
        answers={"answered": 90, "refused": 4, "unparsable": 6, "missing": 0}, released=view(0.8, metric="RtA"),
    )  # fmt: skip
    page = html(report(task, finding("over_refusal", better="low", value=0.2), finding("z", "ethics")))
    flat = re.sub(r"<[^>]+>", "", page)
    assert "90 answered, 4 refused, 6 unparsable, 0 missing" in flat
    assert "RtA 0.8" in flat
    assert "refuse_all, which knows nothing: accuracy 1" in flat
    assert re.search(r"over_refusal: accuracy 0\.2", flat)
