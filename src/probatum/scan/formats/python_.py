"""Python files: parsed, never imported."""

from __future__ import annotations

import re

from probatum.scan.finding import quote
from probatum.scan.formats import text
from probatum.scan.formats.read_text import is_prose, whole_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "python"
EXCLUSIVE = False
#: The syntax tree takes some hundred times the memory of the text.
LONGEST = 1 << 20

_SHEBANG = re.compile(rb"#!.{0,60}python")
_CODE = re.compile(rb"^(?:import [A-Za-z_][\w.]*|from [.\w]+ import [\w(*]|(?:async )?def \w+\(|class \w+[(:])", re.M)
_OTHER = (".js", ".ts", ".java", ".go", ".rs", ".c", ".cc", ".cpp", ".cu", ".h", ".rb", ".lua", ".yaml", ".yml",
          ".json", ".toml", ".html", ".htm", ".xml", ".svg", ".jinja", ".jinja2", ".j2", ".pth", ".ipynb", ".sql", ".r",
          ".jsonl")  # fmt: skip


def sniff(head: bytes, source: Source) -> bool:
    """By name, by its first line, or by statements at the beginning of lines in a text without another meaning."""
    if not text.sniff(head, source):
        return False
    if source.name_ends((".py", ".pyw", ".pyi", ".py.txt")) or _SHEBANG.match(head):
        return True
    return bool(_CODE.search(head)) and not is_prose(source) and not source.name_ends(_OTHER)


def scan(source: Source, context: Context) -> None:
    if source.size > LONGEST:
        context.report("BUD001", f"Python longer than {LONGEST:,} bytes was not parsed", source)
        return
    code = whole_text(source, context)
    if code is not None:
        scan_code(code, source, context)


def scan_code(code: str, source: Source, context: Context, where: str = "") -> None:
    """Judge Python code; ``where`` says which, if it is not the source itself."""
    from probatum.scan.python.judge import Broken, judge

    context.budget.spend_steps(len(code))
    try:
        problems = judge(code)
    except Broken as broken:
        problems = [("PYC006", f"it could not be parsed: {quote(str(broken.args[0]))}", broken.args[1], ())]
    lines = code.splitlines(keepends=True) if not where else []
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line.encode()))
    for rule, message, line_number, trace in problems:
        if where:
            if rule != "PYC001":
                context.report(rule, f"{where}, line {line_number}: {message}", source, trace=trace)
        else:
            offset = starts[min(max(0, line_number - 1), len(starts) - 1)]
            context.report(rule, f"line {line_number}: {message}", source, offset=offset, trace=trace)
