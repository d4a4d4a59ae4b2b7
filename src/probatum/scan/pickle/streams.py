"""The streams of one file: several in a row, each under every view that a loader may have of it."""

from __future__ import annotations

from contextlib import suppress

from probatum.scan.pickle.carried import MOST, looks_like, scan_carried
from probatum.scan.pickle.errors import Broken
from probatum.scan.pickle.frames import without_dropped
from probatum.scan.pickle.machine import Machine
from probatum.scan.pickle.opcodes import STOP
from probatum.scan.pickle.values import Mark, describe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.pickle.values import Value
    from probatum.scan.source import Buffer, Source

#: How often the C loader's view is followed past another crossing of the same stream.
VIEWS = 4
#: How many streams of one file are followed past a crossing; each copies what is left of the file.
CROSSED = 32

#: What a memo with other entries makes of honest opcodes; a known tool of attacks (PKL003) is none of it.
MISREAD = {"PKL001", "PKL002", "PKL004", "PKL005", "PKL006", "PKL007", "PKL008", "PKL009", "PKL018"}


class Log:
    """Collects what a machine sees, until it is known whether the stream is one."""

    def __init__(self, data: Buffer, origin: int, view: str = "", rare: bool = False) -> None:
        self.data, self.origin, self.view, self.rare = data, origin, view, rare
        self.findings: list[tuple[str, str, int | None, tuple[str, ...]]] = []
        self.payloads: list[tuple[int, int, bool]] = []
        self.pids: list[Value] = []
        self._seen: set[tuple[str, str]] = set()

    def found(self, rule: str, message: str, offset: int, trace: tuple[str, ...] = ()) -> None:
        if (rule, message) not in self._seen and len(self._seen) < 10_000:
            self._seen.add((rule, message))
            if self.rare and rule in MISREAD:
                rule = "PKL019"
            if self.view:
                self.findings.append((rule, f"{message} ({self.view})", None, ()))
            else:
                self.findings.append((rule, message, offset, trace))

    def carried(self, start: int, size: int, text: bool) -> None:
        if not self.view and len(self.payloads) <= MOST and looks_like(self.data, start, size, text):
            self.payloads.append((start - self.origin, size, text))

    def asked(self, pid: Value, offset: int) -> None:
        from probatum.scan.pickle.allow.torch_ import is_storage_id

        if is_storage_id(pid):
            self.pids.append(pid)
        else:
            self.found("PKL010", f"asks its loader for {describe(pid)[:80]}", offset)

    def as_seen(self, view: str, rare: bool = False) -> Log:
        """A log for another view of the same stream; what this one has found is not said again.

        ``rare``: honest files are misread in this view as well, so what only it shows is another rule.
        """
        out = Log(self.data, self.origin, f"{self.view}, {view}" if self.view else view, rare or self.rare)
        out._seen = set(self._seen)
        return out

    def flush(self, source: Source, context: Context) -> None:
        for rule, message, offset, trace in self.findings:
            context.report(rule, message, source, offset=offset, trace=trace)


class Streams:
    """What was read: ``ends`` are the offsets behind each STOP; ``storages`` maps key to (class, elements).

    ``crossed`` counts the streams whose frames lie.
    """

    def __init__(self) -> None:
        self.crossed = 0
        self.ends: list[int] = []
        self.storages: dict[str, tuple[str, int | Mark]] = {}
        self.broken = False

    @property
    def end(self) -> int:
        return self.ends[-1] if self.ends else 0


def read_streams(source: Source, context: Context, *, most: int = 1 << 30) -> Streams:
    """Read up to ``most`` streams from the start of the source, and report what they do.

    A later stream counts only if it parses or reaches code; else it is a tail, which the caller judges.
    """
    data, start, end = source.view()
    out, pos = Streams(), start
    shared: Machine | None = None
    payloads: list[tuple[int, int, bool]] = []
    plainly = False
    while pos < end and len(out.ends) < most:
        log = Log(data, start)
        machine, after = Machine(data, log, start), 0
        try:
            after = _run(machine, pos, end, context)
        except Broken as broken:
            if out.ends and not (machine.named or machine.called):
                _other_views(machine, log, source, context, pos, end, shared, out)
                break
            log.found("PKL013", f"{broken.args[0]}; nothing after that was judged", machine.place)
            out.broken = True
        log.flush(source, context)
        _other_views(machine, log, source, context, pos, end, shared, out)
        if machine.arrays and not plainly:
            plainly = True
            _read_plainly(log, source, context, pos, end, out)
        payloads += log.payloads[: MOST + 1 - len(payloads)]
        for pid in log.pids:
            out.storages[pid[2] if pid[2].__class__ is str else ""] = (pid[1].name, pid[4])
        if out.broken:
            break
        shared = shared or machine
        pos = after
        out.ends.append(after - start)
    scan_carried(payloads, source, context)
    return out


def _read_plainly(log: Log, source: Source, context: Context, pos: int, end: int, out: Streams) -> None:
    """Read on from a stream with arrays of joblib as other loaders do, for which the streams end elsewhere."""
    shared: Machine | None = None
    while pos < end:
        seen = log.as_seen("if joblib does not load it", rare=True)
        machine, after = Machine(log.data, seen, log.origin, plain=True), end
        with suppress(Broken):
            after = _run(machine, pos, end, context)
        seen.flush(source, context)
        _other_views(machine, seen, source, context, pos, end, shared, out)
        shared, pos = shared or machine, after


def _run(machine: Machine, pos: int, end: int, context: Context) -> int:
    """Run one stream; its steps are spent, and what it asks of memory is looked at, however it ends."""
    before = machine.steps
    try:
        return machine.run(pos, end, context.budget.steps_left)
    finally:
        if machine.memo.largest > max(1 << 20, 4 * (end - pos)):
            machine.log.found("PKL016", f"a memo index of {machine.memo.largest:,}", machine.place)
        context.budget.spend_steps(machine.steps - before)


def _other_views(
    machine: Machine,
    log: Log,
    source: Source,
    context: Context,
    pos: int,
    end: int,
    shared: Machine | None,
    out: Streams,
) -> None:
    """Read the stream as other loaders do; they add findings, and where they fail they add nothing."""
    if shared is not None and shared.memo:
        shared.log = log.as_seen("if one Unpickler reads all streams", rare=True)
        _try(shared, pos, end, source, context)
    stopped = machine.data[machine.reached] == STOP and machine.pos == machine.reached + 1
    if stopped and machine.framed and machine.pos < machine.limit and machine.pos < machine.end:
        context.report("PKL011", "a frame goes on after STOP", source, offset=machine.place)
        behind = log.as_seen("behind the frame")
        goes_on = Machine(machine.data, behind, machine.origin, machine.plain)
        _try(goes_on, machine.limit, end, source, context)
    view, data, first, stop = machine, machine.data, pos, end
    out.crossed += bool(machine.crossed)
    for _ in range(VIEWS if out.crossed <= CROSSED else 0):  # a file with so many is dangerous already
        cut = without_dropped(data, first, stop, view.crossed[0]) if view.crossed else None
        if cut is None:
            break
        data, first, stop = cut, 0, len(cut)
        view = Machine(data, log.as_seen("as the C loader reads a file"), plain=machine.plain)
        _try(view, 0, stop, source, context)


def _try(machine: Machine, pos: int, end: int, source: Source, context: Context) -> None:
    try:
        _run(machine, pos, end, context)
    except Broken:
        pass
    finally:
        if isinstance(machine.log, Log):
            machine.log.flush(source, context)
