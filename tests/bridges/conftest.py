"""What the tests of the bridges share: no network, and small tasks made on the spot."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

QUESTIONS = 24
COLORS = ("amber", "cobalt and slate", "jade")

INSPECT_TASKS = '''
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.scorer import choice, includes, match, model_graded_qa, pattern
from inspect_ai.solver import generate, multiple_choice

COLORS = ["amber", "cobalt and slate", "jade"]


@task
def letters(shuffle=False):
    """Every letter is right equally often."""
    samples = [
        Sample(id=f"q{i}", input=f"Which color has lamp {i}?", choices=COLORS, target="ABC"[i % 3]) for i in range(24)
    ]
    return Task(dataset=samples, solver=multiple_choice(shuffle=shuffle), scorer=choice())


@task
def shuffled():
    return letters(shuffle=True)


@task
def words():
    """Amber is right half of the time."""
    samples = [Sample(input=f"Which color has lamp {i}?", target=COLORS[max(0, i % 4 - 1)]) for i in range(24)]
    return Task(dataset=samples, solver=generate(), scorer=match())


@task
def strict():
    samples = [Sample(input=f"Which color has lamp {i}?", target=COLORS[i % 3]) for i in range(6)]
    return Task(dataset=samples, solver=generate(), scorer=pattern(r"Final: (\\w+)"))


@task
def judged():
    samples = [Sample(input=f"Which color has lamp {i}?", target=COLORS[i % 3]) for i in range(4)]
    return Task(dataset=samples, solver=generate(), scorer=model_graded_qa(model_role=None))


@task
def unscored():
    return Task(dataset=[Sample(input="Why?")], solver=generate())
'''


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks up a host or connects to one fails."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def inspect_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with tasks of Inspect."""
    path = tmp_path_factory.mktemp("inspect") / "colors.py"
    path.write_text(INSPECT_TASKS, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def lmeval_tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``choices.yaml``, ``texts.yaml``, ``rolling.yaml`` and ``last.yaml`` over one JSON file."""
    folder = tmp_path_factory.mktemp("lmeval")
    rows = [
        {"question": f"Which color has lamp {i}?", "options": COLORS, "gold": i % 3, "word": COLORS[max(0, i % 4 - 1)]}
        for i in range(QUESTIONS)
    ]
    (folder / "rows.json").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    head = (
        f"dataset_path: json\ndataset_kwargs:\n  data_files: {folder}/rows.json\n  cache_dir: {folder}/cache\n"
        "test_split: train\n"
    )
    tasks = {
        "choices": "output_type: multiple_choice\ndoc_to_text: '{{question}}'\ndoc_to_target: gold\n"
        "doc_to_choice: options\nmetric_list:\n- metric: acc\n- metric: acc_norm\n- metric: acc_mutual_info\n",
        "texts": "output_type: generate_until\ndoc_to_text: '{{question}}'\ndoc_to_target: word\n"
        "generation_kwargs:\n  until: ['\\n', '.']\n  max_gen_toks: 12\nmetric_list:\n- metric: exact_match\n",
        "rolling": "output_type: loglikelihood_rolling\ndoc_to_text: ''\ndoc_to_target: question\n"
        "metric_list:\n- metric: bits_per_byte\n",
        "last": "output_type: loglikelihood\ndoc_to_text: '{{question}}'\ndoc_to_target: ' {{word}}'\n"
        "metric_list:\n- metric: perplexity\n- metric: acc\n",
    }
    for name, rest in tasks.items():
        (folder / f"{name}.yaml").write_text(f"task: colors_{name}\n{head}{rest}", encoding="utf-8")
    return folder
