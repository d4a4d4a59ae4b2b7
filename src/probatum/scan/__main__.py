"""``python -m probatum.scan PATH…`` and ``probatum scan PATH…``."""

from __future__ import annotations

import argparse
import sys

from probatum.scan import BadPath, scan
from probatum.scan.finding import INERT, printable
from probatum.scan.intake import look
from probatum.scan.show import intake_lines, lines, sentence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.exports.inventory import Inventory
    from probatum.scan.finding import Result
    from probatum.scan.policy import Judged, Policy


def parser(prog: str) -> argparse.ArgumentParser:
    out = argparse.ArgumentParser(
        prog=prog,
        description="Say what is in a file, archive or model directory, and whether opening it runs code. Nothing is "
        "loaded, imported or fetched.",
        epilog="Exit codes: 0 everything is proved inert, or within the policy; 1 something is dangerous, executes "
        "unknown code or was not covered, or is over the policy; 2 bad input. `probatum explain PKL003` explains a "
        "rule.",
    )
    out.add_argument("paths", nargs="+", metavar="PATH", help="a file or a directory")
    out.add_argument("--json", action="store_true", help="print one JSON object")
    out.add_argument("--quiet", action="store_true", help="leave out files that are proved inert")
    out.add_argument("--policy", metavar="FILE", help="TOML: what is accepted although it is not proved inert")
    out.add_argument("--sarif", metavar="FILE", help="also write the findings as SARIF 2.1.0")
    out.add_argument("--junit", metavar="FILE", help="also write one test case for each file, as JUnit XML")
    out.add_argument("--sbom", metavar="FILE", help="also write a bill of materials, as CycloneDX 1.6")
    return out


def main(arguments: list[str] | None = None, prog: str = "python -m probatum.scan") -> int:
    """Run the command; gives the exit code."""
    options = parser(prog).parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        result, judged = _run(options)
    except BadPath as bad:  # a policy that cannot be applied is one too
        print(f"{prog}: {printable(bad.args[0])}", file=sys.stderr)
        return 2
    if options.json:
        import json

        said = result.to_json() | {"intake": [found.to_json() for found in look(options.paths, result)]}
        said |= {"policy": judged.to_json()} if judged is not None else {}
        print(json.dumps(said, indent=1))
    else:
        for line in intake_lines(look(options.paths, result)) if not options.quiet else ():
            print(line)
        for line in lines(result, options.quiet):
            print(line)
        print(sentence(result))
        for line in judged.lines() if judged is not None else ():
            print(line)
    passed = result.verdict == INERT if judged is None else judged.passed
    return 0 if passed else 1


def _run(options: argparse.Namespace) -> tuple[Result, Judged | None]:
    """Scan, judge and write what was asked for. What only some need is imported when they ask."""
    outputs = [path for path in (options.sarif, options.junit, options.sbom) if path]
    if not outputs and not options.policy:
        return scan(options.paths), None
    from probatum.scan.exports import check_outputs

    policy = None
    if options.policy:
        from probatum.scan.policy import read

        policy = read(options.policy)
    if options.sbom and len(options.paths) > 1:
        raise BadPath("--sbom describes one model: name one path")
    check_outputs(outputs)
    inventory = None
    if options.sbom or (policy is not None and policy.hashes):
        from probatum.scan.exports.inventory import Inventory

        inventory = Inventory()
    result = scan(options.paths, seen=inventory)
    return result, _export(options, result, policy, inventory, outputs)


def _export(
    options: argparse.Namespace, result: Result, policy: Policy | None, inventory: Inventory | None, outputs: list[str]
) -> Judged | None:
    from probatum.scan.exports import write
    from probatum.scan.exports.places import Places

    places, judged = Places(options.paths), None
    if policy is not None:
        from probatum.scan.policy import Judged

        judged = Judged(policy, result, places, inventory.digests if inventory is not None else {})
    if options.sarif:
        from probatum.scan.exports.sarif import sarif

        write(options.sarif, sarif(result, places, judged, inventory.files if inventory is not None else None))
    if options.junit:
        from probatum.scan.exports.junit import junit

        write(options.junit, junit(result, places, judged))
    if options.sbom and inventory is not None:
        from probatum.scan.exports.cyclonedx import cyclonedx

        write(options.sbom, cyclonedx(result, places, inventory, outputs))
    return judged


if __name__ == "__main__":
    sys.exit(main())
