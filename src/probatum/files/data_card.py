"""The card of a data set: its eight sections, what its templates write, and which directories hold a data set.

P062 counted the cards of models and of data sets apart: 28 % of the data sets had one. The sections are those that the
two templates of Hugging Face (the older one of its data sets library and today's) and Gebru et al. 2021 (Datasheets,
arXiv 1803.09010) share. Headings are read in English, by the rules of `card_sections`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from probatum.files.card_sections import Scheme

SECTIONS = (
    "description", "structure", "creation", "personal data", "considerations", "licensing", "citation", "maintenance"
)  # fmt: skip
_USE = r"(?<!how to )(?<!terms of )\buses?\b(?! (?:with|in|it with)\b)"
_WORDS = {
    "structure": re.compile(
        r"structure|\binstances?\b|\bfields?\b|\bsplits?\b|\bschema\b|\bformat\b|\bfeatures\b|\bcolumns?\b|"
        r"\bsubsets?\b|statistics"
    ),
    "creation": re.compile(
        r"creation|curation|(?<!dataset )\bsources?\b|annotat|collect|\blabell?ing\b|processing|\bproducers?\b|"
        r"normali[sz]ation|filtering|construction|provenance|methodology"
    ),
    "personal data": re.compile(r"\bpersonal\b|sensitive|\bpii\b|privacy|anonymi[sz]|de-?identif|\bconsent\b"),
    "considerations": re.compile(
        rf"considerations|\bbias|limitation|\brisks?\b|social impact|\bethic|\bharm|intended|out[- ]of[- ]scope|{_USE}|"
        r"recommendations|caveat|disclaimer"
    ),
    "licensing": re.compile(r"licen[cs]|copyright|terms of use"),
    "citation": re.compile(r"\bcit(?:e|ing|ations?)\b|bibtex"),
    "maintenance": re.compile(
        r"maint[ae]|\bcurators?\b|\bcontacts?\b|contribut|\bauthors?\b|changelog|\bversions?\b|\bupdates?\b|errata"
    ),
}
_WEAK = {
    "description": re.compile(
        r"\bdetails\b|description|summary|overview|introduction|\babout\b|languages|\btasks?\b|leaderboard|sources"
    )
}
_STANDING = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^\s*[-*+]\s*\[[^\]]*\]\(#[^)]*\)\s*$",  # a line of the table of contents
        r"\[?(?:more information needed(?: for further recommendations)?|needs more information)\]?(?:\([^)]*\))?\.?",
        r"users should be made aware of the risks, biases,? and limitations of the data ?set\.?",
        r"this data ?set card (?:aims to be a base template|has been (?:automatically )?generated)[^.]*\.",
        r"thanks to \[@github-username\]\([^)]*\) for adding this data ?set\.?",
        r"this data ?set (?:has been|was) created (?:with|using) \[[^\]]*\]\([^)]*\)\.?",
    )
)
DATA = Scheme(
    SECTIONS, _WORDS, _WEAK, _STANDING, "description",
    ("dataset card", "data set card", "data card", "datasheet"),
)  # fmt: skip

#: Keys of the front matter that only cards of data sets have.
_KEYS = frozenset(
    ("dataset_info", "task_categories", "task_ids", "size_categories", "annotations_creators", "language_creators",
     "source_datasets", "multilinguality", "pretty_name", "paperswithcode_id", "configs")
)  # fmt: skip
_OTHER_KEYS = frozenset(("base_model", "pipeline_tag", "library_name", "model-index", "base_model_relation"))
_TITLE = re.compile(r"^#\s+(?:data ?set card|data card|datasheet)\b", re.IGNORECASE | re.MULTILINE)
_TABLES = re.compile(r"\.(?:parquet|arrow|jsonl|csv|tsv)(?:\.(?:gz|zst|bz2|xz))?$", re.IGNORECASE)
#: What makes a directory one of a model, whatever else lies there.
_MODEL = re.compile(
    r"^(?:config|adapter_config|model_index|params|modules)\.json$|"
    r"\.(?:safetensors|bin|pt|pth|ckpt|gguf|onnx|h5|keras|msgpack)$",
    re.IGNORECASE,
)
_LICENSE = re.compile(
    r"^\s*(?:[-*+]\s+)?(?:\*\*|__)licen[cs]e[^*_]{0,20}(?:\*\*|__)\s*:?\s*(.*)$", re.IGNORECASE | re.M
)
_NOTHING = re.compile(r"\W*(?:\[?more information needed\]?|unknown|n/?a|none|tbd|\{\{.*\}\})?\W*", re.IGNORECASE)


def is_data_set(names: Sequence[str], text: str, front: Mapping[str, Any]) -> bool:
    """Whether a directory holds a data set: no model lies in it, and its card or its files say so."""
    if any(_MODEL.search(name) for name in names if "/" not in name) or _OTHER_KEYS & front.keys():
        return False
    card = bool(_KEYS & front.keys()) or bool(_TITLE.search(text))
    return card or any(_TABLES.search(name) for name in names)


def names_a_license(text: str, front: Mapping[str, Any]) -> bool:
    """Whether the front matter or a labeled line of the card names a license. A name is short: one word is enough."""
    raw = front.get("license", front.get("licenses"))
    said = [raw] if isinstance(raw, str) else raw if isinstance(raw, list) else []
    said = [str(s) for s in said] + [hit[1] for hit in _LICENSE.finditer(text)]
    return any(not _NOTHING.fullmatch(s) for s in said)
