"""The audit trail: every number again from the evidence; what is not there, or was changed, is noticed."""

import dataclasses

import pytest

import probatum as pb
from probatum.audit import methods_of
from probatum.core.suite import read_suite
from probatum.deciding import decide_all
from probatum.engine.session import Session
from probatum.runner import Runner
from probatum.trail import audit_trail

PROBES = ("external_misinformation", "moral_choice")


@pytest.fixture
def ran():
    session = Session()
    calls = []

    def answer(messages):
        calls.append(messages)
        return "A" if len(messages[-1]["content"]) % 2 else "Supports"

    target = pb.open_target(answer, session=session)
    runner = Runner(target, {}, {}, session, debug=True)
    methods = methods_of(read_suite("trust"), PROBES, {})
    pending = [runner.run(method, options) for method, options in methods]
    findings = decide_all(pending, {}, scores=runner.scores)
    asked = len(calls)
    return runner, methods, findings, lambda: len(calls) - asked


def test_everything_comes_out_again_and_nothing_is_asked(ran):
    runner, methods, findings, new = ran
    before = dataclasses.replace(runner.session.cost)
    found = audit_trail(runner, methods, findings)
    assert (found.outcome, found.estimate.value, found.estimate.n) == ("measured", 1, 2)
    assert found.dimension == "accountability"
    assert all(control.passed for control in found.controls)
    assert new() == 0
    assert dataclasses.replace(runner.session.cost) == before


def test_a_number_that_was_changed_is_named(ran):
    runner, methods, findings, _ = ran
    wrong = dataclasses.replace(findings[1].estimate, value=findings[1].estimate.value + 1e-9)
    found = audit_trail(runner, methods, [findings[0], dataclasses.replace(findings[1], estimate=wrong)])
    assert found.estimate.value == 0.5
    assert "moral_choice: another number" in found.reason


def test_evidence_that_is_gone_is_named(ran):
    runner, methods, findings, _ = ran
    from probatum.engine.store import MemoryStore

    runner.subject._store = MemoryStore()
    found = audit_trail(runner, methods, findings)
    assert found.estimate.value == 0
    assert "had to be asked again" in found.reason


def test_the_trust_suite_ends_with_it_and_speaks_of_eight_dimensions():
    suite = read_suite("trust")
    assert suite.trail
    from probatum.core.catalogue import entries

    spoken = {entries()[name].dimension for name, _ in suite.probes} | {"accountability"}
    assert len(spoken) == 8
