"""Reuse attributes: can somebody else know where the model comes from, remake it, move it and use it?

Jiang et al. 2023 (P183, arXiv 2303.02552) asked those who reuse models: provenance, reproducibility and portability
decide, and are missing or claimed falsely. Taraghi et al. 2024 (P063, arXiv 2401.13177) add what beginners lack: what
goes in, what comes out, and an example that works.
"""

from probatum import Access, Scores, Target, probe
from probatum.files.documents import read_documents
from probatum.files.evidence import listed
from probatum.files.reuse import ATTRIBUTES
from probatum.statistics.documented import documented


@probe(
    paper="P183 P063 arXiv:2303.02552 arXiv:2401.13177",
    question="How much of what reuse needs is shown by evidence?",
    needs=Access.BYTES,
    metric=documented("attributes shown", each="shown", also="shown or stated"),
    measure=True,
    better="high",
    control="reuse_attributes",
)
def reuse_attributes(target: Target) -> Scores:
    """Score an attribute 1 if the files show it, else 0; the column beside says whether it is at least stated.

    Notes
    -----
    A sentence states; a file that agrees with it shows. Examples are parsed, never run; a signature's digests are
    compared with the files, the signature itself needs a key. More evidence never lowers a score.
    """
    return listed(read_documents(target.files()), ATTRIBUTES, "shown", shown_only=True)
