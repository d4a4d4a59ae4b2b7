"""Licenses as model cards write them, as SPDX calls them, and as their texts begin."""

from __future__ import annotations

import re

from probatum.scan.words import words

#: SPDX identifiers that cards of models and data sets use; cards write them in lower case.
SPDX = words(
    """
    Apache-2.0 MIT BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear ISC Unlicense WTFPL Zlib BSL-1.0 PostgreSQL NCSA
    AFL-3.0 Artistic-2.0 ECL-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 MPL-2.0 MS-PL OSL-3.0 LPPL-1.3c OFL-1.1
    GPL-2.0 GPL-2.0-only GPL-2.0-or-later GPL-3.0 GPL-3.0-only GPL-3.0-or-later LGPL-2.1 LGPL-2.1-only
    LGPL-2.1-or-later LGPL-3.0 LGPL-3.0-only LGPL-3.0-or-later AGPL-3.0 AGPL-3.0-only AGPL-3.0-or-later
    CC0-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC-BY-NC-2.0 CC-BY-NC-3.0 CC-BY-NC-4.0
    CC-BY-ND-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0 CC-BY-NC-SA-4.0
    PDDL-1.0 ODbL-1.0 ODC-By-1.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0 CDLA-Sharing-1.0 C-UDA-1.0 GFDL-1.3-only
    """
)
_BY_LOWER = {id.lower(): id for id in SPDX}
#: Words by which the text of a license is known, the more special ones first.
_MARKS = (
    ("agpl-3.0", r"gnu affero general public license"),
    ("lgpl-3.0", r"gnu lesser general public license version 3"),
    ("gpl-3.0", r"gnu general public license version 3"),
    ("gpl-2.0", r"gnu general public license version 2"),
    ("mpl-2.0", r"mozilla public license,? version 2\.0"),
    ("apache-2.0", r"apache license,? version 2\.0"),
    ("cc-by-nc-sa-4.0", r"attribution-noncommercial-sharealike 4\.0"),
    ("cc-by-nc-nd-4.0", r"attribution-noncommercial-noderivatives 4\.0"),
    ("cc-by-nc-4.0", r"attribution-noncommercial 4\.0"),
    ("cc-by-sa-4.0", r"attribution-sharealike 4\.0"),
    ("cc-by-4.0", r"(?:creative commons )?attribution 4\.0 international"),
    ("cc0-1.0", r"cc0 1\.0 universal"),
    ("openrail", r"\bopen ?rail"),
    ("llama", r"llama [\d.]* ?(?:version [\d.]+ )?community license|meta llama \d"),
    ("gemma", r"gemma terms of use"),
    ("unlicense", r"this is free and unencumbered software"),
    ("bsd-3-clause", r"redistribution and use in source and binary forms(?s:.)*neither the name"),
    ("bsd-2-clause", r"redistribution and use in source and binary forms"),
    ("isc", r"permission to use, copy, modify, and/or distribute this software"),
    ("mit", r"permission is hereby granted, free of charge"),
)


def spdx(name: str) -> str:
    """The SPDX identifier; "" if the name is none that is known here (such as "llama3" or "other")."""
    return _BY_LOWER.get(name.strip().lower(), "")


def license_of(text: str) -> str:
    """The name of the license whose text this is, in the hub's spelling; "" where it is not known."""
    said = re.sub(r"\s+", " ", text[:20_000].lower())
    return next((name for name, mark in _MARKS if re.search(mark, said)), "")
