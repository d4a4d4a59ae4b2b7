"""``python -m probatum.scan PATH…`` and ``probatum scan PATH…``."""

from __future__ import annotations

import argparse
import sys

from probatum.scan import BadPath, scan
from probatum.scan.finding import INERT, printable
from probatum.scan.show import lines, sentence


def parser(prog: str) -> argparse.ArgumentParser:
    out = argparse.ArgumentParser(
        prog=prog,
        description="Say what is in a file, archive or model directory, and whether opening it runs code. Nothing is "
        "loaded, imported or fetched.",
        epilog="Exit codes: 0 everything is proved inert; 1 something is dangerous, executes unknown code or was not "
        "covered; 2 bad input. `probatum explain PKL003` explains a rule.",
    )
    out.add_argument("paths", nargs="+", metavar="PATH", help="a file or a directory")
    out.add_argument("--json", action="store_true", help="print one JSON object")
    out.add_argument("--quiet", action="store_true", help="leave out files that are proved inert")
    return out


def main(arguments: list[str] | None = None, prog: str = "python -m probatum.scan") -> int:
    """Run the command; gives the exit code."""
    options = parser(prog).parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        result = scan(options.paths)
    except BadPath as bad:
        print(f"{prog}: {printable(bad.args[0])}", file=sys.stderr)
        return 2
    if options.json:
        import json

        print(json.dumps(result.to_json(), indent=1))
    else:
        for line in lines(result, options.quiet):
            print(line)
        print(sentence(result))
    return 0 if result.verdict == INERT else 1


if __name__ == "__main__":
    sys.exit(main())
