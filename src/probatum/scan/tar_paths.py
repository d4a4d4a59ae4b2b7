"""Where the members of a tar archive would be written, and where its links lead."""

from __future__ import annotations

import re

from probatum.scan.finding import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from probatum.scan.context import Context
    from probatum.scan.source import Source

_DRIVE = re.compile(r"[A-Za-z]:")


class Paths:
    """The names and links of an archive so far."""

    def __init__(self, source: Source, context: Context) -> None:
        self.source, self.context = source, context
        self.seen: set[str] = set()
        self.links: set[str] = set()

    def report(self, rule: str, message: str, at: int) -> None:
        self.context.report(rule, message, self.source, offset=at)

    def check_name(self, name: str, kind: str, at: int) -> None:
        parts = [p for p in name.split("/") if p not in ("", ".")]
        if name.startswith("/") or _DRIVE.match(name) or ".." in parts or "\\" in name or "\0" in name:
            self.report("TAR001", f"a member is called {quote(name)}", at)
        path = "/".join(parts)
        if path in self.seen and kind != "5":
            self.report("TAR004", f"the name {quote(name)} stands twice", at)
        self.seen.add(path)
        for n in range(1, min(len(parts), 256)):
            if "/".join(parts[:n]) in self.links:
                self.report("TAR002", f"{quote(name)} is written through a link of this archive", at)
                break

    def check_link(self, name: str, link: str, kind: str, at: int) -> None:
        """A symbolic link starts at its folder, a hard link at the root of the archive. Through links, nothing."""
        parts = [p for p in name.split("/")[:-1] if p not in ("", ".")] if kind == "2" else []
        out = link.startswith("/") or "\\" in link or bool(_DRIVE.match(link))
        named = False
        for part in link.split("/"):
            if part == "..":
                # behind a name, which may be a link itself, what ".." means is not in the text
                out = out or named or not parts
                parts = parts[:-1]
            elif part not in ("", "."):
                out = out or (named and "/".join(parts) in self.links)
                named, parts = True, [*parts, part]
            if len(parts) > 256:
                break
        if out or len(parts) > 256 or (kind == "1" and "/".join(parts) in self.links):
            self.report("TAR002", f"the link {quote(name)} leads to {quote(link)}", at)
        self.links.add("/".join(p for p in name.split("/") if p not in ("", ".")))
