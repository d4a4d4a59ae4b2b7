"""Where a file lies, as an export may say it: relative, never with the folders of this machine."""

from __future__ import annotations

import os


class Places:
    """The paths of a scan, seen from its roots and from the working directory.

    Parameters
    ----------
    roots
        The paths that were scanned, as the user named them.
    """

    __slots__ = ("_last", "_roots")

    def __init__(self, roots: list[str]) -> None:
        here, taken = os.path.abspath(os.curdir), set()
        self._roots: list[tuple[str, str]] = []
        self._last = os.path.basename(os.path.abspath(roots[0])) or "root"
        for root in roots:
            whole = os.path.abspath(root)
            inside = _under(whole, here)
            name = last = os.path.basename(whole) or "root"
            number = 1
            while inside is None and name in taken:  # two roots of one name, elsewhere
                number += 1
                name = f"{last}-{number}"
            taken.add(name)
            self._roots.append((root, name if inside is None else inside))

    @property
    def root(self) -> str:
        """The first root as it is shown."""
        return self._roots[0][1] or "."

    @property
    def name(self) -> str:
        """The last name of the first root."""
        return self._last

    def _split(self, path: str) -> tuple[str, str]:
        """(the root as it is shown, the rest below it)."""
        for root, shown in self._roots:
            if path == root:
                return shown, ""
            start = root if root.endswith(os.sep) else root + os.sep
            if path.startswith(start):
                return shown, path[len(start) :].replace(os.sep, "/")
        return "", os.path.basename(path)

    def below(self, path: str) -> str:
        """Relative to the root that it was found under; of a root that is a file, its name."""
        shown, rest = self._split(path)
        return rest or os.path.basename(shown) or "."

    def shown(self, path: str) -> str:
        """Relative to the working directory if it lies there, otherwise from the name of its root on; "." for it."""
        shown, rest = self._split(path)
        return "/".join(part for part in (shown, rest) if part) or "."


def _under(path: str, folder: str) -> str | None:
    """``path`` relative to ``folder`` with "/"; None if it lies elsewhere."""
    if path == folder:
        return ""
    start = folder if folder.endswith(os.sep) else folder + os.sep
    return path[len(start) :].replace(os.sep, "/") if path.startswith(start) else None


def uri(path: str) -> str:
    """A relative URI reference: every byte but letters, digits and "-._~/" percent-encoded."""
    from urllib.parse import quote

    try:
        raw = path.encode("utf-8", "surrogateescape")  # names of files that are no UTF-8 keep their bytes
    except UnicodeEncodeError:
        raw = path.encode("utf-8", "surrogatepass")
    encoded = quote(raw, safe="/")
    return encoded if not encoded.startswith("//") else "/." + encoded
