"""Keras: the configuration of a model (config.json of a .keras archive, or inside HDF5), which names what is built."""

from __future__ import annotations

import json
import re

from probatum.scan.bytecode import decoded, names
from probatum.scan.finding import quote
from probatum.scan.formats import json_, text
from probatum.scan.pickle.danger import is_dangerous
from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "keras config"
EXCLUSIVE = False

#: Modules whose classes only compute.
_PARTS = (
    "layers|initializers|regularizers|constraints|optimizers|losses|metrics|activations|models|dtype_policies|random|"
    "engine|optimizer_v2|preprocessing|quantizers"
)
_MODULE = re.compile(
    rf"(?:tensorflow\.|tf\.)?(?:tf_)?keras(?:\.src)?(?:\.(?:{_PARTS}))?(?:\.src)?(?:\.(?:{_PARTS}|[a-z0-9_]*))*"
)
_BARRED = re.compile(r"(?:^|\.)(?:utils?|saving|config|backend|export|legacy|datasets|callbacks|distribution|applications|"
                     r"testing|wrappers_?|tree|ops|trainers|api|visualization)(?:\.|$)")  # fmt: skip
_CLASS = re.compile(r"[A-Z]\w*|__\w+__|function")
#: Classes of Keras itself that run what is in the file, or another file.
CODE = words(
    "Lambda TorchModuleWrapper JaxLayer FlaxLayer TFSMLayer OnnxLayer __lambda__ KerasLayer TFOpLambda SlicingOpLambda"
)
#: Settings that make a layer read a file.
FILES = words("vocabulary idf_weights filepath file_path vocabulary_file")
_KEY = re.compile("".join(rf"(?:{c}|\\u00{ord(c):02x}|\\u00{ord(c):02X})" for c in "class_name").encode())


def sniff(head: bytes, source: Source) -> bool:
    """JSON with a key class_name, however it is written."""
    if not json_.sniff(head, source) or source.size > json_.LARGEST:
        return False
    return _KEY.search(source.read(0, source.size)) is not None and text.sniff(head, source)


def scan(source: Source, context: Context) -> str | None:
    """As JSON first; then what the configuration names."""
    plain = json_.scan(source, context)
    context.budget.spend_steps(source.size)
    try:
        value = json.loads(source.read(0, source.size))
    except (ValueError, RecursionError):
        return plain or json_.NAME
    judge(value, source, context)
    return None


def judge(value: Any, source: Source, context: Context, offset: int | None = None) -> None:
    """Walk a configuration without recursion; every object with a class_name is what Keras would build."""
    todo = [value]
    while todo:
        value = todo.pop()
        context.budget.spend_steps(1)
        if isinstance(value, list):
            todo.extend(value)
            continue
        if not isinstance(value, dict):
            continue
        if isinstance(value.get("class_name"), str):
            _object(value, source, context, offset)
        for key, inner in value.items():
            if key in ("module", "fn_module", "function_type", "output_shape_type") and isinstance(inner, str):
                _module(key, inner, str(value.get("class_name", "")), source, context, offset)
            elif key in FILES and isinstance(inner, str) and inner:
                said = f"{quote(key)} makes a layer read {quote(inner)}"
                context.report("KER004", said, source, offset=offset)
            elif isinstance(inner, (dict, list)):
                todo.append(inner)


def _object(value: dict[str, Any], source: Source, context: Context, offset: int | None) -> None:
    name, config, registered = value["class_name"], value.get("config"), value.get("registered_name")
    if name in CODE:
        _code(name, config, source, context, offset)
    elif not _CLASS.fullmatch(name):
        context.report("KER003", f"builds {quote(name)}", source, offset=offset)
    elif isinstance(registered, str) and registered not in (name, str(config)):
        context.report("KER003", f"builds the registered class {quote(registered)}", source, offset=offset)
    elif name == "function" and not isinstance(config, str):
        context.report("KER003", "refers to a function in an unknown way", source, offset=offset)


def _code(name: str, config: Any, source: Source, context: Context, offset: int | None) -> None:
    """A layer that holds code: name what the code names."""
    found: list[str] = []
    todo = [config]
    while todo and len(found) < 200:
        value = todo.pop()
        if isinstance(value, dict):
            todo.extend(value.values())
        elif isinstance(value, list):
            todo.extend(value[:1000])
        elif isinstance(value, str) and len(value) > 40:
            context.budget.spend_steps(len(value))
            found += names(decoded(value))
    bad = [n for n in found if is_dangerous(n, n)]
    shown = ", ".join(quote(n) for n in (bad or found)[:8])
    if bad:
        context.report("KER002", f"a layer {quote(name)} with code that names {shown}", source, offset=offset)
    context.report(
        "KER001", f"a layer {quote(name)}" + (f" that names {shown}" if shown else ""), source, offset=offset
    )


def _module(key: str, module: str, name: str, source: Source, context: Context, offset: int | None) -> None:
    """A module outside Keras is imported; one of Keras that does more than compute is a tool of attacks."""
    if key.endswith("_type"):
        if module in ("lambda", "function"):
            context.report("KER001", f"{quote(key)} is {quote(module)}", source, offset=offset)
        return
    if is_dangerous(module, name) or (_MODULE.fullmatch(module) and _BARRED.search(module)):
        context.report("KER002", f"refers to {quote(f'{module}.{name}')}", source, offset=offset)
    elif (
        (not _MODULE.fullmatch(module) and module not in ("builtins", "__main__"))
        or module == "__main__"
        or (module == "builtins" and name not in ("function", "__tensor__", "slice"))
    ):
        context.report("KER003", f"refers to {quote(f'{module}.{name}')}", source, offset=offset)
