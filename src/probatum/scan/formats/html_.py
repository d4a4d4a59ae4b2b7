"""Pages for browsers: harmless only if every tag and attribute is on a list and written without tricks."""

from __future__ import annotations

import re

from probatum.scan.finding import quote
from probatum.scan.formats import text
from probatum.scan.formats.read_text import byte_offset, is_prose, whole_text
from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "html"
EXCLUSIVE = False

_START = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<!--.{0,300}?-->\s*)?<(?:!doctype\s+html|html|head|body|script|iframe)\b", re.I | re.S
)
_SCRIPT = re.compile(
    r"<\s*(?:script|iframe|object|embed|applet|frame|base|link|foreignobject|svg|math|template)\b"
    r"|[\s\"'/]on[a-z]{3,}\s*=|(?:javascript|vbscript)\s*:|srcdoc\s*=|http-equiv\s*=\s*[\"']?refresh",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"</?([a-zA-Z][a-zA-Z0-9]{0,20})"
    r"((?:\s+[a-zA-Z-]{1,30}(?:=(?:\"[^\"<>]*\"|'[^'<>]*'|[\w.%#-]+))?)*)\s*/?>"
)
_ATTRIBUTE = re.compile(r"([a-zA-Z-]+)(?:=(?:\"([^\"]*)\"|'([^']*)'|([\w.%#-]+)))?")
_SKIP = re.compile(r"<!--(?!>|->)(?:(?!--)[^<>])*-->|<!doctype\s+html\s*>", re.IGNORECASE)
TAGS = words(
    """
    html head title body meta h1 h2 h3 h4 h5 h6 p br hr div span a b i u em strong small sub sup code pre kbd samp
    blockquote q ul ol li dl dt dd table thead tbody tfoot tr th td caption col colgroup img figure figcaption
    header footer main nav section article aside details summary mark abbr time del ins center font
    """
)
ATTRIBUTES = words(
    """
    href src alt title class id width height align valign border lang dir charset name content colspan rowspan
    cellpadding cellspacing rel target type start open color size bgcolor scope
    """
)
_ADDRESS = re.compile(r"(?:https?://|mailto:|#|data:image/(?:png|jpeg|gif);base64,)|[\w./-]*(?:#[\w-]*)?$")


def sniff(head: bytes, source: Source) -> bool:
    """By name or by its first tag."""
    if not text.sniff(head, source):
        return False
    return source.name_ends((".html", ".htm", ".xhtml")) or (bool(_START.match(head)) and not is_prose(source))


def scan(source: Source, context: Context) -> None:
    page = whole_text(source, context)
    if page is None:
        return
    for rule, message, at in problems(page):
        context.report(rule, message, source, offset=byte_offset(page, at))


def problems(page: str) -> Iterator[tuple[str, str, int]]:
    """Script first; then what is not on the lists."""
    if (found := _SCRIPT.search(page)) is not None:
        yield "HTM001", f"holds {quote(found.group().strip())}", found.start()
        return
    at = page.find("<")
    while at >= 0:
        skip = _SKIP.match(page, at)
        tag = _TAG.match(page, at) if skip is None else None
        if skip is None and tag is None:
            yield "HTM002", "a construct that browsers may read in several ways", at
            return
        if tag is not None:
            if tag[1].lower() not in TAGS:
                yield "HTM002", f"the tag {quote(tag[1])} is not on the list", at
            for one in _ATTRIBUTE.finditer(tag[2]):
                name, value = one[1].lower(), one[2] or one[3] or one[4] or ""
                if name not in ATTRIBUTES:
                    yield "HTM002", f"the attribute {quote(name)} is not on the list", at
                elif name in ("href", "src") and not _ADDRESS.match(value):
                    yield "HTM002", f"the address {quote(value)}", at
        matched = skip or tag
        at = page.find("<", matched.end()) if matched else -1
