"""``probatum explain``: a method's own words."""

from __future__ import annotations

import difflib
from typing import Annotated

import typer

from probatum.core.catalogue import entries
from probatum.core.data import KINDS
from probatum.core.errors import BadInput
from probatum.scan.rules import RULES
from probatum.scan.rules import explain as explain_rule


def explain(name: Annotated[str, typer.Argument(metavar="METHOD")]) -> None:
    """Say what a method asks, how it computes it, and what it cannot see.

    Example: probatum explain min_k_plus_plus
    """
    if name.upper() in RULES:
        typer.echo(explain_rule(name.upper()))
        return
    known = entries()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
        raise BadInput(f"no method is called '{name}'" + (f"; did you mean {', '.join(near)}?" if near else ""))
    e = known[name]
    flags = ", ".join(f"{kind} ({KINDS[kind].FLAG})" for kind in e.signature.data.values())
    lines = [f"{e.name} · {e.kind}" + (f" · {e.dimension}" if e.dimension else ""), "", e.doc, "", e.function_doc, ""]
    lines += [f"question  {e.question}", f"paper     {e.paper}", f"needs     {', '.join(e.needs) or 'no access'}"]
    lines += [f"data      {flags}"] if flags else []
    lines += [f"roles     {', '.join(e.signature.roles)}"] if e.signature.roles else []
    for option, (annotation, default) in e.signature.options.items():
        lines.append(f"option    {option}: {annotation} = {default}")
    typer.echo("\n".join(lines))


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("explain")(explain)
