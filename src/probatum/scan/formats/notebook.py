"""Notebooks: JSON whose cells are code, and whose outputs may be pages."""

from __future__ import annotations

import json

from probatum.scan.finding import quote
from probatum.scan.formats import json_, text
from probatum.scan.formats.html_ import problems
from probatum.scan.formats.python_ import scan_code
from probatum.scan.formats.read_text import LARGEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "notebook"
EXCLUSIVE = False


def sniff(head: bytes, source: Source) -> bool:
    """An object in JSON with cells."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start.startswith(b"{") or not text.sniff(head, source):
        return False
    return source.name_ends((".ipynb",)) or b'"cells"' in head or b'"nbformat"' in head


def scan(source: Source, context: Context) -> str | None:
    if source.size > LARGEST:
        context.report("BUD001", f"a notebook longer than {LARGEST:,} bytes was not parsed", source)
        return None
    try:
        book: Any = json.loads(source.read(0, source.size))
    except (ValueError, RecursionError):
        book = None
    cells = book.get("cells") if isinstance(book, dict) else None
    json_.scan(source, context)
    if not isinstance(cells, list):
        if source.name_ends((".ipynb",)):
            context.report("CFG003", "a notebook without a list of cells", source)
        return None if source.name_ends((".ipynb",)) else "json"
    code = 0
    for number, cell in enumerate(cells, 1):
        if isinstance(cell, dict):
            kind = cell.get("cell_type")
            code += kind == "code"
            _cell(kind, cell, f"cell {number}", source, context)
        else:
            context.report("CFG003", f"cell {number} is no object", source)
    if code:
        context.report("NBK001", f"{code} cells of code", source)
    return None


def _cell(kind: Any, cell: dict[str, Any], where: str, source: Source, context: Context) -> None:
    """One cell: its code without magics, its outputs, its text."""
    body = _joined(cell.get("source"))
    if kind == "code":
        lines = body.split("\n")
        magic = [line for line in lines if line.lstrip().startswith(("!", "%"))]
        if magic:
            context.report("NBK003", f"{where}: {quote(magic[0].strip())}", source)
        if body.lstrip().startswith("%%"):
            return
        kept = ["" if line.lstrip().startswith(("!", "%", "?")) or line.endswith("?") else line for line in lines]
        scan_code("\n".join(kept), source, context, where)
    elif body:
        _page(body, f"{where}, text", source, context)
    for output in cell.get("outputs") or () if isinstance(cell.get("outputs"), list) else ():
        data = output.get("data") if isinstance(output, dict) else None
        for shown, content in data.items() if isinstance(data, dict) else ():
            if "javascript" in shown:
                context.report("NBK002", f"{where}: an output of {quote(shown)}", source)
            elif shown in ("text/html", "image/svg+xml", "text/markdown"):
                _page(_joined(content), f"{where}, output", source, context)


def _page(page: str, where: str, source: Source, context: Context) -> None:
    for rule, message, _ in problems(page):
        if rule == "HTM001":
            context.report("NBK002", f"{where}: {message}", source)


def _joined(value: Any) -> str:
    return "".join(str(v) for v in value) if isinstance(value, list) else value if isinstance(value, str) else ""
