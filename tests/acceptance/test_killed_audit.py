"""An audit that is killed with SIGKILL in its middle goes on where it stopped."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from driving import finding, report_in

import probatum

DRIVER = """
import os, signal, sys
from pathlib import Path
import probatum.cli.progress
from probatum.cli import main
from probatum.engine.stored import StoredTarget

booked, largest, batches = 0, 0, 0
real = StoredTarget._book

def book(self, tokens):
    global booked, largest
    real(self, tokens)
    booked, largest = booked + tokens, max(largest, tokens)
    Path(sys.argv[1]).write_text(f"{booked} {largest}")

def after_batch(self, what, done, total):
    global batches
    batches += 1
    if batches == int(sys.argv[2]):
        os.kill(os.getpid(), 9)

StoredTarget._book = book
probatum.cli.progress.Progress.tokens = after_batch
main(sys.argv[3:])
"""


def run(counts, kill_after, *words):
    sources = str(Path(probatum.__file__).parents[1])
    command = [sys.executable, "-c", DRIVER, str(counts), str(kill_after), *map(str, words)]
    environment = os.environ | {"PYTHONPATH": sources, "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300, check=False)
    booked, largest = map(int, counts.read_text().split())
    return ran, booked, largest


@pytest.mark.slow
def test_a_killed_audit_goes_on_and_computes_at_most_one_batch_twice(probatum, tmp_path):
    words = ("audit", "specimen", "--probe", "loss", "--quiet")
    whole = probatum(*words, "--cache", tmp_path / "whole", "--out", tmp_path / "a")
    assert whole.code == 0, whole.err
    full = report_in(tmp_path / "a" / "specimen")
    broken = (*words, "--cache", tmp_path / "broken", "--out", tmp_path / "b")
    killed, first, largest = run(tmp_path / "counts", 4, *broken)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "b").exists()
    assert largest * 2 < first < full["cost"]["forward_tokens"]
    resumed = probatum(*broken)
    assert resumed.code == 0, resumed.err
    report = report_in(tmp_path / "b" / "specimen")
    assert first + report["cost"]["forward_tokens"] <= full["cost"]["forward_tokens"] + largest
    assert report["cost"]["cached_tokens"] > 0
    assert report["cost"]["forward_tokens"] > 0
    assert finding(report, "loss")["estimate"] == pytest.approx(finding(full, "loss")["estimate"])
    assert finding(report, "loss")["outcome"] == finding(full, "loss")["outcome"] == "evidence"
