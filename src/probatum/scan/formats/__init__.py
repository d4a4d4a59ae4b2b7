"""One file per format. Contract of a format module:

``NAME``
    as printed, lower case.
``EXCLUSIVE``
    True: asked always (several may claim one source); False: asked only when no exclusive format claimed (text).
``sniff(head, source) -> bool``
    by content only: ``head`` is the first 4 KiB; more through ``source.read``. Cheap, never raises.
``scan(source, context) -> str | None``
    reports findings through ``context.report(rule, message, source, offset=, trace=)``; may give a more exact name
    ("torch zip"); sends nested payloads to
    ``context.scan_member(source.part(...))`` or ``context.scan_member(source.member(data, name))``; spends through
    ``context.budget`` and lets `Spent` pass. No finding whose verdict is worse than `proved inert` means: every byte
    was explained, and no loader of this format runs code. What was not read must be reported (a rule whose verdict
    is `not covered`).

To add a format: write the module, put it into `FORMATS` (order: the first claim names the file), and add its rules
to a family in `probatum.scan.rules`.
"""

from __future__ import annotations

from probatum.scan.formats import (
    compressed,
    executable,
    gguf,
    git_,
    hdf5,
    html_,
    image,
    install,
    jinja_,
    json_,
    keras_,
    msgpack_,
    notebook,
    npy,
    onnx_,
    opaque,
    pickle_,
    python_,
    safetensors_,
    saved_model,
    sentencepiece_,
    shell,
    tar_,
    text,
    torch_legacy,
    xml_,
    yaml_,
    zip_,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from probatum.scan.context import Context
    from probatum.scan.source import Source

    class Format(Protocol):
        NAME: str
        EXCLUSIVE: bool

        def sniff(self, head: bytes, source: Source) -> bool: ...
        def scan(self, source: Source, context: Context) -> str | None: ...


FORMATS: tuple[Format, ...] = (
    zip_,
    safetensors_,
    torch_legacy,
    pickle_,
    compressed,
    tar_,
    npy,
    gguf,
    hdf5,
    onnx_,
    saved_model,
    sentencepiece_,
    msgpack_,
    executable,
    image,
    git_,
    opaque,
    keras_,
    notebook,
    xml_,
    html_,
    shell,
    install,
    python_,
    yaml_,
    jinja_,
    json_,
    text,
)
