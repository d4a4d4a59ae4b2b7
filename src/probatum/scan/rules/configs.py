"""CFG004 and up, SKO: configuration that names code. CFG001 to CFG003 are in `files`."""

from __future__ import annotations

from probatum.scan.rules.rule import Rule

RULES = (
    Rule(
        "CFG004",
        "executes unknown code",
        "a server configuration with a handler of its own",
        means="The manifest names a Python file that the server imports; it is not one that the server brings.",
        matters="The handler runs when the model is deployed.",
        example='"handler": "handler.py" in MANIFEST.json of a .mar archive',
        do="Read the handler.",
    ),
    Rule(
        "CFG005",
        "not covered",
        "a configuration that points out of its directory",
        means="A key that names files holds an absolute path, '..', a drive or an address.",
        matters="The loader reads what was not scanned.",
        example='"weight_map": {"w": "../../other/model.bin"}',
        do="Scan what it points to, or refuse it.",
    ),
    Rule(
        "CFG006",
        "proved inert",
        "a configuration that names code of its own loader",
        means="The key makes the loader import a module, but one that belongs to the loader itself.",
        matters="What runs is the program that you have installed.",
        example="loader_module: mlflow.sklearn",
        do="Nothing by itself; the model files are judged on their own.",
    ),
    Rule(
        "CFG007",
        "dangerous",
        "a configuration that names a function of the system",
        means="A key that makes a loader import or call names a module that acts on the machine.",
        matters="Hydra calls what _target_ names with the arguments beside it.",
        example="_target_: os.system",
        do="Do not load it.",
    ),
    Rule(
        "SKO001",
        "dangerous",
        "a skops file that names a function of the system",
        means="A node of schema.json names a module that acts on the machine.",
        matters="Several versions of skops build such nodes although they ask for trust in others.",
        example='"__module__": "os", "__class__": "system", "__loader__": "FunctionNode"',
        do="Do not load it.",
    ),
    Rule(
        "SKO002",
        "executes unknown code",
        "a skops file with types beyond plain data",
        means="A node names a class or function that is not a container, number, text or array.",
        matters="Building the object runs code of that class; skops asks whether you trust some of them.",
        example="sklearn.linear_model._logistic.LogisticRegression",
        do="Load it only if you know every name, with skops' own list of trusted types.",
    ),
)
