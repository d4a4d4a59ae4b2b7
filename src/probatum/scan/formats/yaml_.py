"""YAML: tags that build objects, aliases that explode, and keys that make a loader run code."""

from __future__ import annotations

import re

from probatum.scan.config import check
from probatum.scan.finding import quote
from probatum.scan.formats import text
from probatum.scan.formats.jinja_ import scan_template
from probatum.scan.formats.read_text import beginning, byte_offset, is_prose, whole_text
from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "yaml"
EXCLUSIVE = False

_NAMES = (".yaml", ".yml", "mlmodel")
_TAG = r"!(?:!(?:python|ruby|java|javax|org|com|perl)[/:.]|<?tag:yaml\.org,2002:(?:python|java))"
#: A tag where a value may begin, in a text of any name.
_TAGGED = re.compile(rf"^(?:[^\n#]*(?:[:\-,\[{{]|---)\s+)?(?:&\S+\s+)?{_TAG}", re.MULTILINE)
_ANY = re.compile(rf"{_TAG}[^\s,\[\]{{}}]*")
#: Tags that every reader knows, and types of Python that are data.
_PLAIN = words("str int float bool null map seq set omap pairs binary timestamp merge value")
_PYTHON = words("none bool str unicode bytes int long float complex list tuple dict")
#: A text grows to this many nodes, and to this many times what is written: a bomb.
EXPANDED, RATIO = 1_000_000, 100


def sniff(head: bytes, source: Source) -> bool:
    """By name or directive; and a text with a tag of a programming language, unless its name says prose."""
    if not text.sniff(head, source):
        return False
    if source.name_ends(_NAMES) or head.startswith(b"%YAML"):
        return True
    return not is_prose(source) and not source.name_ends((".py", ".ipynb")) and beginning(source, _TAGGED)


def scan(source: Source, context: Context) -> None:
    from probatum.scan.yaml.lines import Unclear
    from probatum.scan.yaml.reader import Reader

    whole = whole_text(source, context)
    if whole is None:
        return
    reader = Reader(whole)
    try:
        reader.read()
    except (Unclear, IndexError, RecursionError) as error:
        reason, at = error.args if isinstance(error, Unclear) else (type(error).__name__, reader.at)
        line = reader.text.count("\n", 0, at) + 1
        context.report("YML003", f"line {line} was not understood: {reason}", source, offset=byte_offset(whole, at))
        for found in _ANY.finditer(whole):
            _tag(found.group(), byte_offset(whole, found.start()), source, context)
    for tag, at in reader.tags:
        _tag(tag, byte_offset(reader.text, at), source, context)
    if reader.size > EXPANDED and reader.size > RATIO * (reader.nodes + 1):
        size = f"{reader.size:,}" if reader.size < 10**15 else "a quadrillion"
        context.report("YML004", f"aliases make {size} nodes of {reader.nodes:,}", source)
    check(reader.documents, source, context, scan_template)


def _tag(tag: str, at: int, source: Source, context: Context) -> None:
    """Judge one tag."""
    name = tag.strip("<>! ").removeprefix("<").removeprefix("tag:yaml.org,2002:")
    general = tag.startswith("!!") or "tag:yaml.org,2002:" in tag
    if tag == "!" or (general and name in _PLAIN):
        return
    if general and name.startswith("python/"):
        kind = name[7:].split(":")[0]
        if kind in _PYTHON and ":" not in name:
            return
        what = {"name": "names", "module": "imports"}.get(kind, "builds or calls")
        context.report("YML001", f"the tag {quote(tag)} {what} an object of Python", source, offset=at)
    elif general or name.startswith(("ruby/", "python/", "java", "perl/")):
        context.report("YML001", f"the tag {quote(tag)} builds an object", source, offset=at)
    else:
        said = f"the tag {quote(tag)} is given a meaning by the program that reads it"
        context.report("YML002", said, source, offset=at)
