"""Controls have the further models that the subject has: a stronger probe must not stand in for the one that ran."""

from probatum.core.catalogue import load
from probatum.engine.session import Session
from probatum.runner import Runner
from probatum.testing import toy_data, toy_target


def given_to_controls(monkeypatch, roles):
    """The roles that the controls of `attack_ensemble` were run with."""
    seen = []
    method = load("attack_ensemble")
    runner = Runner(toy_target(), toy_data(), roles, Session())

    def execute(method, target, data, roles, options):
        seen.append(set(roles))
        raise LookupError

    monkeypatch.setattr(runner, "execute", execute)
    try:
        runner.prove(method, {})
    except LookupError:
        return seen[0]
    raise AssertionError("no control was run")


def test_a_control_goes_without_the_reference_that_the_subject_has_not(monkeypatch):
    assert "reference" in load("attack_ensemble").signature.optional
    assert "reference" not in given_to_controls(monkeypatch, {})


def test_a_control_has_a_reference_where_the_subject_has_one(monkeypatch):
    assert "reference" in given_to_controls(monkeypatch, {"reference": toy_target(planted=False)})


def test_a_role_that_must_be_there_is_there(monkeypatch):
    assert "reference" in load("reference_ratio").signature.roles
    assert "reference" not in load("reference_ratio").signature.optional
