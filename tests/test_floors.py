"""Imports point one way, and the heavy ones wait until they are needed. A broken floor names its line."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import probatum

ROOT = Path(probatum.__file__).parent

#: What stands on which floor; a part may import what stands lower, or on its own floor within `TOGETHER`.
FLOORS = {
    "scan": 0, "core": 1, "statistics": 2, "files": 2,
    "engine": 3, "targets": 3, "controls": 3, "sets": 3, "scorers": 3, "lineage": 3,
    "probes": 4, "protections": 4, "transforms": 4,
    "runner": 5, "facets": 5, "contamination": 5, "trail": 5, "notes": 5, "deciding": 5, "audit": 5,
    "planning": 5, "compare": 5, "protect": 5, "account": 5, "receipt": 5, "certify": 5, "endurance": 5,
    "model_card": 5, "reports": 5, "ledger": 5, "signing": 5,
    "testing": 6, "bridges": 6, "cli": 7, "__main__": 8,
}  # fmt: skip
TOGETHER = (
    {"engine", "targets", "controls", "sets", "scorers"},
    {
        "runner",
        "facets",
        "contamination",
        "trail",
        "notes",
        "deciding",
        "audit",
        "planning",
        "compare",
        "protect",
        "account",
        "receipt",
        "certify",
        "endurance",
        "model_card",
        "reports",
        "ledger",
        "signing",
    },
)
METHODS = ("probes", "protections", "transforms")
HEAVY = ("torch", "transformers", "tokenizers", "scipy", "sklearn", "pyarrow", "altair", "jinja2", "httpx",
         "inspect_ai", "lm_eval")  # fmt: skip


def part_of(file: Path, root: Path) -> str:
    """The part of the house that a file belongs to; "" for the front door, `probatum/__init__.py`."""
    first = file.relative_to(root).parts[0]
    return "" if first == "__init__.py" else first.removesuffix(".py")


def imported(tree: ast.Module, public: dict[str, str]):
    """(line, part) of every import of Probatum, those inside functions too; public names by where they come from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, a.name.split(".")[1]) for a in node.names if a.name.startswith("probatum."))
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: imports are absolute here"
            if node.module == "probatum":
                yield from ((node.lineno, public.get(a.name, a.name)) for a in node.names)
            elif (node.module or "").startswith("probatum."):
                yield node.lineno, node.module.split(".")[1]


def public_names(root: Path) -> dict[str, str]:
    tree = ast.parse((root / "__init__.py").read_text(encoding="utf-8"))
    return {
        a.asname or a.name: node.module.split(".")[1]
        for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and "." in (node.module or "")
        for a in node.names
    }  # fmt: skip


def may_import(own: str, other: str) -> bool:
    """A method knows neither another method nor how a target is made; the scanner knows nothing but itself."""
    if own in METHODS:
        return other in ("scan", "core", "statistics", "files", "engine", "scorers", "lineage")
    if own == other or any({own, other} <= group for group in TOGETHER):
        return True
    return own != "scan" and (other == "__version__" or FLOORS.get(other, 9) < FLOORS[own])


def broken_floors(root: Path) -> list[str]:
    """One sentence for every line that imports upwards, or sideways where it must not."""
    public, broken = public_names(root), []
    for file in sorted(root.rglob("*.py")):
        own = part_of(file, root)
        if not own:
            continue
        if own not in FLOORS:
            broken.append(f"{file.relative_to(root)}: '{own}' stands on no floor; give it one in tests/test_floors.py")
            continue
        for line, other in imported(ast.parse(file.read_text(encoding="utf-8")), public):
            if not may_import(own, other):
                broken.append(f"{file.relative_to(root)}, line {line}: {own} must not import {other}")
    return broken


def test_imports_point_one_way():
    assert broken_floors(ROOT) == []


def test_nothing_imports_the_tools_for_testing():
    users = [
        str(file) for file in ROOT.rglob("*.py") if part_of(file, ROOT) != "testing"
        and any(part == "testing" for _, part in imported(ast.parse(file.read_text(encoding="utf-8")), {}))
    ]  # fmt: skip
    assert users == []


def test_a_control_knows_nothing_but_the_core():
    tree = ast.parse((ROOT / "core" / "control.py").read_text(encoding="utf-8"))
    assert {part for _, part in imported(tree, public_names(ROOT))} == {"core"}


@pytest.mark.parametrize(
    ("file", "line", "sentence"),
    [
        ("core/access.py", "from probatum.statistics import auroc", "core must not import statistics"),
        ("core/access.py", "def f():\n    from probatum.engine.store import X", "line 2: core must not import engine"),
        ("statistics/roc.py", "import probatum.targets", "statistics must not import targets"),
        ("scan/pickles.py", "from probatum.core.errors import BadInput", "scan must not import core"),
        ("engine/store.py", "from probatum.runner import Runner", "engine must not import runner"),
        ("controls/sets.py", "from probatum import audit", "controls must not import audit"),
        ("probes/privacy/a.py", "from probatum.probes.privacy.b import b", "probes must not import probes"),
        ("probes/privacy/a.py", "from probatum import open_target", "probes must not import targets") ,
        ("protections/a.py", "from probatum.probes.privacy.b import b", "protections must not import probes"),
        ("reports/html.py", "from probatum.cli import app", "reports must not import cli"),
        ("reports/html.py", "from probatum.bridges import guest", "reports must not import bridges"),
        ("runner.py", "from probatum.testing import toy_data", "runner must not import testing"),
        ("attic/a.py", "", "'attic' stands on no floor"),
    ],
)  # fmt: skip
def test_a_broken_floor_is_named_with_its_line(file, line, sentence, tmp_path):
    (tmp_path / "__init__.py").write_text((ROOT / "__init__.py").read_text(encoding="utf-8"), encoding="utf-8")
    place = tmp_path / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(line + "\n", encoding="utf-8")
    assert len(found := broken_floors(tmp_path)) == 1
    assert file in found[0]
    assert sentence in found[0]


@pytest.mark.parametrize(
    "code",
    [
        "import probatum",
        "import probatum; from probatum import *",
        "from probatum.cli import main; main(['--help'])",
        "from probatum.cli import main; main(['list'])",
        "from probatum.cli import main; main(['explain', 'min_k_plus_plus'])",
    ],
)
def test_what_only_talks_imports_no_framework(code):
    script = (
        f"import sys\ntry:\n    {code}\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('heavy:', *(m for m in {HEAVY} if m in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1].strip() == "heavy:"
