"""Plain text: documentation, vocabularies, licenses. Inert as long as nothing interprets it.

What an interpreter, a template engine or a browser runs is recognized and reads `not covered`; the name of a file
may add suspicion here, never remove it.
"""

from __future__ import annotations

import codecs

from probatum.scan import secrets
from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "text"
EXCLUSIVE = False

#: Names whose text something runs.
RUN = words(
    """
    .py .pyw .pyi .ipynb .sh .bash .zsh .bat .cmd .ps1 .js .mjs .ts .html .htm .svg .xml .xhtml .pmml .jinja
    .jinja2 .j2 .yaml .yml .toml .cfg .ini .rb .pl .lua .r .c .cc .cpp .cu .h .java .go .rs .pth .mk .sql .php
    .desktop
    """
)
#: Beginnings of text that something runs.
STARTS = ("#!", "<?", "<!", "<html", "<svg", "{%", "%YAML", "#cloud-config")
#: Names of binary formats: a text under them is not what its name says, and a loader may take it all the same.
LOADED = words(
    """
    .pkl .pickle .bin .pt .pth .ckpt .dat .joblib .npy .npz .h5 .safetensors .gguf .onnx .pb .model .mar
    """
)
LARGEST = 256 << 20


def sniff(head: bytes, source: Source) -> bool:
    """Text in UTF-8 (or UTF-16 with its mark), without control characters."""
    return _decodes(head if source.size <= len(head) else head[:-4], source.size <= len(head))


def _decodes(data: bytes, whole: bool) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data, whole)
    except UnicodeDecodeError:
        return False
    return not any(c < " " and c not in "\t\n\r\f\x1b" for c in set(text))


def scan(source: Source, context: Context) -> None:
    """The whole text must be text; then its beginning and its name say whether something runs it."""
    decoder, pos = codecs.getincrementaldecoder("utf-8")(), 0
    while pos < source.size:
        if pos >= LARGEST:
            context.report("BUD001", f"a text longer than {LARGEST:,} bytes; the rest was not read", source)
            return
        block = source.read(pos, 1 << 20)
        pos += len(block)
        try:
            text = decoder.decode(block, pos >= source.size)
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text or not block:
            context.report("FIL001", "begins as text and goes on as something else", source, offset=max(0, pos - 1))
            return
    start = source.head(64).decode("utf-8", "ignore").lstrip("\ufeff \t\r\n")
    if source.name_ends(RUN) or start.startswith(STARTS):
        context.report("FIL003", "a script, template or markup", source)
    elif source.name_ends(LOADED):
        context.report("FIL001", "a text under the name of a binary format", source)
    secrets.report(source, context)
