"""Licenses by their text and by their name."""

from __future__ import annotations

import re

from probatum.files.documents import Documents
from probatum.scan.words import words

#: Words by which a license is known, the more special ones first.
_MARKS = (
    ("agpl-3.0", r"gnu affero general public license"),
    ("lgpl-3.0", r"gnu lesser general public license\s+version 3"),
    ("gpl-3.0", r"gnu general public license\s+version 3"),
    ("gpl-2.0", r"gnu general public license\s+version 2"),
    ("mpl-2.0", r"mozilla public license,? version 2\.0"),
    ("apache-2.0", r"apache license,?\s+version 2\.0"),
    ("cc-by-nc-sa-4.0", r"attribution-noncommercial-sharealike 4\.0"),
    ("cc-by-nc-nd-4.0", r"attribution-noncommercial-noderivatives 4\.0"),
    ("cc-by-nc-4.0", r"attribution-noncommercial 4\.0"),
    ("cc-by-sa-4.0", r"attribution-sharealike 4\.0"),
    ("cc-by-4.0", r"(?:creative commons )?attribution 4\.0 international"),
    ("cc0-1.0", r"cc0 1\.0 universal"),
    ("openrail", r"\bopen ?rail"),
    ("llama", r"llama [\d.]+ community license"),
    ("gemma", r"gemma terms of use"),
    ("unlicense", r"this is free and unencumbered software"),
    ("bsd-3-clause", r"redistribution and use in source and binary forms(?s:.)*neither the name"),
    ("bsd-2-clause", r"redistribution and use in source and binary forms"),
    ("isc", r"permission to use, copy, modify, and/or distribute this software"),
    ("mit", r"permission is hereby granted, free of charge"),
)
#: Names under which anyone may use, change and pass on what is licensed, for any purpose.
OPEN = words(
    """
    apache-2.0 mit bsd bsd-2-clause bsd-3-clause isc mpl-2.0 gpl gpl-2.0 gpl-3.0 lgpl lgpl-3.0 agpl-3.0 unlicense
    cc0-1.0 cc-by-4.0 cc-by-sa-4.0 cc-by-3.0 cc-by-2.0 afl-3.0 artistic-2.0 bsl-1.0 ecl-2.0 epl-2.0 eupl-1.2 zlib
    odc-by odbl pddl cdla-permissive-1.0 cdla-permissive-2.0 openmdw
    """
)


def license_of(text: str) -> str:
    """The name of the license whose text this is, in the hub's spelling; "" where it is not known."""
    said = re.sub(r"\s+", " ", text[:20_000].lower())
    return next((name for name, mark in _MARKS if re.search(mark.replace(r"\s+", " "), said)), "")


def license_files(d: Documents) -> list[tuple[str, str]]:
    """(file, its license or "") of every license file at the top of the folder."""
    names = [n for n in d.names if re.fullmatch(r"(?:licen[cs]e|copying)(?:[-_.][\w.-]*)?", n, re.IGNORECASE)]
    return [(name, license_of(d.read(name))) for name in names]


def agrees(stated: str, found: str) -> bool:
    """Whether a stated name can mean the license that was found: ``bsd`` is either BSD, ``llama3.1`` is Llama's."""
    one, other = stated.lower().replace("_", "-"), found.lower()
    return one == other or one.startswith(other) or other.startswith(one) or (other == "openrail" and "rail" in one)
