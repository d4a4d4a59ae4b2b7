"""The streams of one file: several in a row, each under every view that a loader may have of it."""

from __future__ import annotations

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


class Log:
    """Collects what a machine sees, until it is known whether the stream is one."""

    def __init__(self, data: Buffer, origin: int, view: str = "") -> None:
        self.data, self.origin, self.view = data, origin, view
        self.findings: list[tuple[str, str, int | None, tuple[str, ...]]] = []
        self.payloads: list[tuple[int, int, bool]] = []
        self.pids: list[Value] = []
        self._seen: set[tuple[str, str]] = set()

    def found(self, rule: str, message: str, offset: int, trace: tuple[str, ...] = ()) -> None:
        if (rule, message) not in self._seen and len(self._seen) < 10_000:
            self._seen.add((rule, message))
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

    def as_seen(self, view: str) -> Log:
        """A log for another view of the same stream; what this one has found is not said again."""
        out = Log(self.data, self.origin, view)
        out._seen = set(self._seen)
        return out

    def flush(self, source: Source, context: Context) -> None:
        for rule, message, offset, trace in self.findings:
            context.report(rule, message, source, offset=offset, trace=trace)


class Streams:
    """What was read: ``ends`` are the offsets behind each STOP; ``storages`` maps key to (class, elements)."""

    def __init__(self) -> None:
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
    while pos < end and len(out.ends) < most:
        log = Log(data, start)
        machine, after = Machine(data, log, start), 0
        try:
            after = _run(machine, pos, end, context)
        except Broken as broken:
            if out.ends and not (machine.named or machine.called):
                _other_views(machine, log, source, context, pos, end, shared)
                break
            log.found("PKL013", f"{broken.args[0]}; nothing after that was judged", machine.place)
            out.broken = True
        log.flush(source, context)
        _other_views(machine, log, source, context, pos, end, shared)
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
    machine: Machine, log: Log, source: Source, context: Context, pos: int, end: int, shared: Machine | None
) -> None:
    """Read the stream as other loaders do; they add findings, and where they fail they add nothing."""
    if shared is not None and shared.memo:
        shared.log = log.as_seen("if one Unpickler reads all streams")
        _try(shared, pos, end, source, context)
    stopped = machine.data[machine.reached] == STOP and machine.pos == machine.reached + 1
    if stopped and machine.framed and machine.pos < machine.limit and machine.pos < machine.end:
        context.report("PKL011", "a frame goes on after STOP", source, offset=machine.place)
        behind = log.as_seen("behind the frame")
        _try(Machine(machine.data, behind, machine.origin), machine.limit, end, source, context)
    view, data, first, stop = machine, machine.data, pos, end
    for _ in range(VIEWS):
        cut = without_dropped(data, first, stop, view.crossed[0]) if view.crossed else None
        if cut is None:
            break
        data, first, stop = cut, 0, len(cut)
        view = Machine(data, log.as_seen("as the C loader reads a file"))
        _try(view, 0, stop, source, context)


def _try(machine: Machine, pos: int, end: int, source: Source, context: Context) -> None:
    try:
        _run(machine, pos, end, context)
    except Broken:
        pass
    finally:
        if isinstance(machine.log, Log):
            machine.log.flush(source, context)
