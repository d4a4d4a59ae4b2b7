"""Names of globals as `find_class` resolves them.

Before protocol 3 the loader renames what Python 2 called otherwise (`__builtin__` to `builtins`), first by module and
name, then by module. From protocol 4 a dotted name walks through attributes. The protocol is that of the last PROTO.
"""

from __future__ import annotations

from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING


def renamed(module: str, name: str, protocol: int) -> tuple[str, str]:
    """(module, name) that the loader looks up."""
    if protocol >= 3:
        return module, name
    if (module, name) in NAME_MAPPING:
        return NAME_MAPPING[module, name]
    return IMPORT_MAPPING.get(module, module), name
