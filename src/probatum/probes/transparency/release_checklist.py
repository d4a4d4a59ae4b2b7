"""Release checklist: was done what should be done before a model goes out?

Longpre et al. 2024 (P222, arXiv 2406.16746) review what responsible development needs, from the choice of data to the
license. Each item is done (with the place that shows it), absent, or does not apply.
"""

from probatum import Access, Scores, Target, probe
from probatum.files.documents import Documents, read_documents
from probatum.files.evidence import (
    DoesNotApply,
    Evidence,
    file,
    first,
    front,
    inert_format,
    key_in_file,
    listed,
    said,
    section,
    signature,
    snippet,
    written,
)
from probatum.files.licenses import license_files
from probatum.statistics.documented import documented


def _base(d: Documents) -> Evidence | DoesNotApply | None:
    found = first(front("base_model"), written(r"fine-?tuned (?:version of|from)"))(d)
    if found is None and said(r"from scratch")(d) is not None:
        return DoesNotApply("the card says that it was trained from scratch")
    return found


def _labels(d: Documents) -> Evidence | DoesNotApply | None:
    kinds = d.config.get("architectures") or []
    if not any("Classification" in str(kind) for kind in kinds):
        return DoesNotApply("the model has no classes")
    names = d.config.get("id2label")
    named = isinstance(names, dict) and any(not str(v).startswith("LABEL_") for v in names.values())
    return Evidence("config.json: id2label", True) if named else None


def _license_text(d: Documents) -> Evidence | None:
    return next((Evidence(name, True) for name, _ in license_files(d)), None)


ITEMS = {
    "data selection: sources named": first(front("datasets"), section("training", 10, r"data|corpus")),
    "data selection: languages named": first(front("language"), said(r"\blanguages?\b.*\b(?:[A-Z][a-z]+ish|en)\b")),
    "data selection: documentation of the data": first(
        file(r"(?:^|/)(?:data_?(?:sheet|card)\w*\.\w+|data/readme\.md)$"), section("training", 20, r"data|corpus")
    ),
    "data cleaning: steps described": said(r"dedup|filter|clean(?:ed|ing)|pre-?process|normali[sz]|curat", "training"),
    "data cleaning: personal data considered": said(r"personal (?:data|information)|\bPII\b|anonymi[sz]|\bprivacy\b"),
    "data cleaning: overlap with tests considered": said(r"contaminat|overlap|held[- ]?out|kept back"),
    "documentation: intended use": section("intended use"),
    "documentation: limitations": section("limitations"),
    "documentation: an example that parses": snippet,
    "documentation: names of the classes": _labels,
    "training: procedure described": section("training", 10),
    "training: base model named": _base,
    "training: settings": first(key_in_file("learning_rate|lr"), written(r"learning[_ ]rate|batch[_ ]size")),
    "environmental impact: hardware": said(r"\b(?:[AHV]100|GPUs?|TPUs?|CPUs?|processors?|RTX|MI\d{3})\b"),
    "environmental impact: time": said(r"\d[\d,.]*\s*(?:gpu[- ]|tpu[- ])?(?:hours?|days?|minutes?|h)\b|\bone hour\b"),
    "environmental impact: energy or emissions": said(
        r"\d.*(?:kwh|mwh|co2|kg|emission)|watt hours", "environmental impact"
    ),
    "evaluation: results": first(
        file(r"(?:^|/)\w*results\w*\.json$"), front("model-index", lies=True), section("evaluation")
    ),
    "evaluation: uncertainty": said(r"±|\+/-|confidence interval|standard (?:deviation|error)|\b95 ?%"),
    "evaluation: harms": said(r"toxic|\bbias|safety|red[- ]team|fairness|stereotyp|harm", "evaluation", "limitations"),
    "release and license: license named": front("license"),
    "release and license: text of the license": _license_text,
    "release and license: what it must not be used for": said(
        r"must not|not (?:be )?(?:used|intended|suitable)|out[- ]of[- ]scope|prohibit|nothing else", "intended use"
    ),
    "release and license: citation": section("citation"),
    "release and license: contact": said(r"contact|@[\w-]+\.\w|issues?\b.*https?://|e-?mail"),
    "release and license: a format that runs nothing": inert_format,
    "release and license: digests or signature": first(
        signature, file(r"(?:^|/)(?:sha256sums?|checksums?|manifest)[\w.]*$"), said(r"\b[0-9a-f]{64}\b")
    ),
}  # fmt: skip


@probe(
    paper="P222 arXiv:2406.16746",
    question="How much of a responsible release is done?",
    needs=Access.BYTES,
    metric=documented("items done", each="done", also="shown in the directory"),
    measure=True,
    better="high",
    control="release_checklist",
)
def release_checklist(target: Target) -> Scores:
    """Score an item 1 if a file or a line shows that it was done, else 0; what does not apply is unscored.

    Notes
    -----
    A line that says so is taken at its word: whether it holds is asked by other probes. Lines are read in English.
    """
    return listed(read_documents(target.files()), ITEMS, "done")
