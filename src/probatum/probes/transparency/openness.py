"""Openness: what of this model is open, and where is the evidence?

"Open" says little by itself: weights may be there while data, code and license are not. Manchanda et al. (P208, arXiv
2412.12004) compare models by weights, code, data, documentation and license; the parts are those of the Model Openness
Framework (arXiv 2403.13784). A part counts only with the file or the line that shows or names it.
"""

from probatum import Access, Scores, Target, probe
from probatum.files.documents import Documents, read_documents
from probatum.files.evidence import (
    CODE_HOSTS,
    DATA_HOSTS,
    PAPERS,
    DoesNotApply,
    Evidence,
    file,
    first,
    front,
    key_in_file,
    listed,
    said,
    section,
    snippet,
    weights,
)
from probatum.files.licenses import OPEN, license_files
from probatum.statistics.documented import documented


def _license(d: Documents) -> Evidence | DoesNotApply | None:
    found = license_files(d)
    if found:
        return Evidence(f"{found[0][0]}: {found[0][1] or 'a text of its own'}", True)
    return front("license")(d)


def _open_license(d: Documents) -> Evidence | None:
    """A license under which anyone may use, change and pass on the model: by its text, else by its name."""
    for name, known in license_files(d):
        return Evidence(f"{name}: {known}", True) if known in OPEN else None
    stated = d.front.get("license")
    if isinstance(stated, str) and stated.lower() in OPEN:
        return Evidence(f"{d.card_name}, line {d.line_of('license')}: license")
    return None


def _filled(d: Documents) -> Evidence | None:
    names = {name for s in d.sections for name in s.names if s.lines}
    return Evidence(f"{d.card_name}: {len(names)} of 8 sections hold text", True) if len(names) >= 4 else None


PARTS = {
    "weights": weights,
    "architecture": file(r"(?:^|/)(?:config\.json|modeling_\w+\.py|model_index\.json)$"),
    "tokenizer": file(r"(?:^|/)(?:tokenizer\.(?:json|model)|vocab\.(?:json|txt)|spiece\.model)$"),
    "license": _license,
    "open license": _open_license,
    "inference code": first(snippet, file(r"(?:^|/)(?:inference|generate|predict|demo)\w*\.py$")),
    "training code": first(
        file(r"(?:^|/)(?:train|fine_?tune|pretrain|run_)\w*\.(?:py|ipynb|sh)$"),
        said(rf"(?:train|tun|code|repositor|source).*{CODE_HOSTS}"),
    ),
    "evaluation code": first(
        file(r"(?:^|/)(?:eval|benchmark|test)\w*\.(?:py|ipynb|sh)$"), said(rf"(?:evaluat|benchmark).*{CODE_HOSTS}")
    ),
    "training configuration": first(
        file(r"(?:^|/)(?:trainer_state|training_args|train_config)\w*\.(?:json|ya?ml)$"),
        key_in_file("learning_rate|lr"),
    ),
    "checkpoints": first(
        file(r"(?:^|/)(?:checkpoint|step|global_step)-?\d+/.*\.(?:safetensors|bin|pt|gguf)$"),
        said(r"checkpoints?\b.*https?://"),
    ),
    "training data": first(
        file(r"(?:^|/)(?:data/.+|train\w*)\.(?:jsonl|csv|tsv|parquet|arrow|txt)$"),
        front("datasets"),
        said(DATA_HOSTS, "training"),
    ),
    "data documentation": first(
        file(r"(?:^|/)(?:data_?(?:sheet|card)\w*\.\w+|data/readme\.md)$"), section("training", 20, r"data|corpus")
    ),
    "evaluation results": first(
        file(r"(?:^|/)(?:\w*results\w*|report)\.json$"), front("model-index", lies=True), section("evaluation")
    ),
    "model card": _filled,
    "paper": first(file(r"(?:^|/)[^/]*paper[^/]*\.pdf$"), said(PAPERS)),
}


@probe(
    paper="P208 arXiv:2412.12004 arXiv:2403.13784",
    question="How much of what it takes to use, study and remake the model is open?",
    needs=Access.BYTES,
    metric=documented("parts open", each="evidence", also="in the directory"),
    measure=True,
    better="high",
    control="openness",
)
def openness(target: Target) -> Scores:
    """Score a part 1 if a file or a line shows or names it, else 0; the column beside says whether it lies here.

    Notes
    -----
    What a line only links to was not opened: it counts, and reads "stated". Nothing is fetched.
    """
    return listed(read_documents(target.files()), PARTS, "open")
