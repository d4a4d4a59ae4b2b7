"""Runs in a locked-down process: load streams with the real loaders, and say whether they left the allow-list.

Reads (length, bytes) records from stdin and answers one line each: "ok", or what was seen. Nothing that a stream of
the tests can reach is harmful; the limits and the audit hook are there for what the scanner may have overlooked.
"""

from __future__ import annotations

import codecs
import collections
import io
import os
import pickle
import resource
import struct
import sys
import types
import warnings

import numpy as np
from joblib.numpy_pickle import NumpyUnpickler

import probatum.scan.tree  # noqa: F401
from probatum.scan.pickle.allow import ALLOWED
from probatum.scan.pickle.names import renamed

seen: list[str] = []
active = False
#: Events that say nothing about code: looking at frames for warnings, identity, and the collector.
SILENT = {"sys._getframe", "builtins.id", "object.__getattr__", "cpython.run_interactivehook", "sys.excepthook"}


class Stub:
    """Stands for an object of PyTorch, or for what a persistent id brings."""

    def __init__(self, *args):
        pass


def same(value, type_str=""):
    """As the functions are that tag a list with its type."""
    return value


def stub_torch():
    """PyTorch's names without PyTorch: the machine is under test, not the library."""
    for module, name in [key for key in ALLOWED if key[0].startswith("torch")]:
        parts = module.split(".")
        for n in range(len(parts)):
            path = ".".join(parts[: n + 1])
            if path not in sys.modules:
                sys.modules[path] = types.ModuleType(path)
                if n:
                    setattr(sys.modules[".".join(parts[:n])], parts[n], sys.modules[path])
        if module == "torch.jit._pickle":
            made = (lambda value: value if isinstance(value, int) else None) if name.endswith("_id") else same
        else:
            made = type(name, (Stub,), {})
        setattr(sys.modules[module], name, made)


def hook(event, args):
    if not active or event in SILENT:
        return
    if event == "pickle.find_class":
        if args not in ALLOWED and renamed(*args, 0) not in ALLOWED:
            seen.append(f"find_class {args}")
            raise pickle.UnpicklingError("stopped")
    elif event == "import":
        if args[0] not in modules:
            seen.append(f"import {args[0]}")
            raise pickle.UnpicklingError("stopped")
    else:
        seen.append(f"{event} {str(args)[:80]}")
        raise pickle.UnpicklingError("stopped")


class C(pickle.Unpickler):
    def persistent_load(self, pid):
        return Stub()


class Python(pickle._Unpickler):
    """Python's own loader, which lets us look at every call."""

    dispatch = pickle._Unpickler.dispatch.copy()

    def persistent_load(self, pid):
        return Stub()

    def called(self, callee):
        if not (callable(callee) and any(callee is a for a in objects)) and callable(callee):
            seen.append(f"calls {callee!r:.80}")
            raise pickle.UnpicklingError("stopped")

    def changed(self, target):
        if isinstance(target, (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, np.ufunc)):
            seen.append(f"changes {target!r:.80}")
            raise pickle.UnpicklingError("stopped")

    def _instantiate(self, klass, args):
        self.called(klass)
        super()._instantiate(klass, args)


def watched(op, look):
    original = pickle._Unpickler.dispatch[op]

    def load(self):
        look(self)
        original(self)

    Python.dispatch[op] = load


def top(items, n):
    return items[-n] if len(items) >= n else None


for _op in (pickle.REDUCE, pickle.NEWOBJ):
    watched(_op[0], lambda self: self.called(top(self.stack, 2)))
watched(pickle.NEWOBJ_EX[0], lambda self: self.called(top(self.stack, 3)))
watched(pickle.BUILD[0], lambda self: self.changed(top(self.stack, 2)))
watched(pickle.APPEND[0], lambda self: self.changed(top(self.stack, 2)))
watched(pickle.SETITEM[0], lambda self: self.changed(top(self.stack, 3)))
for _op in (pickle.APPENDS, pickle.SETITEMS, pickle.ADDITEMS):
    watched(_op[0], lambda self: self.changed(top(self.metastack[-1], 1) if self.metastack else None))


class Joblib(NumpyUnpickler):
    """joblib's loader, which reads arrays between opcodes."""

    def __init__(self, file):
        super().__init__("", file, True)

    def persistent_load(self, pid):
        return Stub()


class NoPeek:
    """A file with read and readline only, so that the C loader keeps nothing but frames."""

    def __init__(self, data):
        inner = io.BytesIO(data)
        self.read, self.readline = inner.read, inner.readline


def load(data):
    """All streams of ``data`` by every loader; errors are the loaders' business."""
    global active
    ways = [
        lambda f: C(f), lambda f: C(f, encoding="latin1"), lambda f: C(f, encoding="bytes"),
        lambda f: Python(f, encoding="latin1"),
    ]  # fmt: skip
    if b"NumpyArrayWrapper" in data:
        ways.append(Joblib)
    files = [lambda: io.BytesIO(data), lambda: NoPeek(data), lambda: io.BufferedReader(io.BytesIO(data), 8)]
    for way, file in [(w, f) for w in ways for f in files]:
        opened = file()
        unpickler = None
        for _ in range(4):  # several streams: a new unpickler for each, then one for all
            active = True
            try:
                way(opened).load()
            except Exception:  # whatever the loader says
                break
            finally:
                active = False
    for way in (ways[0], ways[3]):
        unpickler = way(io.BytesIO(data))
        for _ in range(4):
            active = True
            try:
                unpickler.load()
            except Exception:
                break
            finally:
                active = False
    active = True
    try:
        pickle.loads(data)
    except Exception:
        pass
    finally:
        active = False


def main():
    warnings.simplefilter("ignore")
    global modules, objects
    stub_torch()
    objects = [getattr(sys.modules.get(m) or __import__(m, fromlist=["x"]), n, None) for m, n in ALLOWED]
    modules = {".".join(m.split(".")[: n + 1]) for m, _ in ALLOWED for n in range(m.count(".") + 1)}
    for kind in ("f8", "O", "V8"):
        pickle.loads(pickle.dumps(np.zeros(2, dtype=kind)))  # what NumPy imports late
    for codec in ("latin-1", "latin1", "ascii", "utf-8", "raw-unicode-escape", "unicode-escape"):
        codecs.lookup(codec)
    for limit, value in ((resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, 4 << 30)):
        resource.setrlimit(limit, (value, value))
    state = [(o, dict(vars(o))) for o in objects if isinstance(o, type)]
    plain = repr([np.dtype(k).__reduce__() for k in ("f8", "O", "i4", "u1", "f4")])
    sys.addaudithook(hook)
    stdin, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "w")
    sys.stdout = io.StringIO()
    sys.stderr = io.StringIO()
    while head := stdin.read(4):
        seen.clear()
        load(stdin.read(struct.unpack("<I", head)[0]))
        if repr([np.dtype(k).__reduce__() for k in ("f8", "O", "i4", "u1", "f4")]) != plain:
            seen.append("changed a dtype of NumPy")
        if any(vars(o).keys() != before.keys() for o, before in state):
            seen.append("changed a class")
        answers.write(("; ".join(seen) or "ok").replace("\n", " ") + "\n")
        answers.flush()


modules: set[str] = set()
objects: list[object] = []

if __name__ == "__main__":
    collections.deque()
    main()
