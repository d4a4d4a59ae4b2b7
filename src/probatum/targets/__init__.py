"""One file per kind of thing that can be opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput
from probatum.core.target import Target
from probatum.engine.session import Session


def open_target(
    name: str | Path | Target, *, session: Session | None = None, base: str | Path | None = None, **options: Any
) -> Target:
    """Open a model: a built-in name, a Hugging Face directory, ``hf:ORG/NAME`` from the hub, or an endpoint's URL.

    Parameters
    ----------
    name
        ``"specimen"``, ``"twin"``, ``"base"``, ``"stranger"``, ``"gold"``; a directory with safetensors, or with an
        adapter, which is opened with its base; a URL (then ``model=`` names the model there); or an opened target,
        which is handed back.
    session
        What it shares with other targets. Without one, evidence is kept in memory.
    base
        The base of an adapter, where it is not where the adapter says.

    Raises
    ------
    BadInput
        Nothing there, or not a model; the sentence says which.
    """
    if isinstance(name, Target):
        return name
    session = session or Session()
    text = str(name)
    if text.startswith(("http://", "https://")):
        from probatum.targets.endpoint import EndpointTarget

        return EndpointTarget(text, session=session, **options)
    from probatum.controls import specimen
    from probatum.targets.transformers import TransformersTarget

    if text in specimen.NAMES and not Path(text).exists():
        path = specimen.directory(text)
    elif text.startswith("hf:"):
        from probatum.targets.hub import download

        path = download(text[3:])
    else:
        path = Path(text)
    if not path.is_dir():
        what = "is a file, not a directory" if path.exists() else "no such directory"
        raise BadInput(
            f"{text}: {what}; expected a Hugging Face model directory, hf:ORG/NAME, an endpoint's URL, or one of "
            f"{', '.join(specimen.NAMES)}"
        )
    if (path / "adapter_config.json").is_file() and not (path / "config.json").is_file():
        from probatum.targets.adapter import open_adapter

        return open_adapter(path, base, session=session, name=text)
    if base is not None:
        raise BadInput(f"{text}: is no adapter, and only an adapter is opened with a base")
    from probatum.targets.masked import MaskedTarget, fills_masks

    return (MaskedTarget if fills_masks(path) else TransformersTarget)(path, session=session, name=text)
