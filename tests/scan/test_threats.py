"""The table of threats names what exists, and no rule of the scanner is missing from it."""

import runpy
from pathlib import Path

from probatum.core.catalogue import entries
from probatum.scan.rules import RULES

ROOT = Path(__file__).parents[2]
TABLE = runpy.run_path(str(ROOT / "docs/threats.py"))
ROWS = [t for threats in TABLE["GROUPS"].values() for t in threats]


def test_every_name_exists():
    for row in ROWS:
        assert set(TABLE["ids"](row.rules)) <= set(RULES), row.name
        assert set(row.probes.split()) <= set(entries()), row.name


def test_a_row_without_a_check_says_so():
    for row in ROWS:
        assert row.probes or row.rules or row.open, row.name


def test_every_rule_stands_in_a_row():
    named = {id for row in ROWS for id in TABLE["ids"](row.rules)}
    assert set(RULES) - named == set()


def test_the_page_is_the_one_that_the_table_makes():
    assert (ROOT / "docs/threats.md").read_text(encoding="utf-8") == TABLE["page"](), "run docs/threats.py"
