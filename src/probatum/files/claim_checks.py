"""Claims of a card that files decide: whether they hold, and by which file."""

from __future__ import annotations

import re

from probatum.core.cards import DTYPES
from probatum.core.errors import BadInput
from probatum.files.documents import Documents
from probatum.files.facts import context_length, is_path, named_in_files, same_name, stored_dtype
from probatum.files.licenses import agrees, license_files
from probatum.files.reuse import DATA_KEYS

UNITS = {"trillion": 1e12, "billion": 1e9, "million": 1e6, "thousand": 1e3, "t": 1e12, "b": 1e9, "m": 1e6, "k": 1e3}


def parameters_hold(count: int | None, value: object) -> tuple[bool, str]:
    """The files hold as many numbers as claimed, to the digits that the card gives."""
    if count is None:
        raise BadInput("the number of parameters is not known")
    form = rf"(\d[\d,_ ]*(?:\.(\d+))?)\s*({'|'.join(UNITS)})?(\s*param\w*)?\.?"
    found = re.fullmatch(form, str(value).strip().lower())
    if found is None:
        raise BadInput(f"the card's number of parameters is not a number: '{value}'")
    unit = UNITS[found[3]] if found[3] else 1
    stated = float(re.sub(r"[,_ ]", "", found[1])) * unit
    half_digit = 0.5 * unit * 10 ** -len(found[2] or "") if found[3] or found[2] else 0.5
    return abs(stated - count) <= half_digit, f"the files hold {count:,}"


def license_holds(d: Documents | None, value: object) -> tuple[bool, str]:
    """A license is stated, and no license file that is known by its text is another one."""
    if value in (None, "", "unknown"):
        return False, "no license is stated"
    stated = [str(v) for v in value] if isinstance(value, (list, tuple)) else [str(value)]
    for name, known in license_files(d) if d is not None else ():
        if known and not any(agrees(one, known) for one in stated) and "other" not in stated:
            return False, f"{name[:80]} is the text of {known}"
    return True, "a license is stated, and no file contradicts it"


def dtype_holds(d: Documents, value: object) -> tuple[bool, str]:
    """Most of the numbers are stored in the type that the card says."""
    said = str(value).strip().lower()
    claimed = next((name for name, known in DTYPES.items() if said in known), None)
    if claimed is None:
        raise BadInput(f"the card's type of numbers is not known: '{said[:40]}'")
    stored = stored_dtype(d)
    if stored is None:
        raise BadInput("there are no safetensors files from which the type of the numbers could be read")
    return stored == claimed, f"the weights are stored as {stored}"


def context_holds(d: Documents, value: object) -> tuple[bool, str]:
    """The configuration allows at least as many tokens as claimed; ``8k`` may mean 8,000 or 8,192."""
    found = re.fullmatch(r"(\d[\d,]*(?:\.\d+)?)\s*([km]?)", str(value).strip().lower())
    if found is None:
        raise BadInput(f"the card's context length is not a number: '{str(value)[:40]}'")
    allowed = context_length(d)
    if allowed is None:
        raise BadInput("config.json names no context length")
    claimed = float(found[1].replace(",", "")) * {"": 1, "k": 1000, "m": 1_000_000}[found[2]]
    return claimed <= allowed, f"config.json allows {allowed:,} tokens"


def dataset_holds(d: Documents, value: object) -> tuple[bool, str]:
    """The files of the training name the data set too; where they name only others, the claim does not hold."""
    named = [(file, line, name) for file, line, name in named_in_files(d, *DATA_KEYS) if not is_path(name)]
    if not named:
        raise BadInput("no file of the training names its data")
    for file, line, name in named:
        if same_name(str(value), name):
            return True, f"{file[:80]}, line {line} names it too"
    file, line, name = named[0]
    return False, f"{file[:80]}, line {line} names {name[:60]}, and no file names this one"


CHECKS = {"dtype": dtype_holds, "context length": context_holds, "dataset": dataset_holds}
