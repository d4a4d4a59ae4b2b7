"""From bytes to formats: every format that claims a source scans it, whatever the file is called."""

from __future__ import annotations

from probatum.scan.budget import Spent
from probatum.scan.formats import FORMATS, opaque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source


def scan_source(source: Source, context: Context) -> str:
    """Scan one source by content; gives the name of the first format that claimed it (or a more exact one).

    Several formats may claim the same bytes: a loader of each would take them, so each scans them, and that this is
    so is a finding of its own. Formats whose ``EXCLUSIVE`` is false are asked only when no other claimed.
    """
    if not source.size:
        return "empty"
    head = source.head()
    claims = [f for f in FORMATS if f.EXCLUSIVE and f.sniff(head, source)]
    claims = claims or [f for f in FORMATS if not f.EXCLUSIVE and f.sniff(head, source)][:1]
    if not claims:
        context.report("FIL001", "no format that this scanner knows claims these bytes", source, offset=0)
        return opaque.by_name(source) or "unknown"
    name = claims[0].NAME
    for format in claims:
        try:
            exact = format.scan(source, context)
            name = exact if exact and format is claims[0] else name
        except Spent as spent:
            context.report("BUD001", f"{spent.args[0]}; the rest was not read", source)
        except (MemoryError, RecursionError) as error:
            context.report("BUD001", f"reading it as {format.NAME} ended in {type(error).__name__}", source)
        except OSError:
            raise
        except Exception as error:  # a fault of ours must neither end the scan nor pass for clean
            context.report("FIL004", f"the scanner failed on it as {format.NAME}: {type(error).__name__}", source)
    if len(claims) > 1:
        names = " and ".join(f.NAME for f in claims)
        context.report("FIL002", f"these bytes are valid as {names}; what they are depends on who opens them", source)
    return name
