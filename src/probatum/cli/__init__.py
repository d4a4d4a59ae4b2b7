"""The command line: one file per verb. It parses, calls the public API, and prints."""

from __future__ import annotations

import sys
from typing import Any

import typer

from probatum.core.errors import ProbatumError

#: What typer raises for words that it cannot parse (it names only this subclass of it).
USAGE: Any = typer.BadParameter.__bases__[0]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Assay machine-learning models: what they leak, hide, make up and owe to others.\n\n"
    "Example: probatum audit specimen",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def _root(version: bool = typer.Option(False, "--version", help="Print the version and end.")) -> None:
    if version:
        import probatum

        typer.echo(f"probatum {probatum.__version__}")
        raise typer.Exit


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. What the user can mend is one sentence on stderr and exit code 2."""
    from probatum.cli import (
        account,
        atlas,
        audit,
        cache,
        canaries,
        card,
        compare,
        convert,
        data,
        explain,
        guest,
        history,
        list_,
        pack,
        protect,
        report,
        scan,
        schema,
        sign,
        specimen,
    )

    if not app.registered_commands:  # a second run in one process would add every verb again
        first = (audit, account, list_, explain, compare, protect, report, schema)
        for verb in (*first, specimen, card, canaries, cache, data, guest, scan, atlas, history, convert, pack, sign):
            verb.add(app)
    # A pipe or a terminal that cannot show a character must not end the run.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        sys.exit(app(arguments, prog_name="probatum", standalone_mode=False) or 0)
    except USAGE as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()  # no verb at all: the help
        else:
            where = getattr(error.ctx, "command_path", "probatum")
            typer.echo(f"probatum: {error.format_message().rstrip('.')}; see `{where} --help`", err=True)
        sys.exit(2)
    except ProbatumError as error:
        typer.echo(f"probatum: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("probatum: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:  # `probatum list | head`
        sys.stderr.close()
        sys.exit(0)
