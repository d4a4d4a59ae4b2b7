"""The licenses of a model directory: by the text of a file, and by the name that a card gives."""

from __future__ import annotations

import re

from probatum.files.documents import Documents
from probatum.scan.licenses import license_of
from probatum.scan.words import words

#: Names under which anyone may use, change and pass on what is licensed, for any purpose.
OPEN = words(
    """
    apache-2.0 mit bsd bsd-2-clause bsd-3-clause isc mpl-2.0 gpl gpl-2.0 gpl-3.0 lgpl lgpl-3.0 agpl-3.0 unlicense
    cc0-1.0 cc-by-4.0 cc-by-sa-4.0 cc-by-3.0 cc-by-2.0 afl-3.0 artistic-2.0 bsl-1.0 ecl-2.0 epl-2.0 eupl-1.2 zlib
    odc-by odbl pddl cdla-permissive-1.0 cdla-permissive-2.0 openmdw
    """
)


def license_files(d: Documents) -> list[tuple[str, str]]:
    """(file, its license or "") of every license file at the top of the folder."""
    names = [n for n in d.names if re.fullmatch(r"(?:licen[cs]e|copying)(?:[-_.][\w.-]*)?", n, re.IGNORECASE)]
    return [(name, license_of(d.read(name))) for name in names]


def agrees(stated: str, found: str) -> bool:
    """Whether a stated name can mean the license that was found: ``bsd`` is either BSD, ``llama3.1`` is Llama's."""
    one, other = stated.lower().replace("_", "-"), found.lower()
    return one == other or one.startswith(other) or other.startswith(one) or (other == "openrail" and "rail" in one)
