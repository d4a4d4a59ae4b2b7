"""What a private run needs to go on after an interruption, in one file that is replaced as a whole.

Noise is drawn by a generator that every process makes anew and nobody saves. If a run dies between the noise of step t
and the next save, the steps since the last save are done again from the saved weights, with the same batches and with
other noise. The lost result was shown to nobody: weights leave a run only through this file, and progress is told in
numbers of steps. So one noisy sum a step is ever released, and each is counted once. Were noise made again from
something saved, two attempts at a step on data that changed in between would differ by the data alone, and whoever
reads the file could take the noise off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput


@dataclass
class Saved:
    """Steps that count, how often the run was started, what must not change between starts, and the batches' key."""

    step: int
    starts: int
    options: dict[str, Any]
    sampler_key: bytes | None


def save(path: Path, saved: Saved, parameters: Mapping[str, Any], optimizer: Any) -> None:
    """Replace ``path`` at once, readable by the owner only; what was there stays until the new file is on the disk."""
    from safetensors.torch import save as to_bytes

    tensors = {f"parameter/{name}": p.detach().contiguous() for name, p in parameters.items()}
    for name, p in parameters.items():
        for key, value in optimizer.state.get(p, {}).items():
            if value is not None:
                tensors[f"{key}/{name}"] = value.detach().contiguous()
    about = {
        "step": saved.step,
        "starts": saved.starts,
        "options": saved.options,
        "sampler_key": saved.sampler_key.hex() if saved.sampler_key else None,
    }
    content = to_bytes({k: v.cpu().clone() for k, v in tensors.items()}, {"private_run": json.dumps(about)})
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or the new name may be lost with the power, and a released step with it
    finally:
        os.close(folder)


def load(path: Path, options: dict[str, Any], parameters: Mapping[str, Any], optimizer: Any) -> Saved | None:
    """Put weights and optimizer back as they were saved; None where nothing was.

    Raises
    ------
    BadInput
        The file is not one of these, or of a run with other data or options.
    """
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            about = json.loads(file.metadata()["private_run"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise BadInput(f"{path}: is not the state of a private run ({error}); remove it to begin anew") from error
    for key in {**options, **about["options"]}:
        was, now = about["options"].get(key), options.get(key)
        if was != now:
            raise BadInput(
                f"{path}: belongs to a run with {key} {was!r}, and now it is {now!r}; go on with the same options and "
                "data, or remove the file, whose steps then count as a release of their own"
            )
    moments: dict[Any, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        kind, _, name = key.partition("/")
        parameter = parameters[name]
        if kind == "parameter":
            parameter.data.copy_(tensor)
        else:
            kept = tensor if kind == "step" else tensor.to(parameter.device)
            moments.setdefault(parameter, {})[kind] = kept
    optimizer.state.update(moments)
    hexadecimal = about["sampler_key"]
    return Saved(about["step"], about["starts"], about["options"], bytes.fromhex(hexadecimal) if hexadecimal else None)
