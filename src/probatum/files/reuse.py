"""The attributes that make a model reusable, each with what states it and what shows it."""

from __future__ import annotations

import ast
import re

from probatum.files.documents import Documents
from probatum.files.evidence import (
    CODE_HOSTS,
    DATA_HOSTS,
    DoesNotApply,
    Evidence,
    Finder,
    any_code,
    file,
    first,
    front,
    headed,
    inert_format,
    key_in_file,
    said,
    signature,
    snippet,
    snippets,
    written,
)
from probatum.files.facts import TASKS, claimed_results, filed_results, named_in_files, same_name, stored_dtype

_PINNED = rf"{CODE_HOSTS}/(?:tree|blob|commit)/[0-9a-f]{{7,40}}\b"
#: Three words after a word.
_TOLD = r"\W+\w+(?:\W+\w+){2}"
BASE_KEYS = ("model_name_or_path", "base_model", "base_model_name_or_path", "_name_or_path")
DATA_KEYS = ("dataset_name", "dataset", "datasets", "dataset_id", "train_dataset")


def base_in_file(d: Documents) -> Evidence | None:
    """A file of a training that names the same base model as the card."""
    stated = d.front.get("base_model")
    named = [stated] if isinstance(stated, str) else stated if isinstance(stated, list) else []
    for name, line, value in named_in_files(d, *BASE_KEYS):
        if any(isinstance(one, str) and same_name(one, value) for one in named):
            return Evidence(f"{name[:120]}, line {line}: the same base model", True)
    return None


def data_in_file(d: Documents) -> Evidence | None:
    """A file of a training that names a data set of the card."""
    stated = d.front.get("datasets")
    named = [stated] if isinstance(stated, str) else stated if isinstance(stated, list) else []
    for name, line, value in named_in_files(d, *DATA_KEYS):
        if any(isinstance(one, str) and same_name(one, value) for one in named):
            return Evidence(f"{name[:120]}, line {line}: the same data set", True)
    return None


def commit_in_config(d: Documents) -> Evidence | None:
    """The commit that a library wrote into the configuration."""
    known = str(d.config.get("_commit_hash", ""))
    return Evidence("config.json: _commit_hash", True) if re.fullmatch(r"[0-9a-f]{40}", known) else None


def results_in_file(d: Documents) -> Evidence | None:
    """A file of results; where the card claims numbers of the same metric, one of them must stand in it."""
    filed, contradicted = list(filed_results(d)), False
    claimed = claimed_results(d)
    for name, key, value in filed:
        alike = [c for metric, c in claimed if metric and metric in key]
        if any(abs(c - v) <= 0.005 * max(1.0, abs(v)) for c in alike for v in (value, 100 * value, value / 100)):
            return Evidence(f"{name[:120]}: {key[:40]} agrees with the card", True)
        contradicted = contradicted or bool(alike)
    return Evidence(filed[0][0][:120], not contradicted) if filed else None


def pinned_environment(d: Documents) -> Evidence | None:
    """A lock file, or requirements that all name one version; requirements that do not only state something."""
    loose = None
    for name in d.names:
        if re.search(r"(?:^|/)(?:uv\.lock|poetry\.lock|pdm\.lock|pipfile\.lock|conda-lock\.yml)$", name, re.IGNORECASE):
            return Evidence(name[:120], True)
        if re.search(r"(?:^|/)requirements[\w.-]*\.txt$", name):
            rows = [r.split("#")[0].strip() for r in d.read(name).splitlines()]
            rows = [r for r in rows if r and not r.startswith("-")]
            if rows and all("==" in r or "@" in r for r in rows):
                return Evidence(name[:120], True)
            loose = loose or Evidence(name[:120])
    return loose


def training_log(d: Documents) -> Evidence | None:
    """The log that a trainer leaves."""
    for name in d.names:
        history = d.json(name).get("log_history") if name.endswith("trainer_state.json") else None
        if isinstance(history, list) and history:
            return Evidence(f"{name[:120]}: {len(history)} entries", True)
    return None


def no_remote_code(d: Documents) -> Evidence | None:
    """A configuration that names no code to be run."""
    if not d.config or "auto_map" in d.config or "auto_map" in d.tokenizer or "custom_pipelines" in d.config:
        return None
    return Evidence("config.json: no auto_map", True)


def dtype(d: Documents) -> Evidence | None:
    """A declared type, and whether the weights are stored so."""
    declared = str(d.config.get("torch_dtype") or d.config.get("dtype") or "").removeprefix("torch.")
    if not declared:
        return None
    stored = stored_dtype(d)
    return Evidence(f"config.json: {declared[:20]}, stored {stored or 'unknown'}", declared == stored)


def architecture(d: Documents) -> Evidence | None:
    """An architecture by name."""
    kinds = d.config.get("architectures")
    return Evidence("config.json: architectures", True) if isinstance(kinds, list) and kinds else None


def task(d: Documents) -> Evidence | None:
    """A stated task, and whether the architecture is one of that task."""
    stated = d.front.get("pipeline_tag")
    if not isinstance(stated, str) or not stated:
        return None
    kinds = d.config.get("architectures")
    fits = any(str(k).endswith(TASKS.get(stated, ())) for k in kinds) if isinstance(kinds, list) else False
    return Evidence(f"{d.card_name}, line {d.line_of('pipeline_tag')}: {stated[:40]}", fits)


def example_input(d: Documents) -> Evidence | None:
    """An example of an input: a widget, or a text that the example passes to a call."""
    if isinstance(d.front.get("widget"), list) and d.front["widget"]:
        return Evidence(f"{d.card_name}, line {d.line_of('widget')}: widget", True)
    for line, tree in snippets(d):
        texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        if any(" " in text.strip() for text in texts):
            return Evidence(f"{d.card_name}, line {line}: a text in the example", True)
    return None


def example_output(d: Documents) -> Evidence | None:
    """An example of an output: a widget that has one, or classes with names."""
    widget = d.front.get("widget")
    if isinstance(widget, list) and any(isinstance(w, dict) and w.get("output") for w in widget):
        return Evidence(f"{d.card_name}, line {d.line_of('widget')}: widget with output", True)
    found = label_map(d)
    return found if isinstance(found, Evidence) and found.lies else None


def label_map(d: Documents) -> Evidence | DoesNotApply | None:
    """Classes with names of their own."""
    kinds = d.config.get("architectures")
    if not (isinstance(kinds, list) and any("Classification" in str(k) for k in kinds)):
        return DoesNotApply("the model has no classes")
    names = d.config.get("id2label")
    if isinstance(names, dict) and any(not str(v).startswith("LABEL_") for v in names.values()):
        return Evidence("config.json: id2label", True)
    return said(r"\blabels?\b.*\b0\b|\b0\b\s*[:=|]\s*\w")(d)


ATTRIBUTES: dict[str, Finder] = {
    "provenance: base model": first(base_in_file, front("base_model"), written(r"fine-?tuned (?:version of|from)")),
    "provenance: data": first(
        file(r"(?:^|/)(?:data/.+|train\w*)\.(?:jsonl|csv|tsv|parquet|arrow|txt)$"),
        data_in_file,
        front("datasets"),
        said(DATA_HOSTS, "training"),
    ),
    "provenance: code": first(
        said(_PINNED, lies=True), file(r"(?:^|/)(?:train|fine_?tune|pretrain|run_)\w*\.(?:py|ipynb)$"), said(CODE_HOSTS)
    ),
    "provenance: commit": first(
        commit_in_config, said(r"\b[0-9a-f]{40}\b", lies=True), said(r"\b(?:commit|revision)\b.*\b[0-9a-f]{7,12}\b")
    ),
    "provenance: signer": first(signature, said(r"\bsigned (?:by|with)\b|sigstore|\bPGP\b")),
    "reproducibility: results": first(results_in_file, front("model-index")),
    "reproducibility: environment": first(pinned_environment, written(r"framework versions|transformers[ =]+v?\d")),
    "reproducibility: seed": first(key_in_file("(?:data_|random_)?seed"), written(r"\bseed\b\W*\d")),
    "reproducibility: settings": first(key_in_file("learning_rate|lr"), written(r"learning[_ ]rate\W*\d")),
    "reproducibility: training log": first(training_log, written(r"\|\s*training loss\s*\|")),
    "portability: no code of its own": no_remote_code,
    "portability: a format that runs nothing": inert_format,
    "portability: type of the numbers": dtype,
    "portability: architecture": architecture,
    "portability: tokenizer": file(r"(?:^|/)(?:tokenizer\.(?:json|model)|vocab\.(?:json|txt)|spiece\.model)$"),
    "guidance: task": task,
    "guidance: input": first(example_input, headed(r"\binputs?\b"), written(rf"(?:^[\W_]*|\b)inputs?\b{_TOLD}")),
    "guidance: output": first(
        example_output, headed(r"\boutputs?\b"), written(rf"(?:^[\W_]*|\b)(?:outputs?|returns)\b{_TOLD}")
    ),
    "guidance: an example that parses": first(snippet, any_code),
    "guidance: names of the classes": label_map,
}
