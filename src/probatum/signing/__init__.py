"""Sign a model directory, and say later what differs from what was signed.

The manifest (the sha256 of every file, and where links lead) is an in-toto Statement v1; it is signed with Ed25519 in
a DSSE envelope, so other tools can read it. What the check needs to know, such as what was left out and what links
mean, is part of what is signed: nobody can change it beside the files.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from probatum.core.errors import BadInput, ProbatumError
from probatum.scan.finding import quote
from probatum.scan.manifest import LINKS, Hasher, Manifest, check_links, hashed, ignoring, listing
from probatum.scan.tree import BadPath
from probatum.signing import dsse, statement
from probatum.signing.compare import Check, compare
from probatum.signing.keys import new_key, private_key, public_key

#: Where the signature lies, unless another place is named: in the directory, or beside the file.
SIGNATURE = "probatum.sig.json"

#: Called with (bytes hashed, bytes in all).
Progress = Callable[[int, int], None]


def signature_place(model: str | Path, signature: str | Path | None = None) -> Path:
    """Where the signature of a model lies."""
    if signature is not None:
        return Path(signature)
    model = Path(model)
    return model / SIGNATURE if model.is_dir() else model.with_name(model.name + ".sig.json")


def sign(
    model: str | Path,
    key: str | Path,
    *,
    signature: str | Path | None = None,
    links: str = "refuse",
    ignore: Sequence[str] = (),
    progress: Progress | None = None,
) -> tuple[Path, int]:
    """Hash every file of ``model``, sign the list, and write the signature.

    Parameters
    ----------
    key
        An Ed25519 private key in PEM.
    links
        What a symbolic link means: ``refuse``, ``record`` where it leads, or ``follow`` it to a file.
    ignore
        Globs of relative paths that are left out ("*" also crosses folders); they are part of what is signed.

    Returns
    -------
    (where the signature lies, how many files and links it covers)

    Raises
    ------
    BadInput
        Where the key or the model cannot be signed with or as it is.
    """
    if links not in LINKS:
        raise BadInput(f"links are one of {', '.join(LINKS)}, got {quote(links)}")
    private, place = private_key(key), signature_place(model, signature)
    try:
        found = listing(os.fspath(model), follow=links == "follow", skip=ignoring(ignore, *_own(model, place)))
        check_links(found, os.fspath(model), links)
    except BadPath as bad:
        raise BadInput(bad.args[0]) from None
    if found.special:
        raise BadInput(f"{quote(min(found.special))} is no file (a pipe, socket or device); remove or ignore it")
    for path in (*found.files, *found.links, *found.links.values()):
        if any("\ud800" <= c <= "\udfff" for c in path):
            raise BadInput(f"the name {quote(path)} is not UTF-8, so other systems cannot name it; rename or ignore it")
    if not found.files:
        raise BadInput(f"{quote(str(model))} holds no file to sign")
    found.files = _hashes(model, found, found.files, links, progress)
    envelope = dsse.seal(statement.TYPE, statement.write(found, links, ignore), private)
    try:
        beside = place.with_name(f".{place.name}.{os.getpid()}")
        beside.write_text(json.dumps(envelope, indent=1) + "\n", encoding="ascii")
        os.replace(beside, place)
    except OSError as error:
        raise ProbatumError(f"cannot write the signature '{place}': {error.strerror}") from error
    return place, len(found.files) + len(found.links)


def check(
    model: str | Path,
    key: str | Path,
    *,
    signature: str | Path | None = None,
    ignore: Sequence[str] = (),
    progress: Progress | None = None,
) -> Check:
    """Compare a model with its signature.

    Parameters
    ----------
    key
        The Ed25519 public key of the signer, in PEM, from a place that the model did not come from.
    ignore
        Globs of further paths that may have been added. A file that was signed is always compared.

    Raises
    ------
    BadInput
        Where the key, the signature file or the model cannot be read.
    """
    public, place = public_key(key), signature_place(model, signature)
    if not os.path.lexists(model):
        raise BadInput(f"cannot read {quote(str(model))}: there is no such file or directory")
    type, payload, holds = dsse.unseal(place, public)
    if not holds:
        return Check(0, refused=f"the signature does not fit this key: another key signed, or {place.name} was changed")
    if type != statement.TYPE:
        return Check(0, refused=f"signed with this key, but as {quote(type)}, which is no statement about a model")
    try:
        signed, links, ignored = statement.read(payload)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Check(0, refused="signed with this key, but it is no manifest of a model that this Probatum can read")
    try:
        found = listing(os.fspath(model), follow=links == "follow")
    except BadPath as bad:
        raise BadInput(bad.args[0]) from None
    if not os.path.isdir(model) and len(signed.files) == 1:  # one file may be called otherwise today
        found.files = dict(zip(signed.files, found.files.values(), strict=True))
    left_out = ignoring((*ignored, *ignore), *_own(model, place))
    return compare(signed, found, left_out, lambda paths: _hashes(model, found, paths, links, progress), ignored)


def _own(model: str | Path, place: Path) -> tuple[str, ...]:
    """The path of the signature itself, if it lies in the model: no file can hold its own hash."""
    top, inside = os.path.abspath(model), os.path.abspath(place)
    return (os.path.relpath(inside, top).replace(os.sep, "/"),) if inside.startswith(top + os.sep) else ()


def _hashes(
    model: str | Path, found: Manifest, paths: Iterable[str], links: str, progress: Progress | None
) -> dict[str, tuple[int, str]]:
    wanted = list(paths)
    total, done = sum(found.files[path][0] for path in wanted), 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    try:
        return hashed(os.fspath(model), wanted, Hasher(tick), follow=links == "follow")
    except BadPath as bad:
        raise BadInput(bad.args[0]) from None


__all__ = ["SIGNATURE", "Check", "check", "new_key", "sign", "signature_place"]
