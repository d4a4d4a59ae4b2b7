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

#: Parts of Keras whose classes only compute; "" is Keras itself.
PARTS = words(
    """
    layers initializers regularizers constraints optimizers losses metrics activations models dtype_policies random
    engine optimizer_v2 quantizers mixed_precision
    """
) | {""}
#: Parts of module names behind which Keras fetches, saves, loads or exports.
BARRED = words("util utils saving config backend export legacy datasets callbacks applications testing trainers ops")
_CLASS = re.compile(r"[A-Z]\w*|__\w+__|function")
#: Classes of Keras itself that run what is in the file, or another file.
CODE = words("Lambda TorchModuleWrapper JaxLayer FlaxLayer TFSMLayer KerasLayer TFOpLambda SlicingOpLambda __lambda__")
#: Functions that a configuration may name without a module.
FUNCTIONS = words(
    """
    relu relu6 sigmoid tanh softmax softplus softsign elu selu gelu swish silu exponential linear hard_sigmoid
    hard_swish hard_silu leaky_relu log_softmax log_sigmoid mish celu glu mean_squared_error mean_absolute_error
    categorical_crossentropy sparse_categorical_crossentropy binary_crossentropy kl_divergence poisson accuracy
    cosine_similarity hinge huber log_cosh glorot_uniform he_normal zeros ones
    """
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
    elif isinstance(registered, str) and registered not in (name, config):
        context.report("KER003", f"builds the registered class {quote(registered)}", source, offset=offset)
    elif name == "function" and config not in FUNCTIONS:
        context.report("KER003", f"refers to the function {quote(str(config)[:200])}", source, offset=offset)


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
    rest = module.split(".")
    while rest and rest[0] in ("tensorflow", "tf", "python", "keras", "tf_keras", "src"):
        rest = rest[1:]
    own = "keras" in module.split(".")[:3] and (rest or [""])[0] in PARTS
    full = quote(f"{module}.{name}")
    if is_dangerous(module, name) or ("keras" in module and BARRED.intersection(rest)):
        context.report("KER002", f"refers to {full}", source, offset=offset)
    elif not own and not (module == "builtins" and name in ("function", "slice", "__tensor__")):
        context.report("KER003", f"refers to {full}", source, offset=offset)
