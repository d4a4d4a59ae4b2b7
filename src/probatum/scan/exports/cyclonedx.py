"""CycloneDX 1.6, a bill of materials for a machine-learning model.

The model is the component that is described; its files, with their hashes, are components, and so is what it says
that it was made of: base models, data sets, libraries. The serial number is computed from the content and there is no
time (but that of ``SOURCE_DATE_EPOCH``), so the same model gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import uuid

from probatum.scan.exports.declared import HUB_ID, declared
from probatum.scan.exports.places import uri
from probatum.scan.finding import printable, quote
from probatum.scan.licenses import spdx
from probatum.scan.tree import BadPath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from probatum.scan.exports.declared import Declared
    from probatum.scan.exports.inventory import Inventory
    from probatum.scan.exports.places import Places
    from probatum.scan.finding import Result

#: The space of our serial numbers: any fixed UUID does.
SPACE = uuid.UUID("b7f3a1c2-5d0e-5e8a-9c46-2f1d7a3b8e90")
MODEL = "model"
#: Relations of a model to another that do not make it a descendant.
NO_PARENT = ("loaded from", "tokenizer")
HUB = "https://huggingface.co"


def cyclonedx(result: Result, places: Places, inventory: Inventory, leave_out: Iterable[str] = ()) -> str:
    """A scan of one model as a bill of materials.

    Parameters
    ----------
    leave_out
        Files that are no part of the model: those that this very scan writes.
    """
    skipped = {os.path.abspath(path) for path in leave_out}
    said = declared(inventory.documents)
    files = list(_files(result, places, inventory, skipped))
    parts = list(_models(said)) + list(_data(said)) + list(_libraries(said))
    parts = list({part["bom-ref"]: part for part in reversed(parts)}.values())[::-1]
    everything = sorted(files + parts, key=lambda c: c["bom-ref"])
    whole = all("hashes" in f for f in files if not _is_link(f))
    refs = [c["bom-ref"] for c in everything]
    out: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "",
        "version": 1,
        "metadata": {
            **_time(),
            "tools": {
                "components": [
                    {"type": "application", "name": "probatum scan", "version": f"rules {result.versions['ruleset']}"}
                ]
            },
            "component": _model(said, places.name, files, parts),
        },
        "components": everything,
        "dependencies": [{"ref": MODEL, "dependsOn": refs}, *({"ref": ref} for ref in refs)],
        # The files were read; what the model was made of is only what its documents say.
        "compositions": [
            {"aggregate": "complete" if whole else "incomplete", "assemblies": [f["bom-ref"] for f in files]},
            {"aggregate": "unknown", "dependencies": [MODEL]},
        ],
        "properties": [_property("verdict", result.verdict)],
    }
    out["serialNumber"] = f"urn:uuid:{uuid.uuid5(SPACE, json.dumps(out, sort_keys=True))}"
    return json.dumps(out, indent=1) + "\n"


def _model(said: Declared, name: str, files: list[dict[str, Any]], parts: list[dict[str, Any]]) -> dict[str, Any]:
    told = {"task": said.task, "architectureFamily": said.family, "modelArchitecture": said.architecture}
    parameters: dict[str, Any] = {key: value for key, value in told.items() if value}
    data = [{"ref": part["bom-ref"]} for part in parts if part["type"] == "data"]
    if data:
        parameters["datasets"] = data
    card: dict[str, Any] = {"modelParameters": parameters}
    if said.metrics:
        rows = [{"type": kind, "value": value, **({"slice": on} if on else {})} for kind, value, on in said.metrics]
        card["quantitativeAnalysis"] = {"performanceMetrics": rows}
        card["properties"] = [_property("performanceMetrics", "as the card claims; not measured here")]
    content = hashlib.sha256()
    for file in sorted(files, key=lambda f: str(f["bom-ref"])):
        content.update(f"{file['bom-ref']}\0{file.get('hashes', [{}])[0].get('content', '')}\n".encode())
    out: dict[str, Any] = {"type": "machine-learning-model", "bom-ref": MODEL, "name": printable(name)}
    if said.license or said.license_name:
        out["licenses"] = [{"license": _license(said)}]
    bases = [p for p in parts if p["type"] == "machine-learning-model" and p["properties"][0]["value"] not in NO_PARENT]
    if bases:
        out["pedigree"] = {"ancestors": [{k: v for k, v in b.items() if k != "bom-ref"} for b in bases]}
    out["modelCard"] = card
    out["properties"] = [_property("files", str(len(files))), _property("content", f"sha256:{content.hexdigest()}")]
    out["properties"] += [_property("not understood", document) for document in said.unclear]
    return out


def _license(said: Declared) -> dict[str, str]:
    known = spdx(said.license)
    out = {"id": known} if known else {"name": said.license_name or said.license}
    if re.fullmatch(r"https?://[\w.-]+(?:/[\w./~-]*)?", said.license_link, re.ASCII):
        out["url"] = said.license_link
    return out


def _files(result: Result, places: Places, inventory: Inventory, skipped: set[str]) -> Iterable[dict[str, Any]]:
    seen = set()
    for file in result.files:
        below = places.below(file.path)
        if file.format == "directory" or os.path.abspath(file.path) in skipped or below in seen:
            continue
        seen.add(below)
        one: dict[str, Any] = {"type": "file", "bom-ref": f"file:{uri(below)}", "name": printable(below)}
        if file.path in inventory.files:
            size, digest = inventory.files[file.path]
            one["hashes"] = [{"alg": "SHA-256", "content": digest}]
            one["properties"] = [_property("bytes", str(size))]
        else:
            one["properties"] = [_property("not hashed", file.format)]
        one["properties"] += [_property("format", file.format), _property("verdict", file.verdict)]
        yield one


def _models(said: Declared) -> Iterable[dict[str, Any]]:
    for name, relation, where in said.models:
        if not HUB_ID.fullmatch(name):
            continue  # a path on the author's machine names nothing that others could find
        yield {
            "type": "machine-learning-model",
            "bom-ref": f"model:{name}",
            "name": name,
            "purl": f"pkg:huggingface/{name}",
            "externalReferences": [{"type": "distribution", "url": f"{HUB}/{name}"}],
            "properties": [_property("relation", relation), _property("said in", where)],
        }


def _data(said: Declared) -> Iterable[dict[str, Any]]:
    for name in said.datasets:
        data: dict[str, Any] = {"type": "dataset", "name": name}
        if HUB_ID.fullmatch(name):
            data["contents"] = {"url": f"{HUB}/datasets/{name}"}
        where = _property("said in", "readme.md: datasets")
        yield {"type": "data", "bom-ref": f"data:{uri(name)}", "name": name, "data": [data], "properties": [where]}


def _libraries(said: Declared) -> Iterable[dict[str, Any]]:
    for name, version, where in said.libraries:
        plain = "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)
        at = f"@{uri(version)}" if version else ""
        one = {"type": "library", "bom-ref": f"pypi:{uri(plain)}{at}", "name": name}
        if HUB_ID.fullmatch(plain) and "/" not in plain:
            one["purl"] = f"pkg:pypi/{plain}{at}"
        yield one | ({"version": version} if version else {}) | {"properties": [_property("said in", where)]}


def _property(name: str, value: str) -> dict[str, str]:
    return {"name": f"probatum:{name}", "value": printable(value)}


def _is_link(file: dict[str, Any]) -> bool:
    return any(p["value"].startswith("link inside") for p in file["properties"])


def _time() -> dict[str, str]:
    """The time of ``SOURCE_DATE_EPOCH`` (seconds since 1970), if it is set."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if not given:
        return {}
    from datetime import UTC, datetime

    try:
        return {"timestamp": datetime.fromtimestamp(int(given), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    except (ValueError, OverflowError, OSError):
        raise BadPath(f"SOURCE_DATE_EPOCH must be seconds since 1970, got {quote(given)}") from None
