"""A method from outside: the file that CONTRIBUTING shows, registered by an entry point, and nothing else."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import pytest

from probatum.core import catalogue
from probatum.core.errors import BadInput
from probatum.testing import check_method

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a distribution with one entry point into a folder on the path."""

    def install(name: str, source: str, module: str) -> None:
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[probatum.methods]\n{name} = {module}\n", encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        importlib.invalidate_caches()
        catalogue.entries.cache_clear()

    monkeypatch.delenv("PROBATUM_NO_PLUGINS", raising=False)
    yield install
    catalogue.entries.cache_clear()
    sys.modules.pop("surprise", None)


def example() -> str:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return re.search(r"^```python\n(.*?)^```", page, re.M | re.S)[1]


def test_the_example_of_the_guide_is_found_and_keeps_the_contract(installed):
    installed("surprise", example(), "surprise")
    entry = catalogue.entries()["surprise"]
    assert (entry.dimension, entry.needs, entry.signature.options["share"]) == (
        "privacy",
        ("LOGPROBS",),
        ("float", 0.5),
    )
    assert catalogue.load("surprise").signature == entry.signature
    check_method("surprise")


def test_plugins_can_be_switched_off(installed, monkeypatch):
    installed("surprise", example(), "surprise")
    monkeypatch.setenv("PROBATUM_NO_PLUGINS", "1")
    catalogue.entries.cache_clear()
    assert "surprise" not in catalogue.entries()


def test_a_plugin_may_not_take_the_name_of_another_method(installed):
    installed("loss", example().replace("def surprise", "def loss"), "surprise")
    with pytest.raises(BadInput, match="two methods are called 'loss'"):
        catalogue.entries()
