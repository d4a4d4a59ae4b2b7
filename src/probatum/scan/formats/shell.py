"""Shell scripts: recognized, with what they fetch and run named."""

from __future__ import annotations

import re

from probatum.scan.finding import quote
from probatum.scan.formats import text
from probatum.scan.formats.read_text import byte_offset, whole_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "shell"
EXCLUSIVE = False

_SHEBANG = re.compile(rb"#!.{0,60}\b(?:sh|bash|zsh|dash|ksh|fish)\b")
_NAMES = (".sh", ".bash", ".zsh", ".bat", ".cmd", ".ps1", ".command")
_RUN = re.compile(
    r"(?:curl|wget|fetch|iwr|invoke-webrequest)\b[^\n|;]{0,300}\|\s*(?:sudo\s+)?(?:ba|z|da|k)?(?:sh|python\d?|perl|iex)\b"
    r"|(?:ba|z)?sh\s+<\(\s*(?:curl|wget)|(?:ba|z|da)?sh\s+-c\s+[\"']?\$\(\s*(?:curl|wget)|/dev/(?:tcp|udp)/[\w.$]+/"
    r"|\bnc(?:at)?\b[^\n]{0,80}\s-e\s|base64\s+(?:-d|--decode)\b[^\n]{0,60}\|\s*(?:ba|z|da)?sh\b|\biex\s*\(",
    re.IGNORECASE,
)


def sniff(head: bytes, source: Source) -> bool:
    """By name or by its first line."""
    return (source.name_ends(_NAMES) or bool(_SHEBANG.match(head))) and text.sniff(head, source)


def scan(source: Source, context: Context) -> None:
    script = whole_text(source, context)
    if script is None:
        return
    context.report("SHL001", "a shell runs this text", source)
    for found in _RUN.finditer(script):
        context.report("SHL002", f"holds {quote(found.group())}", source, offset=byte_offset(script, found.start()))
