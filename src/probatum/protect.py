"""Repair a model and prove the repair: derive, save, audit before and after on the same records, side by side."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from probatum.audit import audit, open_session
from probatum.compare import Comparison, compare
from probatum.core.binding import missing, options_of
from probatum.core.catalogue import load
from probatum.core.change import Change
from probatum.core.data import Data, Facts, Forget, Records, Retain, digest_of, present
from probatum.core.draws import keyed
from probatum.core.errors import BadInput, ProbatumError
from probatum.core.report import Report
from probatum.core.tables import read_rows
from probatum.core.target import Target
from probatum.core.version import __version__
from probatum.engine.session import Session
from probatum.engine.tuning import supervised
from probatum.targets import open_target

F = TypeVar("F", bound=Facts)


@dataclass(frozen=True)
class Repair:
    """The new model's directory and its proof: for each set of records, the audits of before, after and gold."""

    directory: Path
    audits: Mapping[str, Mapping[str, Report]]  #: "forget" and "retain" → "before", "after", "gold" → report
    comparisons: Mapping[str, Comparison]  #: "forget" and "retain" → after against before
    receipt: Report | None = None  #: before, after and golds on every measure of forgetting, where that can be said


def protect(
    method: str,
    model: str | Path,
    *,
    forget: str | Path,
    retain: str | Path,
    out: str | Path,
    gold: str | Path | Sequence[str | Path] = (),
    holdout: str | Path | None = None,
    roles: Mapping[str, str | Path] | None = None,
    field: str | None = None,
    options: Mapping[str, Any] | None = None,
    seed: int = 0,
    session: Session | None = None,
    say: Callable[[str], None] | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Repair:
    """Apply a protection to a copy of a model, save it, and audit both with the probes that must prove it.

    Parameters
    ----------
    forget, retain
        Files of facts (prefix, secret[, suffix, format, paraphrases, others]) or of texts. Of a fact the secret is
        unlearned, of a text all of it; a text is asked by its first half.
    gold, holdout
        Models retrained without the forget set, better three than one; of the specimen it is built in. Facts of the
        same kind that the model was never taught. With either there is a receipt (`probatum.receipt`).
    roles
        Further models that the method asks for, such as ``other`` of `fuse`.

    Raises
    ------
    BadInput
        ``out`` exists and is not empty; the sets overlap; the method is no protection.
    """
    tell = say or (lambda _: None)
    chosen = load(method)
    if chosen.kind != "protection":
        raise BadInput(f"{method} is a {chosen.kind}, not a protection; see `probatum list`")
    settings = options_of(chosen, options or {})
    out = Path(out)
    if out.exists() and any(out.iterdir()):
        raise BadInput(f"{out} is not empty; name a new directory, a model is never changed in place")
    session = session or open_session()
    subject = open_target(model, session=session)
    gone, kept = facts_of(Forget, forget, field), facts_of(Retain, retain, field)
    _check_overlap(gone, kept, forget, retain)
    others = {name: open_target(other, session=session) for name, other in (roles or {}).items()}
    unknown = sorted(set(others) - set(chosen.signature.roles))
    if unknown:
        known = ", ".join(chosen.signature.roles) or "none"
        raise BadInput(f"{method} asks for no model in the role '{unknown[0]}'; it asks for {known}")
    reason = missing(chosen, subject, {"Forget": gone, "Retain": kept}, others)
    if reason:
        raise BadInput(f"{method}: {reason}")
    tell(f"{method}: {len(gone)} records to forget, {len(kept)} to keep, on {subject.name}")
    said = {
        "protection": method, "paper": chosen.paper, "options": dict(settings), "seed": seed,
        "parent": subject.digest, "forget": gone.digest, "retain": kept.digest,
        "roles": {name: other.digest for name, other in others.items()},
    }  # fmt: skip
    golds = [gold] if isinstance(gold, (str, Path)) else list(gold)
    unfinished = out.with_name(f"{out.name}.{digest_of(json.dumps(said))[:8]}.tuning")
    with supervised(unfinished, progress):
        draws = {"rng": keyed(seed, method, sorted(settings.items()))} if chosen.signature.rng else {}
        models = {name: others.get(name) for name in chosen.signature.roles}
        change = chosen.function(subject, gone, kept, **draws, **models, **settings)
    files = {"model": model, "forget": forget, "retain": retain, "holdout": holdout}
    said["files"] = {k: _from_here(v) for k, v in files.items() if v is not None}
    save(change, subject, out, said)
    shutil.rmtree(unfinished, ignore_errors=True)
    records = _asked(gone), _asked(kept)
    if not golds and str(model) == "specimen":
        golds = ["gold"]
    stages = {"before": model, "after": out, **({"gold": golds[0]} if golds else {})}
    audits: dict[str, dict[str, Report]] = {}
    for name, data in zip(("forget", "retain"), records, strict=True):
        audits[name] = {}
        for stage, which in stages.items():
            tell(f"audit of the {name} set, {stage}")
            place = out / "audits" / name / stage
            given: dict[str, Data | str | Path] = {"Records": data}
            audits[name][stage] = audit(
                which, data=given, probes=chosen.proves, seed=seed, session=without_costs(session), out=place
            )
    compared = {n: compare(out / "audits" / n / "before", out / "audits" / n / "after") for n in audits}
    proof = None
    if golds or holdout is not None:
        tell("the receipt: every measure on the model before, after and gold")
        proof = audit(
            out,
            data={"Forget": gone, "Retain": kept} | ({"Holdout": holdout} if holdout is not None else {}),
            suite="receipt",
            roles={"original": model},
            golds=golds,
            seed=seed,
            session=without_costs(session),
            out=out / "receipt",
        )
    return Repair(out, audits, compared, proof)


def save(change: Change, parent: Target, out: Path, said: Mapping[str, Any]) -> None:
    """Write the derived model as a directory of its own, with ``protection.json``. Its parent is left as it is."""
    from safetensors.numpy import save_file

    if not moved(change, parent):
        raise ProbatumError(
            f"{said.get('protection', 'the method')} changed no weight at all, so there is no new model: are its "
            "steps, its learning rate and the weights that it may train what you meant?"
        )
    own = parent.files()
    # An adapter's model has its configuration from its base, and may have brought a tokenizer.
    sources = dict.fromkeys((getattr(parent, "path", own), getattr(parent, "tokenizer_path", own)))
    staging = out.with_name(out.name + ".part")
    try:
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        for file in (f for source in sources for f in sorted(source.iterdir())):
            weights = file.suffix in (".safetensors", ".bin", ".pt")
            if file.is_file() and not weights and not file.name.endswith(("index.json", "adapter_config.json")):
                shutil.copyfile(file, staging / file.name)
        tensors = {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in change.tensors.items()}
        save_file(tensors, staging / "model.safetensors", metadata={"format": "pt"})
        config = json.loads((staging / "config.json").read_text(encoding="utf-8"))
        config["dtype"] = "float32"
        config.pop("torch_dtype", None)
        (staging / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        digest = digest_of(parent.digest, *(p for n in sorted(tensors) for p in (n, tensors[n].tobytes())))
        made = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        record = {**said, "digest": digest, "version": __version__, "created": made, "trace": dict(change.trace)}
        (staging / "protection.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        if out.exists():
            out.rmdir()
        staging.rename(out)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise ProbatumError(f"{out} could not be written: {error.strerror}") from error


def moved(change: Change, parent: Target) -> bool:
    """Whether any weight is another one. Adapters that never move have been sold with an epsilon (opacus 820)."""
    before = parent.weights()
    return any(not np.array_equal(np.asarray(before[name], np.float32), new) for name, new in change.tensors.items())


def _from_here(path: str | Path) -> str:
    """As the user gave it; never absolute, since a model may be published with the file that says this."""
    return os.path.relpath(path) if Path(path).is_absolute() else str(path)


def facts_of(kind: type[F], path: str | Path, field: str | None) -> F:
    """A file of facts or of texts as data. Raises `BadInput` where it has the columns of neither."""
    rows = read_rows(path, field=field)
    for row in rows:
        if row.get("text") is None and (row.get("prefix") is None or row.get("secret") is None):
            raise BadInput(
                f"{path}: expected the columns 'prefix' and 'secret', or 'text' (present: {present(row, path)})"
            )
    return kind.from_rows(rows, str(path), name=Path(path).stem)


def _check_overlap(gone: Facts, kept: Facts, forget: str | Path, retain: str | Path) -> None:
    """What is to be kept cannot be forgotten: names how many texts are in both sets, and the first of them by id."""
    shared = set(gone.texts) & set(kept.texts)
    if shared:
        which = [i for i, text in zip(gone.ids, gone.texts, strict=True) if text in shared]
        raise BadInput(
            f"{len(shared)} texts stand both in {forget} and in {retain} (such as the records {', '.join(which[:3])}); "
            "what is to be kept cannot be forgotten"
        )


def _asked(facts: Facts) -> Records:
    """As records to be asked; of a plain text the second half is the secret that the first half must not call up."""
    rows = []
    for i, name in enumerate(facts.ids):
        prefix, secret = facts.prefix[i], facts.secret[i]
        if not prefix:
            words = secret.split(" ")
            half = max(len(words) // 2, 1)
            prefix, secret = " ".join(words[:half]), " " + " ".join(words[half:])
        suffix = facts.suffix[i] if facts.suffix else None
        rows.append({"id": name, "prefix": prefix, "secret": secret, "suffix": suffix, "format": facts.forms[i]})
    return Records.from_rows(rows, facts.name, name=facts.name)


def without_costs(session: Session) -> Session:
    """The same store and settings with counters of its own, so that every report counts what it cost."""
    from probatum.core.cost import Cost

    return dataclasses.replace(session, cost=Cost())
