"""Ed25519 keys in PEM files, by the library `cryptography` (extra ``sign``)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from probatum.core.errors import BadInput, ProbatumError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LARGEST = 1 << 16
MAKE = "`probatum sign --new-key k` makes a pair"


def new_key(stem: str | Path) -> tuple[Path, Path]:
    """Make a key pair: ``stem.pem`` (private, for its owner alone) and ``stem.pub``. Nothing is overwritten."""
    ed25519, serialization = library()
    base = str(stem).removesuffix(".pem").removesuffix(".pub")
    places = Path(base + ".pem"), Path(base + ".pub")
    for place in places:
        if os.path.lexists(place):
            raise BadInput(f"'{place}' is there already; a key is never overwritten, so name another one")
    key, pem = ed25519.Ed25519PrivateKey.generate(), serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    try:
        for place, data, mode in ((places[0], private, 0o600), (places[1], public, 0o644)):
            with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(data)
    except OSError as error:
        with suppress(OSError):
            places[0].unlink()  # half a pair is of no use
        raise ProbatumError(f"cannot write the key '{place}': {error.strerror}") from error
    return places


def private_key(path: str | Path) -> Ed25519PrivateKey:
    """Read the key that signs. Raises `BadInput`, one sentence for each thing that it may be instead."""
    ed25519, serialization = library()
    pem = read(Path(path), "key", LARGEST)
    if b"PUBLIC KEY" in pem:
        raise BadInput(f"'{path}' is a public key; signing needs the private one, such as k.pem")
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise BadInput(f"'{path}' is encrypted; write it without a password first: openssl pkey -in {path}") from None
    except Exception:  # the library raises several kinds, its own among them
        raise BadInput(f"'{path}' is no private key in PEM; {MAKE}") from None
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise BadInput(f"'{path}' is no Ed25519 key; {MAKE}")
    return cast("Ed25519PrivateKey", key)


def public_key(path: str | Path) -> Ed25519PublicKey:
    """Read the key that checks. Raises `BadInput`, one sentence for each thing that it may be instead."""
    ed25519, serialization = library()
    pem = read(Path(path), "key", LARGEST)
    if b"PRIVATE KEY" in pem:
        raise BadInput(f"'{path}' is a private key; a check needs the public one, such as k.pub")
    try:
        key = serialization.load_pem_public_key(pem)
    except Exception:
        raise BadInput(f"'{path}' is no public key in PEM; {MAKE}") from None
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise BadInput(f"'{path}' is no Ed25519 key; {MAKE}")
    return cast("Ed25519PublicKey", key)


def library() -> tuple[Any, Any]:
    """The two modules that are used of `cryptography`. Raises `BadInput` where it is not installed."""
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise BadInput("signing needs the library cryptography: pip install 'probatum[sign]'") from None
    return ed25519, serialization


def read(path: Path, what: str, largest: int) -> bytes:
    """A whole file that must not be large."""
    try:
        with path.open("rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise BadInput(f"cannot read the {what} '{path}': {error.strerror}") from None
    if len(data) > largest:
        raise BadInput(f"'{path}' is no {what}: larger than {largest:,} bytes")
    return data
