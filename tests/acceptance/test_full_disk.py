"""A disk that fills up while evidence is written: one sentence, exit code 2, and nothing half-written."""

from __future__ import annotations

import sqlite3

import pytest

from probatum.cli import main
from probatum.engine.store import EvidenceStore


def test_a_disk_that_fills_up_ends_the_audit_with_one_sentence(tmp_path, monkeypatch, capsys):
    def full(self, statement, rows):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(EvidenceStore, "_write", full)
    with pytest.raises(SystemExit) as end:
        main(
            [
                "audit",
                "twin",
                "--probe",
                "weight_lineage",
                "--out",
                str(tmp_path / "out"),
                "--cache",
                str(tmp_path / "c"),
            ]
        )
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert "disk is full" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_an_option_out_of_its_range_is_a_reason_and_not_a_crash(tmp_path, capsys):
    from probatum import audit

    report = audit("twin", probes=["min_k_prob"], options={"min_k_prob": {"k": 5.0}}, cache=tmp_path / "c")
    (finding,) = report.findings
    assert report.complete
    assert finding.reason == "a share of tokens must lie in (0, 1], got 5.0"
