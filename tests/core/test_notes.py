"""What an audit says beside its findings: copies across the two sets, and a reference that has seen them."""

import dataclasses

from probatum.core.access import Access
from probatum.core.data import Members
from probatum.core.finding import Finding
from probatum.engine.session import Session
from probatum.notes import remarks
from probatum.runner import Runner
from probatum.testing import toy_data, toy_target

MEMBERS = toy_data()["Members"]
FINDING = Finding("f", "reference_ratio", "privacy", "Seen?", "", ("LOGPROBS",), "evidence", roles={"reference": "r"})


def said(members, reference=None, used=True):
    runner = Runner(toy_target(), {"Members": members}, {"reference": reference} if reference else {}, Session())
    finding = dataclasses.replace(FINDING, estimate=object() if used else None)
    return " ".join(remarks(runner, [], [finding], foreign=False))


def test_clean_data_and_a_clean_reference_need_no_remark():
    assert said(MEMBERS, toy_target(planted=False)) == ""


def test_nonmembers_that_are_nearly_members_are_counted():
    rows = [
        {"id": str(i), "text": t, "member": m}
        for i, (t, m) in enumerate(zip(MEMBERS.texts, MEMBERS.label, strict=True))
    ]
    copies = [{"id": f"copy {i}", "text": row["text"] + " again", "member": False} for i, row in enumerate(rows[:3])]
    note = said(Members.from_rows([*rows, *copies]))
    assert "3 of 15 nonmembers (20.0%) share at least half" in note
    assert "membership is understated" in note


def test_a_reference_that_was_trained_on_the_members_is_named():
    note = said(MEMBERS, toy_target(planted=True))
    assert "the reference toy by itself finds the members likelier (AUROC 1.00" in note
    assert "the sets differ by themselves" in note
    assert "the sets differ by themselves" not in said(
        dataclasses.replace(MEMBERS, randomized=True), toy_target(planted=True)
    )


def test_a_reference_that_no_probe_used_or_that_cannot_say_is_left_alone():
    assert said(MEMBERS, toy_target(planted=True), used=False) == ""
    assert said(MEMBERS, toy_target(planted=True).giving(Access.TEXT)) == ""
