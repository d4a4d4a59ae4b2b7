"""``python -m probatum``, and the command ``probatum``."""

from __future__ import annotations

import sys


def main() -> None:
    """Hand over to the scanner, which needs none of the command line, or to the command line."""
    if sys.argv[1:2] == ["scan"]:
        from probatum.scan.__main__ import main as scan

        sys.exit(scan(sys.argv[2:], prog="probatum scan"))
    from probatum.cli import main as run

    run()


if __name__ == "__main__":
    main()
