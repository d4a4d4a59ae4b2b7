"""The envelope: DSSE version 1, with Ed25519."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from probatum.core.errors import BadInput
from probatum.signing.keys import library, read

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

#: Largest envelope that is read: some millions of files.
LARGEST = 1 << 30


def encoding(type: str, payload: bytes) -> bytes:
    """What is signed: the type and the payload with their lengths in bytes (the protocol's PAE)."""
    kind = type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal(type: str, payload: bytes, key: Ed25519PrivateKey) -> dict[str, Any]:
    """The envelope of a payload, signed."""
    signature = key.sign(encoding(type, payload))
    one = {"keyid": key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}
    return {"payload": base64.b64encode(payload).decode(), "payloadType": type, "signatures": [one]}


def unseal(place: Path, key: Ed25519PublicKey) -> tuple[str, bytes, bool]:
    """(payload type, payload, does one of the signatures hold). Raises `BadInput` where it is no envelope."""
    from cryptography.exceptions import InvalidSignature

    raw = read(place, "signature", LARGEST)
    try:
        said = json.loads(raw)
        type, payload = str(said["payloadType"]), _bytes(said["payload"])
        signed = encoding(type, payload)
        signatures = [_bytes(one["sig"]) for one in said["signatures"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadInput(f"'{place}' is no signature: expected a whole DSSE envelope; fetch it again") from None
    for signature in signatures:
        try:
            key.verify(signature, signed)
            return type, payload, True
        except InvalidSignature:
            continue  # perhaps of another signer
    return type, payload, False


def key_id(key: Ed25519PublicKey) -> str:
    """sha256 of the public key (DER). A hint for people; the check never trusts it."""
    _, serialization = library()
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _bytes(text: str) -> bytes:
    """Base64 in either alphabet; the protocol allows both."""
    return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
