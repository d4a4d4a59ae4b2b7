"""Code on load: does opening the files of this model run code?

What MalHug found on model hubs (Zhao et al. 2024, P180, arXiv 2409.09368), asked of the directory that is audited: the
scanner (`probatum scan`) follows every path that a loader could take. That our own loading is safe says nothing of the
next reader's.
"""

from probatum import Access, Scores, Target, probe
from probatum.scan import Budget, scan
from probatum.scan.finding import DANGEROUS, INERT, NOT_COVERED, UNKNOWN_CODE, VERDICTS, FileResult, printable
from probatum.statistics import running_files


@probe(
    paper="P180 P085 P127 arXiv:2409.09368",
    question="Does opening the files of this model run code?",
    needs=Access.BYTES,
    metric=running_files,
    control="planted_files",
)
def code_on_load(target: Target) -> Scores:
    """Score a file 1 if it runs code when it is opened, 0 if it is proved inert; what was not covered has no score.

    Notes
    -----
    The same files, rules and verdicts as of ``probatum scan``, which shows every finding with its place and trace. What
    nobody analyzed is not clean: where nothing worse was found, the outcome is inconclusive then.
    """
    root = target.files()
    files = [f for f in scan([root], Budget()).files if f.format != "directory" or f.findings]
    names = [printable(f.path.removeprefix(str(root)).lstrip("/\\")) or "." for f in files]
    worst = {v: float(sum(f.verdict == v for f in files)) for v in VERDICTS}
    values = [{DANGEROUS: 1.0, UNKNOWN_CODE: 1.0, INERT: 0.0}.get(f.verdict, float("nan")) for f in files]
    unread = {n: "not covered by the scanner" for n, f in zip(names, files, strict=True) if f.verdict == NOT_COVERED}
    return Scores(
        names,
        values,
        towards="code that runs",
        unscored=unread,
        said=[_said(f) for f in files],
        parameters={"dangerous": worst[DANGEROUS]},
        note=f"{len(files)} files: " + ", ".join(f"{int(n)} {v}" for v, n in worst.items() if n),
    )


def _said(file: FileResult) -> str:
    """The verdict, and the finding that decides it first."""
    first = sorted(file.findings, key=lambda f: -VERDICTS.index(f.verdict))
    return "; ".join([file.verdict, *(f"{f.rule} {f.message}" for f in first)])
