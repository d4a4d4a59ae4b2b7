"""``probatum schema``: the JSON Schema of report.json."""

from __future__ import annotations

import json

import typer


def schema() -> None:
    """Print the JSON Schema of report.json.

    Example: probatum schema > report.schema.json
    """
    from probatum.reports.schema import json_schema

    typer.echo(json.dumps(json_schema(), indent=1, ensure_ascii=False))


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("schema")(schema)
