"""A Python function as a target: its texts are answers, its exceptions failures; kept only under name and version."""

import pytest

from probatum.core.errors import BadInput
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.targets import open_target
from probatum.targets.function import FunctionTarget


def user(text):
    return [{"role": "user", "content": text}]


def test_it_is_asked_once_for_every_conversation():
    seen = []

    def parrot(messages):
        seen.append(messages)
        return messages[-1]["content"].upper()

    target = open_target(parrot)
    assert (target.kind, str(target.access)) == ("function", "TEXT")
    assert target.name.endswith("parrot")
    assert target.answers([user("a"), user("b"), user("a")]) == ["A", "B", "A"]
    assert seen == [user("a"), user("b")]
    assert target.generate(["x\ny"], stop="\n") == ["X"]


def test_an_exception_is_the_failure_of_one_conversation():
    def fragile(messages):
        if messages[-1]["content"] == "b":
            raise ConnectionError("no route")
        return None if messages[-1]["content"] == "c" else "fine"

    target = open_target(fragile)
    assert target.answers([user(x) for x in "abcd"]) == ["fine", None, None, "fine"]
    assert target.failures["b"] == "the function raised ConnectionError: no route"
    assert target.failures["c"] == "the function gave NoneType, expected a text"


def test_ctrl_c_is_no_failure():
    def stopped(messages):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_target(stopped).answers([user("a")])


@pytest.mark.parametrize(("named", "calls"), [({}, 2), ({"name": "m", "version": "1"}, 1)])
def test_answers_are_kept_only_under_a_name_and_a_version(named, calls, tmp_path):
    count = []

    def counting(messages):
        count.append(1)
        return "x"

    for _ in range(2):
        store = EvidenceStore(tmp_path / "store")
        assert FunctionTarget(counting, session=Session(store=store), **named).answers([user("a")]) == ["x"]
    assert len(count) == calls


def test_another_version_is_asked_again(tmp_path):
    class Model:
        name = "mine"

        def __init__(self, version):
            self.version = version

        def __call__(self, messages):
            return f"I am {self.version}"

    session = Session(store=EvidenceStore(tmp_path / "store"))
    said = [open_target(Model(v), session=session).answers([user("a")])[0] for v in ("1", "2", "1")]
    assert said == ["I am 1", "I am 2", "I am 1"]


def test_a_name_without_a_version_is_refused():
    with pytest.raises(BadInput, match="give both, or neither"):
        open_target(lambda messages: "x", name="m")


def test_an_audit_takes_a_function_and_tells_what_failed():
    import probatum as pb

    def first(messages):
        if "covid" in messages[-1]["content"]:
            raise ValueError("never")
        return "Supports"

    report = pb.audit(first, probes=["external_misinformation"], cache=None)
    (finding,) = report
    assert report.subject.kind == "function"
    assert finding.outcome == "measured"
    assert finding.estimate.value == pytest.approx(0.5)
