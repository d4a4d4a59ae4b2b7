"""Every method by its name: found by walking the package and by entry points, never listed in a table.

Two views of the same thing. `entries` reads the method files as text (`ast`), so that listing a few hundred methods
imports none of them; `load` imports one. A test holds that both say the same.
"""

from __future__ import annotations

import ast
import difflib
import functools
import importlib
import importlib.metadata
import importlib.util
import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from probatum.core.access import Access
from probatum.core.data import KINDS
from probatum.core.errors import BadInput
from probatum.core.estimate import Metric
from probatum.core.finding import DIMENSIONS

#: What a null responder must score: a number (within sampling error for a responder that draws), a range, or no score.
Expected = float | tuple[float, float] | None

F = TypeVar("F", bound=Callable[..., Any])

ROOTS = {"probe": "probes", "protection": "protections", "transform": "transforms"}
GROUP = "probatum.methods"


@dataclass(frozen=True)
class Method:
    """What the decorator of a method declares."""

    name: str
    kind: Literal["probe", "protection"]
    function: Callable[..., Any]
    paper: str
    question: str
    needs: Access
    dimension: str = ""
    metric: Metric | None = None
    measure: bool = False  #: answers "how much?" instead of "is it there?"
    signals: Sequence[str] | Callable[..., Sequence[str]] = ()
    control: str | Callable[..., Any] | None = None
    covers: tuple[str, ...] = ()
    learns: bool = False
    rowwise: bool = False  #: a record's score depends on that record alone, so many may come in parts
    items: str = ""  #: of a task: the set of items that it asks (`probatum.sets`)
    nulls: Mapping[str, Expected] = field(default_factory=dict)  #: of a task: what every null responder must score
    expected: Mapping[str, tuple[float, float]] = field(default_factory=dict)  #: built-in model → range
    better: Literal["high", "low", ""] = ""  #: of a measure: which way is good
    beside: str = ""  #: of a task: the one without which it must not be read
    changes: str = ""  #: of a protection: weights, data or serving
    proves: tuple[str, ...] = ()  #: of a protection: the probes that must prove it

    @property
    def signature(self) -> Signature:
        """Its parameters, sorted by what the runner puts there."""
        return Signature.of(self.function)


def probe(
    *,
    paper: str,
    question: str,
    needs: Access,
    metric: Metric,
    dimension: str = "",
    measure: bool = False,
    signals: Sequence[str] | Callable[..., Sequence[str]] = (),
    control: str | Callable[..., Any] | None = None,
    covers: Sequence[str] = (),
    learns: bool = False,
    rowwise: bool = False,
    items: str = "",
    nulls: Mapping[str, Expected] | None = None,
    expected: Mapping[str, tuple[float, float]] | None = None,
    better: Literal["high", "low", ""] = "",
    beside: str = "",
) -> Callable[[F], F]:
    """Register a function as a probe. The function stays an ordinary function and may be called as one.

    Parameters
    ----------
    paper
        Where the method was published.
    question
        One sentence ending in "?" to which "yes" is the thing to know.
    needs
        The access without which the probe does not run.
    metric
        What makes an estimate and a p-value of the scores.
    dimension
        Only outside the package, where no folder tells it.
    measure
        True for "how much?"; only a policy judges such a finding.
    signals
        Extras beyond the fixed record; a function of the options where they depend on them.
    control
        Name of a planted set in `probatum.controls`, or a function that returns cases. Default: by data kind.
    covers
        Tags of taxonomies that the probe covers.
    learns
        True for a probe that must see labels (then only on training folds).
    rowwise
        True if a record's score depends on that record alone; then many records come in parts, and memory is bounded.
    items
        Of a task, a measure of a model's answers: the set of `probatum.sets` that its parameter of kind Items gets.
    nulls
        Of a task: null responder → its score on the generated items, as theory has it (a number, a range, or None
        where it has no score). All of them, and the oracle, are its controls.
    expected
        Of a measure of what a model forgot or kept: built-in model of the invented people → the range in which it must
        lie there. These are its controls.
    better
        Of a measure: whether a high or a low value is good.
    beside
        Of a task: another one without which it must not be read, such as over-refusal beside refusal.
    """

    def register(function: F) -> F:
        where = function.__module__.split(".")
        place = dimension or (where[2] if where[:2] == ["probatum", "probes"] and len(where) > 2 else "")
        if place not in DIMENSIONS:
            raise ValueError(f"{function.__name__}: dimension must be one of {', '.join(DIMENSIONS)}, got '{place}'")
        if items and not measure:
            raise ValueError(f"{function.__name__}: a task is a measure: it has items, and measure=True")
        if not question.endswith("?"):
            raise ValueError(f"{function.__name__}: a question ends in '?', got '{question}'")
        function.method = Method(  # type: ignore[attr-defined]
            name=function.__name__,
            kind="probe",
            function=function,
            paper=paper,
            question=question,
            needs=needs,
            dimension=place,
            metric=metric,
            measure=measure,
            signals=signals,
            control=control,
            covers=tuple(covers),
            learns=learns,
            rowwise=rowwise,
            items=items,
            nulls=dict(nulls or {}),
            expected=dict(expected or {}),
            better=better,
            beside=beside,
        )
        return function

    return register


def protection(
    *, paper: str, question: str, needs: Access, changes: Literal["weights", "data", "serving"], proves: Sequence[str]
) -> Callable[[F], F]:
    """Register a function as a protection: ``(target, forget, retain, *, rng, options) -> Change``.

    ``proves`` names the probes that are run before and after, paired; a protection without a proof is not accepted.
    """

    def register(function: F) -> F:
        if not proves:
            raise ValueError(f"{function.__name__}: a protection names the probes that must prove it")
        function.method = Method(  # type: ignore[attr-defined]
            name=function.__name__,
            kind="protection",
            function=function,
            paper=paper,
            question=question,
            needs=needs,
            changes=changes,
            proves=tuple(proves),
        )
        return function

    return register


@dataclass(frozen=True)
class Signature:
    """The parameters of a method by what the runner puts there."""

    roles: tuple[str, ...]  #: further targets
    data: dict[str, str]  #: parameter → kind of data
    optional: tuple[str, ...]  #: data parameters and roles that may be missing
    rng: bool
    options: dict[str, tuple[str, Any]]  #: name → (annotation, default)

    @classmethod
    def of(cls, function: Callable[..., Any]) -> Signature:
        """Of an imported function."""
        parameters = inspect.signature(function).parameters.values()
        return cls._sort((p.name, _words(p.annotation), p.default) for p in parameters)

    @classmethod
    def read(cls, node: ast.FunctionDef) -> Signature:
        """Of a function that was only read."""
        a = node.args
        positional = [*a.posonlyargs, *a.args]
        defaults = [None] * (len(positional) - len(a.defaults)) + list(a.defaults)
        pairs = [*zip(positional, defaults, strict=True), *zip(a.kwonlyargs, a.kw_defaults, strict=True)]
        return cls._sort(
            (
                p.arg,
                ast.unparse(p.annotation) if p.annotation else "",
                inspect.Parameter.empty if d is None else ast.literal_eval(d),
            )
            for p, d in pairs
        )

    @classmethod
    def _sort(cls, parameters: Iterator[tuple[str, str, Any]]) -> Signature:
        roles, data, optional, options, rng, seen = [], {}, [], {}, False, False
        for name, annotation, default in parameters:
            annotation = annotation.replace("'", "").replace('"', "") if "Literal" not in annotation else annotation
            bare = annotation.removesuffix(" | None").split(".")[-1]
            if bare == "Target":
                if seen:
                    roles.append(name)
                seen = True
            elif bare in KINDS:
                data[name] = bare
            elif name == "rng":
                rng = True
                continue
            else:
                options[name] = (annotation, default)
                continue
            if annotation.endswith("| None"):
                optional.append(name)
        return cls(tuple(roles), data, tuple(optional), rng, options)


def _words(annotation: Any) -> str:
    if isinstance(annotation, str):
        return annotation
    return annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")


@dataclass(frozen=True)
class Entry:
    """A method as its file shows it, without importing it."""

    name: str
    kind: str
    dimension: str
    module: str
    file: str
    paper: str
    question: str
    needs: tuple[str, ...]
    measure: bool
    items: str
    better: str
    doc: str  #: docstring of the module
    function_doc: str
    signature: Signature


@functools.cache
def entries() -> dict[str, Entry]:
    """All methods by name, those of other packages included (unless ``PROBATUM_NO_PLUGINS`` is set).

    Raises `BadInput` where two methods have one name.
    """
    found: dict[str, Entry] = {}
    root = Path(__file__).parent.parent
    files: list[tuple[str, Path]] = []
    for folder in ROOTS.values():
        for file in sorted((root / folder).rglob("*.py")):
            if file.name != "__init__.py":
                files.append((".".join(("probatum", *file.relative_to(root).with_suffix("").parts)), file))
    if not os.environ.get("PROBATUM_NO_PLUGINS"):
        for point in importlib.metadata.entry_points(group=GROUP):
            spec = importlib.util.find_spec(point.module)
            if spec is None or spec.origin is None:
                raise BadInput(f"the plug-in '{point.name}' names the module {point.module}, which is not there")
            files.append((point.module, Path(spec.origin)))
    for module, file in files:
        for entry in read(module, file):
            if entry.name in found and found[entry.name].file != entry.file:
                raise BadInput(f"two methods are called '{entry.name}': {found[entry.name].module} and {module}")
            found[entry.name] = entry
    return dict(sorted(found.items()))


def read(module: str, file: Path) -> list[Entry]:
    """The methods in one file, from its text."""
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    parts = module.split(".")
    out = []
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            name = ast.unparse(decorator.func).split(".")[-1] if isinstance(decorator, ast.Call) else ""
            if name not in ROOTS or not isinstance(decorator, ast.Call):
                continue
            said = {k.arg: k.value for k in decorator.keywords if k.arg}
            folder = parts[2] if parts[:2] == ["probatum", "probes"] and len(parts) > 2 else ""
            out.append(
                Entry(
                    name=node.name,
                    kind=name,
                    dimension=_literal(said.get("dimension"), folder),
                    module=module,
                    file=str(file),
                    paper=_literal(said.get("paper"), ""),
                    question=_literal(said.get("question"), ""),
                    needs=_access(said.get("needs")),
                    measure=_literal(said.get("measure"), False),
                    items=_literal(said.get("items"), ""),
                    better=_literal(said.get("better"), ""),
                    doc=ast.get_docstring(tree) or "",
                    function_doc=ast.get_docstring(node) or "",
                    signature=Signature.read(node),
                )
            )
    return out


def load(name: str) -> Method:
    """The method of that name, imported. Raises `BadInput` with the nearest names where there is none."""
    known = entries()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        raise BadInput(f"no method is called '{name}'" + (f"; did you mean {', '.join(near)}?" if near else ""))
    function = getattr(importlib.import_module(known[name].module), name)
    return function.method  # type: ignore[no-any-return]


def _literal(node: ast.expr | None, default: Any) -> Any:
    return default if node is None else ast.literal_eval(node)


def _access(node: ast.expr | None) -> tuple[str, ...]:
    """``Access.A | Access.B`` as names, in the order of the enumeration."""
    names = {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)} if node is not None else set()
    return tuple(a.name for a in Access if a.name in names)
