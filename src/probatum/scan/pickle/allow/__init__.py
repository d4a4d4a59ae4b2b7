"""The allow-list: what a pickle may name and call and still be proved inert.

One file per library, each with ``ENTRIES``. An entry is found by the exact module and name that the loader resolves,
so nothing is granted to a dotted walk through an allowed module. To allow something new: show that importing its
module is harmless, and that every argument its check lets pass leads to no other code; then add a record and a test.
"""

from __future__ import annotations

from probatum.scan.pickle.allow import joblib_, numpy_, python, torch_, torch_script
from probatum.scan.pickle.allow.entry import Entry, Refused

ALLOWED: dict[tuple[str, str], Entry] = {
    entry.place: entry for family in (python, numpy_, torch_, torch_script, joblib_) for entry in family.ENTRIES
}

__all__ = ["ALLOWED", "Entry", "Refused"]
