"""The trust suite on a live server that others wrote: `transformers serve`, offline, on a local directory."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time

import httpx
import pytest

from probatum.controls import specimen

for module in ("accelerate", "fastapi", "uvicorn", "openai"):
    pytest.importorskip(module, reason="the extra transformers[serving] is not installed")

TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """(URL, model name) of a server that answers conversations with the specimen."""
    folder = tmp_path_factory.mktemp("served") / "chat"
    shutil.copytree(specimen.directory("specimen"), folder)
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"chat_template": TEMPLATE}))
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cache = tmp_path_factory.mktemp("hub")
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HOME": str(cache), "OMP_NUM_THREADS": "1"}
    words = ["serve", str(folder), "--port", str(port), "--host", "127.0.0.1", "--device", "cpu", "--dtype", "float32"]
    log = (cache / "log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "transformers.cli.transformers", *words],
        env=os.environ | offline, stdout=log, stderr=log,
    )  # fmt: skip
    try:
        for _ in range(240):
            if server.poll() is not None:
                pytest.fail(f"the server ended: {(cache / 'log').read_text()[-800:]}")
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"http://127.0.0.1:{port}/", timeout=5)
                break
            time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/v1", str(folder)
    finally:
        server.terminate()
        server.wait(20)


@pytest.mark.slow
def test_a_task_on_a_live_server(probatum, served, tmp_path):
    url, model = served
    chosen = ("--probe", "external_misinformation", "--limit", "8")
    ran = probatum("audit", url, "--model", model, *chosen, "--out", tmp_path / "out", "--cache", tmp_path / "cache")
    assert ran.code == 0, ran.err
    [report] = (tmp_path / "out").glob("*/report.json")
    found = json.loads(report.read_text())
    [task] = found["findings"]
    assert found["subject"]["kind"] == "endpoint"
    assert task["outcome"] == "measured"
    assert sum(task["answers"].values()) == 8
    assert task["answers"]["missing"] == 0
    assert found["cost"]["generated_tokens"] > 0

    again = probatum("audit", url, "--model", model, *chosen, "--out", tmp_path / "two", "--cache", tmp_path / "cache")
    assert again.code == 0
    [report] = (tmp_path / "two").glob("*/report.json")
    second = json.loads(report.read_text())
    assert second["findings"][0]["estimate"] == task["estimate"]
    assert second["cost"]["forward_passes"] < found["cost"]["forward_passes"]
