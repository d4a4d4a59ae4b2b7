"""Checks that read a method's file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from probatum.core.catalogue import entries
from probatum.testing.candidate import Broken, Candidate

LINES = 150
PAPERS = frozenset(f"P{number:03d}" for number in range(1, 243))
#: Parts of Probatum that a method stands below, or beside.
ABOVE = {
    *("targets", "controls", "probes", "protections", "transforms"),
    *(
        "runner",
        "facets",
        "contamination",
        "trail",
        "notes",
        "deciding",
        "audit",
        "compare",
        "planning",
        "protect",
        "model_card",
        "reports",
        "ledger",
        "cli",
        "testing",
    ),
}
#: Public names that come from there.
PUBLIC = {"audit": "audit", "run": "audit", "open_target": "targets"}


def names_its_paper(c: Candidate) -> None:
    """``paper`` holds ids of the paper list (P001 to P242), arXiv ids or DOIs, and nothing else."""
    words = c.method.paper.split()
    if not words:
        raise Broken(f"{c.method.name} names no paper")
    for word in words:
        if re.fullmatch(r"P\d{3}", word):
            if word not in PAPERS:
                raise Broken(f"{c.method.name}: there is no paper {word}; the list ends at {max(PAPERS)}")
        elif not re.fullmatch(r"arXiv:\d{2}(0[1-9]|1[0-2])\.\d{4,5}|doi:10\.\d{4,9}/\S+", word):
            raise Broken(f"{c.method.name}: '{word}' is neither P001 to P242, nor arXiv:YYMM.NNNNN, nor doi:10.…")


def asks_one_question(c: Candidate) -> None:
    """``question`` is one sentence that ends in '?'."""
    question = c.method.question
    if not re.fullmatch(r"[A-Z][^?!]*[^\s?!]\?", question) or re.search(r"[.:;]\s", question):
        raise Broken(f"{c.method.name}: the question must be one sentence that ends in '?', got '{question}'")


def says_what_it_does(c: Candidate) -> None:
    """The module begins with 'Short name: a question?', and the function has a docstring of its own."""
    first = c.entry.doc.partition("\n")[0]
    end = r"\?" if c.method.kind == "probe" else r"[?.]"
    if not re.fullmatch(rf"[^:?]+: .*[^\s?.]{end}", first):
        raise Broken(f"{c.method.name}: the file must begin with 'Short name: a question?', got '{first}'")
    if not c.entry.function_doc.strip():
        raise Broken(f"{c.method.name}: the function has no docstring")


def documents_its_options(c: Candidate) -> None:
    """Every option stands under Parameters, and nothing stands there that is no parameter."""
    signature = c.method.signature
    said = set(_documented(c.entry.function_doc))
    missing = [name for name in signature.options if name not in said]
    if missing:
        raise Broken(f"{c.method.name}: the option '{missing[0]}' is not documented under Parameters")
    strange = said - {*signature.options, *signature.data, *signature.roles, "rng", "target"}
    if strange:
        raise Broken(f"{c.method.name}: '{min(strange)}' is documented under Parameters, but is no parameter")
    for name, (annotation, _) in signature.options.items():
        if not re.fullmatch(r"int|float|bool|str|Literal\[.+\]", annotation):
            allowed = "int, float, bool, str or Literal"
            raise Broken(f"{c.method.name}: the option '{name}' is a {annotation}; expected {allowed}")


def stands_in_a_file_of_its_name(c: Candidate) -> None:
    """File name = function name = catalogue name, one method a file."""
    names = [e.name for e in c.entries]
    if names != [c.file.stem]:
        raise Broken(f"{c.file.name} must hold one method, '{c.file.stem}'; it holds {', '.join(names) or 'none'}")


def is_short(c: Candidate) -> None:
    """At most 150 lines."""
    lines = len(c.file.read_text(encoding="utf-8").splitlines())
    if lines > LINES:
        raise Broken(f"{c.method.name}: {lines} lines, a method has at most {LINES}")


def knows_only_what_is_below_it(c: Candidate) -> None:
    """It imports no other method, no target class, no report, no command, and none of the runner's business."""
    for line, part in _imported(ast.parse(c.file.read_text(encoding="utf-8"))):
        if re.split(r"\W", part)[0] in ABOVE:
            raise Broken(f"{c.method.name}, line {line}: a method must not import probatum.{part}")


def reads_as_it_imports(c: Candidate) -> None:
    """What the catalogue reads in the file is what an import gives."""
    entry, method = c.entry, c.method
    pairs = {
        "kind": (entry.kind, method.kind),
        "dimension": (entry.dimension, method.dimension),
        "paper": (entry.paper, method.paper),
        "question": (entry.question, method.question),
        "needs": (entry.needs, tuple(a.name for a in method.needs)),
        "measure": (entry.measure, method.measure),
        "signature": (entry.signature, method.signature),
    }
    for name, (read, imported) in pairs.items():
        if read != imported:
            raise Broken(f"{method.name}: its {name} reads {read} in the file and {imported} when imported")


def is_proved_by_probes(c: Candidate) -> None:
    """A protection names probes that exist."""
    known = entries()
    for name in c.method.proves:
        if name not in known or known[name].kind != "probe":
            raise Broken(f"{c.method.name}: '{name}', which must prove it, is no probe")


def _documented(doc: str) -> Iterator[str]:
    """The names under the heading Parameters."""
    inside = False
    lines = doc.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line and set(following) == {"-"} and len(following) > 2:
            inside = line == "Parameters"
        elif inside and re.match(r"\w", line):
            yield from (name.strip() for name in line.split(":")[0].split(","))


def _imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, part of Probatum) of everything that is imported from there; public names by where they come from."""
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                yield node.lineno, "probes by a relative import"
            elif node.module == "probatum":
                yield from ((node.lineno, PUBLIC.get(a.name, a.name)) for a in node.names)
            elif (node.module or "").startswith("probatum."):
                yield node.lineno, (node.module or "").removeprefix("probatum.")
        elif isinstance(node, ast.Import):
            for a in node.names:
                if a.name.startswith("probatum."):
                    yield node.lineno, a.name.removeprefix("probatum.")
                elif a.name == "probatum":
                    roots.add(a.asname or a.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in roots:
            yield node.lineno, PUBLIC.get(node.attr, node.attr)
