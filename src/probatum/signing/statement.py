"""The manifest as an in-toto Statement v1: the files are its subjects, all else is its predicate."""

from __future__ import annotations

import json
from collections.abc import Sequence

from probatum.scan.manifest import LINKS, Manifest

#: The type of the payload in its envelope.
TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:probatum:manifest:1"


def write(found: Manifest, links: str, ignore: Sequence[str]) -> bytes:
    """The same manifest gives the same bytes."""
    predicate = {
        "sizes": {path: size for path, (size, _) in found.files.items()},
        "links": found.links,
        "linkPolicy": links,
        "ignored": list(ignore),
    }
    subjects = [{"name": path, "digest": {"sha256": digest}} for path, (_, digest) in found.files.items()]
    said = {"_type": STATEMENT, "subject": subjects, "predicateType": PREDICATE, "predicate": predicate}
    return json.dumps(said, separators=(",", ":"), sort_keys=True).encode()


def read(payload: bytes) -> tuple[Manifest, str, list[str]]:
    """(files and links, what links mean, the globs left out). Raises ValueError, KeyError, TypeError or AttributeError
    where the payload is none of ours."""
    said = json.loads(payload)
    if said["_type"] != STATEMENT or said["predicateType"] != PREDICATE:
        raise ValueError
    predicate, out = said["predicate"], Manifest()
    for subject in said["subject"]:
        name = subject["name"]
        out.files[name] = int(predicate["sizes"][name]), str(subject["digest"]["sha256"])
    out.links = {str(path): str(target) for path, target in predicate["links"].items()}
    if len(out.files) != len(said["subject"]) or predicate["linkPolicy"] not in LINKS:
        raise ValueError
    return out, predicate["linkPolicy"], [str(pattern) for pattern in predicate["ignored"]]
