"""Our targets as a provider of Inspect: usage always filled, one call for what waits, nothing done otherwise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("inspect_ai")

import inspect_ai
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.model import ChatMessageUser, ContentImage, ContentText, get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import bash

import probatum.bridges.inspect
from probatum.bridges.inspect import Request, answered
from probatum.core.access import Access
from probatum.core.target import Target
from probatum.targets import open_target

pytestmark = pytest.mark.usefixtures("offline")
ROOT = Path(__file__).parents[2]


class Echo(Target):
    """Says what it was asked, and how; nothing comes for what begins with "no"."""

    name, kind, digest, access, chats = "echo", "test", "0", Access.TEXT, True
    failures = {"nothing": "the line was cut"}  # noqa: RUF012

    def __init__(self):
        self.calls = []

    def answers(self, messages, *, max_new_tokens=64, temperature=0.0, seed=0):
        self.calls.append((len(messages), max_new_tokens, temperature, seed))
        last = [talk[-1]["content"] for talk in messages]
        return [None if text.startswith("no") else f"{text} | {seed}" for text in last]


def provider(target):
    return get_model("probatum/test", target=target, memoize=False)


def evaluated(model, samples, tmp_path, solver=None, **config):
    task = Task(dataset=samples, solver=solver or generate(), scorer=includes())
    (log,) = inspect_ai.eval(
        task, model=model, log_dir=str(tmp_path), display="none", log_realtime=False, fail_on_error=False, **config
    )
    return log


def questions(n):
    return [Sample(input=f"Who keeps lamp {i}?", target="x") for i in range(n)]


def test_a_run_fills_usage_batches_and_needs_no_network(tmp_path):
    target = open_target("specimen")
    model = provider(target)
    log = evaluated(model, questions(60), tmp_path, max_tokens=16)
    assert log.status == "success"
    assert "tiktoken" not in sys.modules  # which would fetch its table
    direct = target.answers([[{"role": "user", "content": s.input}] for s in log.samples], max_new_tokens=16)
    assert [s.output.completion for s in log.samples] == direct
    for s in log.samples:
        usage = s.output.usage
        assert usage.output_tokens == len(target.encode([s.output.completion])[0]) <= 16
        assert usage.input_tokens == len(target.encode([f"{s.input}\nAnswer:"])[0])
        assert usage.total_tokens == usage.input_tokens + usage.output_tokens
    assert log.stats.model_usage["probatum/test"].total_tokens > 0
    assert model.api.queue.calls <= 20
    assert model.api.queue.largest >= 10


def test_a_built_in_model_opens_by_its_name_and_answers_come_from_the_store(tmp_path):
    name = get_model("probatum/specimen", memoize=False, cache=str(tmp_path / "store"))
    first = evaluated(name, questions(3), tmp_path, max_tokens=8)
    passes = name.api.target.session.cost.forward_passes
    again = get_model("probatum/specimen", memoize=False, cache=str(tmp_path / "store"))
    second = evaluated(again, questions(3), tmp_path, max_tokens=8)
    assert [s.output.completion for s in first.samples] == [s.output.completion for s in second.samples]
    assert passes > 0
    assert again.api.target.session.cost.forward_passes == 0


def test_what_is_generated_alike_is_one_call_and_the_rest_is_kept_apart():
    target = Echo()
    talk = (("user", "a b"),)
    asked = [Request(talk, 5, 0.0, 0), Request((("user", "c"),), 5, 0.0, 0, ("c |",)), Request(talk, 9, 0.7, 3)]
    said = answered(target, asked)
    assert target.calls == [(2, 5, 0.0, 0), (1, 9, 0.7, 3)]
    assert [s.text for s in said] == ["a b | 0", "", "a b | 3"]
    assert (said[0].read, said[0].written) == (2, 4)
    assert "words" in said[0].unit  # it has no tokenizer to count by, and the log says so


def test_a_sample_without_an_answer_is_an_error_and_no_empty_text(tmp_path):
    samples = [Sample(input="nothing", target="x"), Sample(input="yes", target="x")]
    log = evaluated(provider(Echo()), samples, tmp_path)
    broken, fine = log.samples
    assert "the line was cut" in broken.error.message
    assert broken.scores in (None, {})
    assert fine.output.completion == "yes | 0"
    assert fine.output.metadata == {"usage": "counted in words, since this target tells no tokens"}


def test_epochs_at_a_temperature_are_other_draws_and_greedy_ones_are_not(tmp_path):
    def seeds(**config):
        log = evaluated(provider(Echo()), [Sample(input="yes", target="x")], tmp_path, epochs=3, **config)
        return sorted(s.output.completion for s in log.samples)

    assert seeds(temperature=0.9, seed=5) == ["yes | 5", "yes | 6", "yes | 7"]
    assert seeds(seed=5) == ["yes | 5"] * 3


@pytest.mark.parametrize(
    ("config", "named"),
    [({"top_p": 0.9}, "top_p"), ({"num_choices": 2}, "num_choices"), ({"logprobs": True}, "logprobs")],
)
def test_settings_that_a_target_has_not_are_refused(config, named, tmp_path):
    log = evaluated(provider(Echo()), questions(1), tmp_path, **config)
    assert f"the task sets {named}" in log.samples[0].error.message


def test_tools_and_images_are_refused(tmp_path):
    log = evaluated(provider(Echo()), questions(1), tmp_path, solver=[use_tools(bash()), generate()])
    assert "offers tools (bash)" in log.samples[0].error.message
    picture = ContentImage(image="data:image/png;base64,iVBORw0KGgo=")
    seen = Sample(input=[ChatMessageUser(content=[ContentText(text="What is it?"), picture])], target="x")
    log = evaluated(provider(Echo()), [seen], tmp_path)
    assert "reads only text" in log.samples[0].error.message


def test_the_entry_point_is_found_by_inspect(tmp_path):
    """As an installed package has it: what pyproject.toml says, written as metadata."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    assert points["inspect_ai"] == {"probatum": probatum.bridges.inspect.__name__}
    info = tmp_path / "probatum_points-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: probatum-points\nVersion: 0\n", encoding="utf-8")
    lines = [f"{name} = {value}" for name, value in points["inspect_ai"].items()]
    (info / "entry_points.txt").write_text("[inspect_ai]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    code = (
        "from inspect_ai.model import get_model; print(get_model('probatum/specimen', cache=False).api.target.digest)"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    ran = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert re.fullmatch("[0-9a-f]{64}", ran.stdout.strip())
