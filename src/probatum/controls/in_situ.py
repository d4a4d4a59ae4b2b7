"""Controls planted in a copy of the very model under audit, so that detection limits are of this model.

The copy is tuned, within a stated time, on some of the user's nonmembers and on fresh secrets, each as often as its
dose says, amid texts of the kind that the model was tuned on. Positive control: the copy. Negative control: the model
itself, asked about the same records, none of which it saw. A limit found so is one of the recipe (`Planted.notes`).
"""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from probatum.controls.doses import LEAST, PLANS, Plan, planted
from probatum.controls.planting import How, Tuning, background
from probatum.core.access import Access
from probatum.core.binding import KNOWN
from probatum.core.catalogue import Method
from probatum.core.control import Control, InSitu
from probatum.core.cost import Budget
from probatum.core.data import Data, Members, digest_of
from probatum.core.errors import BadInput, NotOffered, ProbatumError
from probatum.core.target import Target
from probatum.engine.session import Progress, Session
from probatum.targets import open_target
from probatum.targets import weights as disk

#: Sources that decide what a copy learns; a copy that another recipe made is not found again.
RECIPE = ("controls/doses.py", "controls/planting.py", "engine/tuning.py", "engine/lora.py")
SAID = "planted.json"
_ABANDONED = 24 * 3600.0  # seconds after which a half-written copy is a dead one's

#: What a directory holds beside its weights and its card: configuration, tokenizer, template, code.
_COPIED = (".json", ".txt", ".model", ".jinja", ".py")
_NOT_COPIED = ("index.json", "adapter_config.json")


@dataclass(frozen=True)
class Planted:
    """A tuned copy and what was planted in it."""

    subject: Target
    copy: Target
    data: Mapping[str, Data]  #: what was planted, with blanks, by kind; doses are exposures in all
    records: Mapping[str, Data]  #: the audit's own, for what else a probe asks for
    roles: Mapping[str, Target]
    where: str  #: "a copy of this model (0.25 M parameters), tuned …"
    notes: tuple[str, ...]  #: what the limits stand for, and what they do not
    trained: bool  #: False: the copy was found in the cache
    _folder: Any = field(default=None, repr=False)  #: keeps a temporary directory for as long as this object lives

    def controls_for(self, method: Method) -> InSitu | None:
        """The two controls of a method; None where what was planted does not serve it, and the built-in ones do.

        A role is played by the model that plays it in the audit. Without one, the reference is the model itself, as it
        was before the tuning.
        """
        signature = method.signature
        kinds = list(signature.data.values())
        first = kinds[0] if kinds else ""
        if method.control is not None or method.measure or first not in self.data:
            return None
        roles = {"reference": self.subject, **self.roles}
        if any(role not in roles and role not in signature.optional for role in signature.roles):
            return None
        own = self.data[first]
        dose = np.array(own.dose)
        if signature.data.get(KNOWN) == first and isinstance(own, Members) and (dose == dose.max()).sum() < LEAST:
            return None  # half of them would be learned from, and the rest are too few to prove anything
        data = {kind: self.records[kind] for kind in kinds if kind in self.records} | {first: own}
        played = {role: roles[role] for role in signature.roles if role in roles}
        return InSitu(
            (
                Control("planted", "positive", self.copy, data, played),
                Control("never planted", "negative", self.subject, data, played),
            ),
            self.where,
        )


def plant(
    subject: Target,
    records: Mapping[str, Data],
    *,
    seconds: float,
    seed: int = 0,
    session: Session | None = None,
    progress: Progress | None = None,
    roles: Mapping[str, Target] | None = None,
    how: How | None = None,
) -> Planted:
    """Tune a copy of ``subject`` on a planted part of ``records``, or find the one that was tuned before.

    Parameters
    ----------
    seconds
        Time for the tuning; the audit of the copy comes on top.
    roles
        The further models of the audit by role.
    how
        None: all weights where that fits into memory and time, else LoRA.

    Raises
    ------
    NotOffered
        The model cannot be trained here: an endpoint, another kind of model, not enough memory.
    BadInput
        Nothing to plant, no time, or LoRA without peft.
    """
    session = session or getattr(subject, "session", None) or Session()
    _refuse(subject, records)
    began = time.monotonic()
    key = digest_of(
        "in situ", _recipe(), subject.digest, subject.tokenizer_digest, str(subject.dtype), str(seed), str(how),
        *(part for kind in _PLANTABLE for part in (kind, records[kind].digest if kind in records else "")),
        *background(records),
    )  # fmt: skip
    shelf, holder = _shelf(session)
    folder = shelf / key[:32]
    said = _found(folder, seconds)
    trained = said is None
    if said is None:
        tuning = Tuning(subject, records, seed, began + seconds, seconds, progress or (lambda *_: None))
        said = tuning.run(how, lambda model, told: _keep(model, told, subject, folder))
    data = _dosed(planted(records, Plan(**said["plan"]), seed), said["rounds"])
    unbudgeted = dataclasses.replace(session, budget=Budget(), dtype=subject.dtype or session.dtype)
    copy = open_target(folder, session=unbudgeted)
    copy.name = f"a copy of {subject.name}"
    where, notes = _words(subject, data, said)
    return Planted(subject, copy, data, records, roles or {}, where, notes, trained, holder)


_PLANTABLE = ("Members", "Canaries", "Records")


def _refuse(subject: Target, records: Mapping[str, Data]) -> None:
    if Access.TRAIN not in subject.access or subject.kind != "language model":
        raise NotOffered(
            f"needs a language model that can be trained here, and {subject.name} is no such ({subject.kind})"
        )
    if not planted(records, PLANS[-1], 0):
        n = sum(not inside for inside in getattr(records.get("Members"), "label", None) or ())
        had = f"there are {n} nonmembers" if n else "there are neither"
        raise BadInput(
            f"--in-situ needs {2 * LEAST} or more texts in --nonmembers, of which it plants half, or --records, in "
            f"whose style it invents secrets, and {had}"
        )


def _dosed(data: Mapping[str, Data], rounds: Mapping[str, int]) -> dict[str, Data]:
    """The same records, with the number of exposures in all as their dose."""
    return {
        kind: dataclasses.replace(d, dose=tuple(x * rounds[kind] for x in d.dose or ())) for kind, d in data.items()
    }


@functools.cache
def _recipe() -> str:
    root = Path(__file__).parents[1]
    return digest_of(*((root / name).read_bytes() for name in RECIPE))


def _shelf(session: Session) -> tuple[Path, Any]:
    """Where copies are kept: beside the evidence, or for as long as the second value lives."""
    store = getattr(session.store, "directory", None)
    try:
        if store is None:
            holder = tempfile.TemporaryDirectory(prefix="probatum-in-situ-")
            return Path(holder.name), holder
        shelf = Path(store) / "in-situ"
        shelf.mkdir(mode=0o700, exist_ok=True)
        return shelf, None
    except OSError as error:
        raise ProbatumError(f"no copy can be kept for --in-situ ({error.strerror}); make room") from error


def _found(folder: Path, seconds: float) -> dict[str, Any] | None:
    """What a kept copy says of itself, unless it is damaged, or more time than it had may make a better one."""
    try:
        said: dict[str, Any] = json.loads((folder / SAID).read_text(encoding="utf-8"))
        Plan(**said["plan"])
        disk.Weights(disk.weight_files(folder))
        return said if said["complete"] or seconds <= 1.5 * said["budget"] else None
    except (OSError, ValueError, KeyError, TypeError, BadInput):
        return None


def _keep(model: Any, said: Mapping[str, Any], subject: Target, folder: Path) -> None:
    """Write the copy as a model directory, whole or not at all, readable by the owner only."""
    from safetensors import SafetensorError

    from probatum.engine.tuning import write

    for old in folder.parent.glob(".part-*"):
        if time.time() - old.stat().st_mtime > _ABANDONED:
            shutil.rmtree(old, ignore_errors=True)
    try:
        staging = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
        try:
            own = subject.files()
            for source in (getattr(subject, "path", own), getattr(subject, "tokenizer_path", own)):
                for file in sorted(Path(source).iterdir()):
                    if file.is_file() and file.suffix in _COPIED and not file.name.endswith(_NOT_COPIED):
                        shutil.copyfile(file, staging / file.name)
            write(model, staging, str(subject.dtype))
            (staging / SAID).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            staging.rename(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        why = getattr(error, "strerror", None) or error
        raise ProbatumError(f"{folder.parent}: the planted copy could not be written ({why}); make room") from error


def _words(subject: Target, data: Mapping[str, Data], said: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Where the limits were measured, and what they stand for."""
    count = {
        what: max((sum(x > 0 for x in data[k].dose or ()) for k in kinds if k in data), default=0)
        for what, kinds in (("texts", ("Members", "Canaries")), ("secrets", ("Records",)))
    }
    what = " and ".join(f"{n} {name}" for name, n in count.items() if n)
    lora = said["how"] == "LoRA"
    how = "with LoRA of rank 16" if lora else "with all weights"
    size = f"{(subject.parameter_count or 0) / 1e6:.3g} M parameters"
    where = f"a copy of this model ({size}), tuned {how} on {what} for {said['seconds']:.0f} s"
    notes = [
        f"detection limits that name a copy of this model are of one recipe: planted texts came last, {how}, AdamW at "
        f"{said['learning_rate']:.1e}; a text seen as often but early in a long training may leave less behind"
    ]
    if lora:
        notes.append("LoRA leaks less than a tuning of all weights, so these limits are conservative (too high)")
    if said["unlearned"]:
        kinds = " and ".join(kind.lower() for kind in said["unlearned"])
        notes.append(f"the planted {kinds} of the highest dose were not all learned when the tuning ended")
    return where, tuple(notes)
