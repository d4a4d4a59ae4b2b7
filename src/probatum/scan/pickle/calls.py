"""Opcodes that name, call, or give state: the places where a pickle becomes a program."""

from __future__ import annotations

from struct import unpack_from

from probatum.scan.finding import printable
from probatum.scan.pickle import opcodes as op
from probatum.scan.pickle.allow import ALLOWED, Refused
from probatum.scan.pickle.allow.python import WRAPPER
from probatum.scan.pickle.arrays import read_array
from probatum.scan.pickle.danger import is_dangerous
from probatum.scan.pickle.errors import Broken
from probatum.scan.pickle.lines import read_line
from probatum.scan.pickle.names import renamed
from probatum.scan.pickle.values import PERSISTENT, TEXT, UNKNOWN, Dict, Global, Made, describe, is_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.pickle.machine import Machine
    from probatum.scan.pickle.values import Value


def find(m: Machine, module: str, name: str) -> Global:
    """What `find_class` gives; the first time, a global outside the allow-list is reported."""
    module, name = renamed(module, name, m.protocol)
    m.named = True
    known = m.globals.get((module, name))
    if known is None:
        known = m.globals[module, name] = Global(module, name, ALLOWED.get((module, name)), m.place)
        if known.entry is None:
            rule = "PKL003" if is_dangerous(module, name) else "PKL001"
            shown = f"{printable(module[:100])}.{printable(name[:100])}"
            m.log.found(rule, f"names {shown}; importing a module runs it", m.place, (f"named at {m.place}",))
    return known


def call(m: Machine, callee: Value, args: Value, opcode: str) -> Value:
    """What calling ``callee`` with ``args`` gives. Arguments that are no tuple are spread by some loaders."""
    m.called = True
    if is_plain(callee):
        raise Broken(f"calls {printable(describe(callee))[:60]}")
    if not isinstance(callee, Global):
        whose = "" if callee is PERSISTENT else ", which is no named function"
        _found_call(m, "PKL002" if callee is PERSISTENT else "PKL005", callee, args, opcode, whose)
        return UNKNOWN
    entry = callee.entry
    if entry is None:
        rule = "PKL003" if is_dangerous(callee.module, callee.name) else "PKL002"
        _found_call(m, rule, callee, args, opcode)
        return UNKNOWN
    try:
        if entry.call is None or args.__class__ is not tuple:
            raise Refused("may be named, not called" if entry.call is None else "arguments that are no tuple")
        result = entry.call(entry, args)
    except Refused as refused:
        _found_call(m, "PKL006", callee, args, opcode, f": {refused.args[0]}")
        return UNKNOWN
    if result.__class__ is Made:
        name = result.entry.name
        m.pairs = m.pairs or name == WRAPPER or (name == "numpy.dtype" and result.detail.letter == "V")
    return result


def _found_call(m: Machine, rule: str, callee: Value, args: Value, opcode: str, why: str = "") -> None:
    what = printable(describe(callee))
    trace: tuple[str, ...] = (f"{opcode} at {m.place} with {printable(describe(args))}",)
    if isinstance(callee, Global):
        trace = (f"{what} named at {callee.offset}", *trace)
    m.log.found(rule, f"calls {what}{why}", m.place, trace)


def global_lines(m: Machine) -> None:
    module = read_line(m).decode("utf-8")
    m.stack.append(find(m, module, read_line(m).decode("utf-8")))


def _is_no_text(value: Value) -> bool:
    """Loaders want exactly ``str``, which nothing that is allowed is or returns."""
    if isinstance(value, Global):
        return value.entry is not None
    return isinstance(value, Made) or (is_plain(value) and value.__class__ is not str and value is not TEXT)


def stack_global(m: Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    if module.__class__ is str and name.__class__ is str:
        m.stack.append(find(m, module, name))
        return
    if any(_is_no_text(v) for v in (module, name)):
        raise Broken("a name that is no text")
    m.named = True
    parts = f"{describe(module)} and {describe(name)}"
    m.log.found("PKL004", f"a global is named by {printable(parts)}", m.place, (f"STACK_GLOBAL at {m.place}",))
    m.stack.append(UNKNOWN)


def instance(m: Machine) -> None:
    """INST: the class stands in two lines, the arguments above the mark; Python's loader finds the class first."""
    module = read_line(m).decode("utf-8")
    name = read_line(m).decode("utf-8")
    callee = find(m, module, name)
    items, m.stack = m.stack, m.metastack.pop()
    m.stack.append(call(m, callee, tuple(items), "INST"))


def make_object(m: Machine) -> None:
    """OBJ: class and arguments above the mark."""
    items, m.stack = m.stack, m.metastack.pop()
    m.stack.append(call(m, items[0], tuple(items[1:]), "OBJ"))


def reduce(m: Machine) -> None:
    args = m.stack.pop()
    m.stack[-1] = call(m, m.stack[-1], args, "REDUCE")


def new_object(m: Machine) -> None:
    args = m.stack.pop()
    m.stack[-1] = call(m, m.stack[-1], args, "NEWOBJ")


def new_object_ex(m: Machine) -> None:
    keywords, args = m.stack.pop(), m.stack.pop()
    if not (isinstance(keywords, Dict) and keywords.empty):
        args = TEXT  # keyword arguments are not judged: as arguments that are not known
    m.stack[-1] = call(m, m.stack[-1], args, "NEWOBJ_EX")


def build(m: Machine) -> None:
    """BUILD: `__setstate__`, or attributes from a dict, or from a pair of dicts."""
    state, target = m.stack.pop(), m.stack[-1]
    if is_plain(target):
        return  # every loader does nothing or fails
    m.called = True
    rule, verb, why = "PKL007", "gives state to", ""
    if isinstance(target, Global):
        rule, verb = "PKL018", "plants attributes on"
    elif isinstance(target, Made) and target.entry.build is not None:
        try:
            target.entry.build(target, state)
        except Refused as refused:
            why = f": {refused.args[0]}"
        else:
            if target.entry.name == WRAPPER:
                read_array(m, target.detail)
            return
    trace = (f"BUILD at {m.place} with {printable(describe(state))}",)
    m.log.found(rule, f"{verb} {printable(describe(target))}{why}", m.place, trace)


def _extension(m: Machine, code: str, size: int) -> None:
    number = unpack_from(code, m.data, m.pos)[0]
    m.pos += size
    if number <= 0:
        raise Broken("an extension number that is not positive")
    m.named = True
    m.log.found("PKL009", f"names the extension {number} of the loading process", m.place)
    m.stack.append(UNKNOWN)


CALLS = {
    op.GLOBAL: global_lines, op.STACK_GLOBAL: stack_global, op.INST: instance, op.OBJ: make_object, op.REDUCE: reduce,
    op.NEWOBJ: new_object, op.NEWOBJ_EX: new_object_ex, op.BUILD: build,
    op.EXT1: lambda m: _extension(m, "<B", 1), op.EXT2: lambda m: _extension(m, "<H", 2),
    op.EXT4: lambda m: _extension(m, "<i", 4),
}  # fmt: skip
