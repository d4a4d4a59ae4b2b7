"""An endpoint whose model changes while it is asked: seen at the end by asking the first questions again."""

import json
import re

import pytest

import probatum as pb
from probatum.controls.served import Service, serve_http
from probatum.targets import open_target
from probatum.testing import NgramTarget

TEXTS = {"a": ["aaaaa b. " * 8], "b": ["ccccc d. " * 8]}


class Swapped(Service):
    """Answers as one model for so many requests, and then as another, or as both in turns."""

    def __init__(self, until, *, turns=False):
        super().__init__(NgramTarget(TEXTS["a"], order=1), chat=False, echo=False)
        self.other, self.left, self.turns = NgramTarget(TEXTS["b"], order=1, name=self.target.name), until, turns

    def respond(self, method, path, body, authorization=""):
        if body and json.loads(body).get("prompt") is not None:
            self.left -= 1
            if self.left < 0 and (not self.turns or self.left % 2):
                kept, self.target = self.target, self.other
                try:
                    return super().respond(method, path, body, authorization)
                finally:
                    self.target = kept if self.turns else self.other
        return super().respond(method, path, body, authorization)


def opened(service):
    from probatum.controls.served import _transport

    return open_target("http://swapped.test/v1", transport=_transport(service))


def test_one_that_stays_the_same_says_nothing():
    assert opened(Service(NgramTarget(TEXTS["a"], order=1), chat=False, echo=False)).changed() == ""


def test_one_that_was_swapped_in_the_middle_is_told():
    target = opened(Swapped(until=6))
    target.generate(["x", "y", "z"])
    for _ in range(6):
        target.generate([f"more {_}"])
    told = target.changed()
    assert "answers 3 of 3 questions otherwise than when the audit began" in told
    assert "the model behind it changed" in told


def test_one_that_does_not_repeat_itself_is_told_apart():
    target = opened(Swapped(until=6, turns=True))
    for k in range(8):
        if k % 2:  # one request more or less, so that both of the two have their turn
            target.generate([f"more {k}"])
        if "does not repeat itself" in (told := target.changed()):
            break
    assert "does not repeat itself" in told


def test_one_that_is_gone_at_the_end_is_told(monkeypatch):
    target = opened(Service(NgramTarget(TEXTS["a"], order=1), chat=False, echo=False))

    def gone(*_, **__):
        raise pb.EndpointError("nothing answers")

    monkeypatch.setattr(target._http, "ask", gone)
    assert "may have changed unnoticed: nothing answers" in target.changed()


@pytest.mark.parametrize("swapped", [True, False])
def test_the_report_of_an_audit_says_so(swapped, tmp_path):
    target = opened(Swapped(until=4 if swapped else 10_000))
    report = pb.audit(target, probes=["adult_fairness"], cache=None, limit=12)
    assert any("the model behind it changed" in note for note in report.notes) is swapped


def test_the_plan_of_an_endpoint_tells_prompts_tokens_and_price(probatum_plan):
    text = probatum_plan("--price", "1000000,2000000")
    assert "are read and" in text
    shown = r"of which (.+) are read and (.+) written by endpoints, for (.+) prompts, at most (.+) by the prices"
    read, written, prompts, price = (float(x.replace(",", "")) for x in re.search(shown, text).groups())
    assert written == 120 * 8
    assert prompts == 120
    assert price == pytest.approx(read + 2 * written)


@pytest.fixture
def probatum_plan():
    from driving import drive

    def plan(*words):
        with serve_http(NgramTarget(TEXTS["a"], order=1), echo=False) as url:
            ran = drive("audit", url, "--probe", "adult_fairness", "--plan", "--no-cache", *words)
        assert ran.code == 0, ran.err
        return ran.out

    return plan


def test_a_price_that_is_none_is_refused():
    from driving import drive

    for text in ("cheap", "1", "-1,2"):
        ran = drive("audit", "specimen", "--plan", "--price", text)
        assert ran.code == 2
        assert "expected --price READ,WRITTEN" in ran.err
