"""One file per kind of thing that can be opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from probatum.core.errors import BadInput
from probatum.core.target import Target
from probatum.engine.session import Session


def open_target(
    name: str | Path | Target | Callable[..., Any],
    /,
    *,
    session: Session | None = None,
    base: str | Path | None = None,
    **options: Any,
) -> Target:
    """Open a model: a built-in name, a directory, ``hf:ORG/NAME`` from the hub, an endpoint's URL, a file, a function.

    Parameters
    ----------
    name
        ``"specimen"``, ``"twin"``, ``"base"``, ``"stranger"``, ``"gold"``, ``"people"``, ``"people_gold0"`` to
        ``"people_gold2"``, ``"people_packed"``; a directory with safetensors, or with an adapter, which is opened
        with its base; a URL (then ``model=`` names the model there); a file of recorded answers (.jsonl, .json, .eval);
        a table of decisions (then ``prediction=`` and ``groups=`` name its columns); a Python function of messages
        that gives a text (its answers are kept under ``name=`` and ``version=``); or an opened target, which is handed
        back.
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
    if callable(name):
        from probatum.targets.function import FunctionTarget

        return FunctionTarget(name, session=session, **options)
    text = str(name)
    if Path(text).is_file() and (opened := _file(Path(text), options)) is not None:
        return opened
    if "prediction" in options:
        raise BadInput(f"{text}: --prediction is for a table of decisions, a file ending in .csv, .parquet or .jsonl")
    if text.startswith(("http://", "https://")):
        from probatum.targets.endpoint import EndpointTarget

        return EndpointTarget(text, session=session, **options)
    from probatum.controls import specimen
    from probatum.targets.transformers import TransformersTarget

    if text in specimen.BUILTIN and not Path(text).exists():
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
            f"{', '.join(specimen.BUILTIN)}"
        )
    if (path / "adapter_config.json").is_file() and not (path / "config.json").is_file():
        from probatum.targets.adapter import open_adapter

        return open_adapter(path, base, session=session, name=text)
    if base is not None:
        raise BadInput(f"{text}: is no adapter, and only an adapter is opened with a base")
    from probatum.targets.masked import MaskedTarget, fills_masks

    return (MaskedTarget if fills_masks(path) else TransformersTarget)(path, session=session, name=text)


def _file(path: Path, options: Mapping[str, Any]) -> Target | None:
    """The target that a file is by its ending, or None."""
    from probatum.targets import decisions, transcript

    ending = path.suffix.lower()
    if ending in decisions.ENDINGS and "prediction" in options:
        return decisions.DecisionsTarget(path, **options)
    if ending in transcript.ENDINGS:
        return transcript.TranscriptTarget(path)
    if ending in decisions.ENDINGS:
        raise BadInput(f"{path}: a table of decisions is read with --prediction NAME and --group NAME")
    return None
