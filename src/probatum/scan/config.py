"""Keys of configuration files that make a loader import or instantiate: JSON, YAML and TOML alike."""

from __future__ import annotations

from probatum.scan.finding import printable, quote
from probatum.scan.words import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from probatum.scan.context import Context
    from probatum.scan.source import Source

#: Keys whose value is imported or instantiated, and who does it.
CODE = {
    "auto_map": "transformers and diffusers, with trust_remote_code",
    "_target_": "Hydra and NeMo",
    "class_path": "Lightning",
    "custom_pipelines": "transformers, with trust_remote_code",
    "trust_remote_code": "loaders that read it",
    "loader_module": "MLflow",
    "build_custom_model": "loaders that read it",
    "py/object": "jsonpickle",
    "py/reduce": "jsonpickle",
    "py/function": "jsonpickle",
    "py/type": "jsonpickle",
    "__reduce__": "loaders that read it",
}
#: Packages that a loader of this key imports anyhow.
OWN = {"loader_module": ("mlflow.",)}
#: Libraries that a ``model_index.json`` may name for its parts.
PARTS = words("diffusers transformers onnxruntime optimum stable_diffusion pipelines flax null none")
#: Handlers that TorchServe brings itself.
HANDLERS = words("image_classifier image_segmenter object_detector text_classifier base_handler micro_batching")
#: Keys whose values are files beside this one.
FILES = words("weight_map serializedFile modelFile requirementsFile extraFiles chat_template_file backend-path")
#: What JSON and YAML write for "no".
NO = (None, False, "", "false", "False", "null", "none", "no", "~")
#: Modules whose functions act on the machine.
DANGER = words(
    """
    os posix nt subprocess sys builtins __builtin__ importlib runpy pty socket shutil ctypes code pickle marshal
    """
)
#: What skops writes for data alone.
SKOPS = words("builtins collections numpy numpy.core numpy.ma numpy.dtypes numpy.random datetime")
SKOPS_LOADERS = words(
    """
    DictNode ListNode TupleNode SetNode JsonNode TypeNode NdArrayNode DTypeNode BytesNode BytearrayNode SliceNode
    SparseMatrixNode MaskedArrayNode RandomStateNode RandomGeneratorNode CachedNode OrderedDictNode DefaultDictNode
    DatetimeTimedeltaNode
    """
)


def check(value: Any, source: Source, context: Context, template: Callable[..., None] | None = None) -> None:
    """Look at every key of a parsed configuration. Shared parts are looked at once, so aliases cannot explode.

    Parameters
    ----------
    value
        Dictionaries, lists and scalars.
    template
        ``scan_template`` of the Jinja format, for chat templates.
    """
    for inside, parent in _objects(value):
        for rule, message in _problems(inside, parent):
            context.report(rule, message, source)
        if not _is_no(inside.get("chat_template")):
            _templates(inside["chat_template"], source, context, template)
        if "additional_chat_templates" in inside and isinstance(inside["additional_chat_templates"], dict):
            _templates(inside["additional_chat_templates"], source, context, template)


def _objects(value: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Every object and the key that it stands under, without recursion."""
    todo, seen = [(value, "")], set()
    while todo:
        inside, parent = todo.pop()
        if id(inside) in seen:
            continue
        if isinstance(inside, dict):
            seen.add(id(inside))
            yield inside, parent
            todo += [(v, str(k)) for k, v in inside.items() if isinstance(v, (dict, list))]
        elif isinstance(inside, list):
            seen.add(id(inside))
            todo += [(v, parent) for v in inside if isinstance(v, (dict, list))]


def _problems(inside: dict[str, Any], parent: str) -> Iterator[tuple[str, str]]:
    for key, value in inside.items():
        if key in CODE and ((isinstance(value, (dict, list)) and value) or not _is_no(value)):
            yield from _code(key, value)
        elif key in FILES and (out := next((f for f in _texts(value) if _leaves(f)), "")):
            yield "CFG005", f"{quote(key)} points out of the directory: {quote(out)}"
    yield from _diffusers(inside)
    yield from _skops(inside)
    if isinstance(handler := inside.get("handler"), str) and parent == "model" and handler not in HANDLERS:
        yield "CFG004", f"TorchServe runs the handler {quote(handler)}"
    if isinstance(target := inside.get("target"), str) and "params" in inside and "." in target:
        yield _named("target", target, "latent diffusion's loader")
    if (
        isinstance(kind := inside.get("type"), str)
        and {"idx", "path"} <= set(inside)
        and "." in kind
        and (not kind.startswith("sentence_transformers."))
    ):
        yield _named("type", kind, "sentence-transformers")
    if isinstance(library := inside.get("parent_library"), str) and library.partition(".")[0] not in PARTS:
        yield _named("parent_library", library, "PEFT")


def _code(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Sentences with the dotted names that a key holds."""
    names = [n for n in _texts(value) if isinstance(n, str)]
    if key in OWN and names and all((n + ".").startswith(OWN[key]) for n in names):
        yield "CFG006", f"{quote(key)} names {quote(names[0])}, which {CODE[key]} brings itself"
        return
    if not names or key == "trust_remote_code":
        yield "CFG001", f"{quote(key)} makes a loader run code ({CODE[key]})"
    for name in names[:20] if key != "trust_remote_code" else ():
        yield _named(key, name, CODE[key])


def _named(key: str, name: str, who: str) -> tuple[str, str]:
    root = name.split("--")[-1].partition(".")[0]
    if root in DANGER or "__" in name.replace("--", ""):
        return "CFG007", f"{quote(key)} names {quote(name)}, which acts on the machine (read by {who})"
    other = f" from the repository {quote(name.partition('--')[0])}" if "--" in name else ""
    return "CFG001", f"{quote(key)} names {quote(name)}{other}: a loader imports it ({who})"


def _diffusers(inside: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """``"unet": ["library", "Class"]`` in model_index.json."""
    if "_diffusers_version" not in inside:
        return
    for key, value in inside.items():
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and value[0] not in PARTS:
            yield _named(key, f"{value[0]}.{value[1]}", "diffusers")
    if isinstance(made := inside.get("_class_name"), list):
        yield _named("_class_name", ".".join(str(m) for m in made[:3]), "diffusers, with trust_remote_code")


def _skops(inside: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """One node of a skops schema."""
    if not {"__class__", "__module__", "__loader__"} <= set(inside):
        return
    module, made, loader = (str(inside[k]) for k in ("__module__", "__class__", "__loader__"))
    name, root = f"{module}.{made}", module.partition(".")[0]
    acts = root == "builtins" and made in ("eval", "exec", "getattr", "open", "compile", "__import__")
    if acts or (root in DANGER and root not in SKOPS):
        yield "SKO001", f"names {quote(name)} (read by {quote(loader)}), which acts on the machine"
    elif loader not in SKOPS_LOADERS or not (module in SKOPS or (root == "numpy" and loader in SKOPS_LOADERS)):
        yield "SKO002", f"names {quote(name)}, read by {quote(loader)}"


def _templates(value: Any, source: Source, context: Context, template: Callable[..., None] | None) -> None:
    """A template, or several with names."""
    named: list[tuple[str, Any]]
    if isinstance(value, str):
        named = [("chat_template", value)]
    elif isinstance(value, dict):
        named = [(f"chat_template {quote(str(k))}", v) for k, v in value.items()]
    elif isinstance(value, list):
        named = [
            (f"chat_template {quote(str(v.get('name')))}", v.get("template")) if isinstance(v, dict) else ("", v)
            for v in value
        ]
    else:
        named = [("", None)]
    for where, one in named:
        if isinstance(one, str) and template is not None and where:
            template(one, source, context, printable(where))
        else:
            context.report("CFG002", "holds a chat template in a shape that is not known", source)


def _texts(value: Any) -> Iterator[str]:
    """Every text below a value."""
    todo, seen = [value], set()
    while todo:
        inside = todo.pop()
        if isinstance(inside, str):
            yield inside
        elif isinstance(inside, (dict, list)) and id(inside) not in seen:
            seen.add(id(inside))
            todo += reversed(list(inside.values() if isinstance(inside, dict) else inside))


def _is_no(value: Any) -> bool:
    return value is None or value is False or (isinstance(value, str) and value in NO) or value in ([], {})


def _leaves(path: str) -> bool:
    """Does a path lead out of the folder?"""
    parts = path.replace("\\", "/").split("/")
    return ".." in parts or path.startswith(("/", "~", "\\")) or ":" in path[:8] or "\0" in path
