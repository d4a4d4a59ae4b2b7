"""Chat templates in files of their own, and the entry for templates inside of other formats."""

from __future__ import annotations

import re

from probatum.scan.formats import text
from probatum.scan.formats.read_text import byte_offset, is_prose, whole_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "jinja"
EXCLUSIVE = False
LONGEST = 1 << 20

_NAMES = (".jinja", ".jinja2", ".j2", "chat_template", "chat_template.txt")
_STARTS = re.compile(r"\s*(?:\{\{|\{%|\{#)")
_HOLDS = re.compile(r"\{%[-+]?\s*(?:if|for|set|macro|include|import|extends)\b", re.ASCII)
_JSON = re.compile(r'^\s*(?:\{\s*["}]|\[)')


def sniff(head: bytes, source: Source) -> bool:
    """By name, or a text that begins like Jinja, or holds statements of it and is neither JSON nor prose."""
    if not text.sniff(head, source):
        return False
    if source.name_ends(_NAMES):
        return True
    shown = head.decode("utf-8", "ignore")
    if _STARTS.match(shown):
        return True
    return not is_prose(source) and not _JSON.match(shown) and bool(_HOLDS.search(shown))


def scan(source: Source, context: Context) -> None:
    template = whole_text(source, context)
    if template is not None:
        scan_template(template, source, context)


def scan_template(template: str, source: Source, context: Context, where: str = "") -> None:
    """Judge one template; ``where`` says which one, if it is not the source itself."""
    from probatum.scan.jinja.behavior import behavior
    from probatum.scan.jinja.judge import judge
    from probatum.scan.jinja.lexer import Unreadable
    from probatum.scan.jinja.statements import parse

    if len(template) > LONGEST:
        context.report("BUD001", f"a template longer than {LONGEST:,} characters was not parsed", source)
        return
    context.budget.spend_steps(len(template))
    try:
        tree = parse(template)
        problems = judge(tree) + behavior(tree)
    except (Unreadable, IndexError, ValueError, OverflowError, RecursionError) as error:
        reason = error.args[0] if isinstance(error, Unreadable) else f"it ended in {type(error).__name__}"
        at = error.args[1] if isinstance(error, Unreadable) else 0
        problems = [("TPL004", f"it could not be parsed: {reason}", at)]
    for rule, message, at in problems:
        if where:
            context.report(rule, f"{where}, character {at}: {message}", source)
        else:
            context.report(rule, message, source, offset=byte_offset(template, at))
