"""XML: PMML, SVG, OpenVINO and others, by a parser that stops at the first document type."""

from __future__ import annotations

import re

from probatum.scan import secrets
from probatum.scan.finding import quote
from probatum.scan.formats import text
from probatum.scan.formats.read_text import LARGEST, is_prose
from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "xml"
EXCLUSIVE = False

_START = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*(?:<!--.{0,300}?-->\s*)?<(?:\?xml\b|!DOCTYPE\s+(?!html)|!ENTITY|PMML\b|svg\b|net\s|[\w:]+\sxmlns)",
    re.I | re.S,
)
_NAMES = (".xml", ".pmml", ".svg", ".xsl", ".xslt", ".xsd", ".plist")
_PAGE = re.compile(rb"^\s*<(?:!doctype\s+html|html|head|body|script|div|p|meta|h1|table|a|img|iframe)\b", re.I)
#: Vocabularies that are data for their readers, by the root element.
_DATA = words("PMML svg annotation net")
_OPSETS = re.compile(r"opset\d{1,2}$")
#: Functions that PMML itself defines are short words without a dot.
_PMML_FUNCTION = re.compile(r"[A-Za-z_+*/\-][\w\-]*$|^[+\-*/]$")
#: Document types of SVG and XHTML, as programs write them; their definitions have names of characters, nothing more.
_KNOWN_TYPE = re.compile(
    r"-//W3C//DTD (?:SVG (?:1\.[01](?: Basic| Tiny)?|20\d{6})|XHTML 1\.[01](?: Strict| Transitional| Frameset)?)//EN"
)
_W3C = re.compile(r"https?://www\.w3\.org/(?:TR|Graphics)/[\w/.-]+\.dtd")
_SVG = words(
    """
    svg g path rect circle ellipse line polyline polygon text tspan textPath defs title desc clipPath mask pattern
    linearGradient radialGradient stop marker symbol use filter feGaussianBlur feOffset feBlend feMerge feMergeNode
    feColorMatrix feFlood feComposite switch metadata style view RDF Work format type date creator Agent title
    """
)
_LINKS = re.compile(r"#|data:image/(?:png|jpeg|gif);base64,|https?://|[\w./-]+$")


class _Stop(Exception):
    """Nothing more needs to be read."""


def sniff(head: bytes, source: Source) -> bool:
    """By name, or begins like XML and not like a page."""
    if source.name_ends(_NAMES):
        return text.sniff(head, source)
    begins = bool(_START.match(head)) and not _PAGE.match(head)
    return begins and not is_prose(source) and text.sniff(head, source)


def scan(source: Source, context: Context) -> str | None:
    from xml.parsers import expat

    if source.size > 8 * LARGEST:
        context.report("BUD001", f"XML longer than {8 * LARGEST:,} bytes was not parsed", source)
        return None
    context.budget.spend_steps(source.size)
    secrets.report(source, context)
    parser = expat.ParserCreate(namespace_separator=" ")
    look = _Look(source, context, parser)
    parser.StartDoctypeDeclHandler = look.doctype
    parser.EntityDeclHandler = look.entity
    parser.StartElementHandler = look.element
    parser.ProcessingInstructionHandler = look.instruction
    parser.CharacterDataHandler = look.characters
    try:
        for pos in range(0, source.size, 1 << 20):
            parser.Parse(source.read(pos, 1 << 20), pos + (1 << 20) >= source.size)
    except _Stop:
        pass
    except (expat.ExpatError, ValueError, LookupError) as error:
        context.report("XML003", f"it is not well-formed: {quote(str(error))}", source, offset=parser.CurrentByteIndex)
    return {"PMML": "pmml", "svg": "svg"}.get(look.root)


class _Look:
    """Looks at every element as it comes."""

    def __init__(self, source: Source, context: Context, parser: Any) -> None:
        self.source, self.context, self.parser = source, context, parser
        self.root = self.inside = ""

    def say(self, rule: str, message: str) -> None:
        self.context.report(rule, message, self.source, offset=self.parser.CurrentByteIndex)

    def doctype(self, name: str, system: str | None, public: str | None, subset: int) -> None:
        if subset or not (_KNOWN_TYPE.fullmatch(public or "") and _W3C.fullmatch(system or "")):
            self.entity(name)

    def entity(self, name: str, *_: Any) -> None:
        self.say("XML001", f"a document type {quote(name or '')}; what it defines was not read")
        raise _Stop

    def instruction(self, target: str, _: str) -> None:
        self.say("XML003", f"an instruction {quote(target)}")

    def characters(self, data: str) -> None:
        if self.inside == "style" and re.search(r"url|@|expression|\\", data, re.I):
            self.say("XML003", "style that fetches or escapes")

    def element(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        self.inside = local
        if not self.root:
            self.root = local
            if local not in _DATA:
                self.say("XML003", f"the vocabulary of {quote(local)} is not known")
        if "XInclude" in space:
            self.say("XML003", "includes other files")
        elif "XSL/Transform" in space:
            self.say("XML002", f"a program in XSLT: {quote(local)}")
        elif local in ("script", "foreignObject", "handler", "listener", "iframe", "object", "embed"):
            self.say("XML002", f"the element {quote(local)}")
        elif (local == "java" and "class" in attributes) or local == "bean":
            self.say("XML002", f"builds an object of {quote(attributes.get('class', '?'))}")
        elif self.root == "svg" and local not in _SVG:
            self.say("XML003", f"the element {quote(local)} is not known in SVG")
        elif self.root == "PMML":
            self.pmml(local, attributes)
        elif self.root == "net" and local == "layer":
            version = attributes.get("version", "")
            if not _OPSETS.match(version):
                self.say("XML002", f"a layer of {quote(version)}, which an extension library provides")
        for key, value in attributes.items():
            self.attribute(key.rpartition(" ")[2], value)

    def pmml(self, local: str, attributes: dict[str, str]) -> None:
        function = attributes.get("function", "")
        if local == "Extension":
            self.say("XML003", f"an extension of {quote(attributes.get('extender', '?'))}, which was not judged")
        elif local == "Apply" and not _PMML_FUNCTION.match(function):
            self.say("XML002", f"applies {quote(function)}: a reader in Java looks for a class of this name")

    def attribute(self, key: str, value: str) -> None:
        low = key.lower()
        if self.root == "svg" and low.startswith("on"):
            self.say("XML002", f"the handler {quote(key)}")
        elif self.root == "svg" and low in ("href", "src", "from", "to", "values") and not _LINKS.match(value.strip()):
            bad = "script" in value.lower() or ":" in value
            self.say("XML002" if bad else "XML003", f"the address {quote(value)}")
        elif self.root == "svg" and low == "style" and re.search(r"url\((?!#)|@|expression|\\", value, re.I):
            self.say("XML003", "style that fetches or escapes")
