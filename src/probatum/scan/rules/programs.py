"""EXE and FMT: programs, and formats that are recognized only."""

from __future__ import annotations

from probatum.scan.rules.rule import Rule

RULES = (
    Rule(
        "EXE001",
        "executes unknown code",
        "compiled code",
        means="The bytes are a native program or library, or WebAssembly.",
        matters="Whoever loads it runs it; a model of weights needs none.",
        example="libcustom_ops.so in an archive of a model; a llamafile.",
        do="Run it only if you trust the author; ask for the weights alone.",
    ),
    Rule(
        "EXE002",
        "executes unknown code",
        "a format whose loader runs what is in it",
        means="Bytecode of an interpreter, or objects that another language rebuilds by calling their classes.",
        matters="Opening it runs code, as with a pickle; this scanner does not follow that language.",
        example="model.pyc, model.rds, a serialized Java object",
        do="Open it only if you trust the author.",
    ),
    Rule(
        "FMT001",
        "not covered",
        "a known format that is not analyzed",
        means="The first bytes are those of a known format for which this scanner has no reader.",
        matters="What its loader does with this file was not judged.",
        example="TensorFlow Lite, ExecuTorch, TensorRT",
        do="Find out whether its loader runs code; custom operators are the usual way.",
    ),
)
