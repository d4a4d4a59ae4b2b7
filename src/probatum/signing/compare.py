"""What was signed against what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from probatum.scan.finding import printable
from probatum.scan.manifest import Manifest


@dataclass(frozen=True)
class Check:
    """What differs from what was signed; every list in the order of the paths.

    ``renamed`` are (old path, new path) of the same content. ``ignored`` are the globs that the signer left out.
    ``refused`` says why the signature itself does not hold; then nothing was compared.
    """

    signed: int
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()
    refused: str = ""

    @property
    def passed(self) -> bool:
        return not (self.refused or self.changed or self.added or self.missing or self.renamed)

    def lines(self) -> list[str]:
        """One sentence for each difference, the first path first."""
        if self.refused:
            return [self.refused]
        said = [(path, f"changed: {printable(path)}") for path in self.changed]
        said += [(path, f"added: {printable(path)}") for path in self.added]
        said += [(path, f"missing: {printable(path)}") for path in self.missing]
        said += [(old, f"renamed: {printable(old)} is now {printable(new)}") for old, new in self.renamed]
        return [line for _, line in sorted(said)]


def compare(
    signed: Manifest,
    found: Manifest,
    left_out: Callable[[str], bool],
    hashes: Callable[[Iterable[str]], dict[str, tuple[int, str]]],
    ignored: Sequence[str] = (),
) -> Check:
    """Names, links and sizes first; then the bytes of what could still be equal, each file once.

    Parameters
    ----------
    left_out
        Says of a path that was not signed that it may be there.
    hashes
        paths -> {path: (size, sha256)}.
    """
    covered, here = {*signed.files, *signed.links}, {*found.files, *found.links, *found.special}
    missing = sorted(covered - here)
    added = sorted(path for path in here - covered if not left_out(path))
    changed = {path for path, target in signed.links.items() if path in here and found.links.get(path) != target}
    for path, (size, _) in signed.files.items():
        if path in here and (path not in found.files or found.files[path][0] != size):
            changed.add(path)
    sizes = {signed.files[path][0] for path in missing if path in signed.files}
    moved = [path for path in added if path in found.files and found.files[path][0] in sizes]
    equal = [path for path in signed.files if path in here and path not in changed]
    now = hashes([*equal, *moved])
    changed |= {path for path in equal if now[path] != signed.files[path]}
    renamed = []
    for path in moved:
        old = next((one for one in missing if signed.files.get(one) == now[path]), None)
        if old is not None:
            renamed.append((old, path))
            missing.remove(old)
            added.remove(path)
    return Check(
        len(covered), tuple(sorted(changed)), tuple(added), tuple(missing), tuple(sorted(renamed)), tuple(ignored)
    )
