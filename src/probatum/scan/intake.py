"""What somebody has to know who takes a model in: may it be loaded, what is it, what does not hold, what was not read?

The answers follow from the verdicts of the scan and from the model's own documents; nothing is loaded. ``look`` gives
one `Intake` for every path that looks like a model.
"""

from __future__ import annotations

from probatum.scan.finding import DANGEROUS, INERT, NOT_COVERED, UNKNOWN_CODE, VERDICTS, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from probatum.scan.claims import Claim
    from probatum.scan.facts import Facts
    from probatum.scan.finding import FileResult, Result

#: How it may be loaded, from best to worst.
SAFETENSORS, WEIGHTS_ONLY, OTHER = "safetensors", "weights_only", "its own reader"
NO_WEIGHTS, TRUST, NEVER = "no weights", "only if you trust the author", "not at all"
#: Texts and names in one answer.
SHOWN = 4


class Intake:
    """The answers for one model.

    ``how`` is one of the constants of this module; ``sentence`` says it to somebody who has to decide.
    """

    def __init__(self, path: str, facts: Facts, claims: list[Claim]) -> None:
        self.path, self.claims = path, claims
        self.alone = not facts.root  # one file: one line is enough
        self.how, self.sentence = _advice(facts.files)
        self.identity = _identity(facts)
        self.not_covered = [_reason(n, f) for n, f in facts.files.items() if not f.covered]

    def rows(self) -> list[tuple[str, str]]:
        """(question, answer) for a terminal; everything is printable."""
        out = [("may it be loaded?", self.how)]
        what = self.identity
        parts = [what["architecture"], *([f"{what['parameters']:,} parameters"] if what["parameters"] else [])]
        parts += [what["dtype"], what["weights"], f"tokenizer {what['tokenizer']}" if what["tokenizer"] else ""]
        out.append(("what is it?", " · ".join(p for p in parts if p) or "its documents do not say"))
        if what["descends_from"]:
            out.append(("descends from", f"{', '.join(what['descends_from'])} ({what['descent_by']})"))
        claimed = [f"license {', '.join(what['license'])}"] if what["license"] else ["no license in the card"]
        held = [c.what for c in self.claims if c.holds]
        claimed += [f"agrees with its files in {', '.join(held)}"] if held else []
        out.append(("what does it claim?", "; ".join(claimed)))
        out += [("does not hold", c.sentence()) for c in self.claims if not c.holds]
        if self.not_covered:
            more = f" and {len(self.not_covered) - SHOWN} more files" if len(self.not_covered) > SHOWN else ""
            out.append(("not covered", "; ".join(self.not_covered[:SHOWN]) + more))
        else:
            out.append(("not covered", "nothing: every byte of every file was explained"))
        return out

    def to_json(self) -> dict[str, Any]:
        return {
            "path": printable(self.path),
            "may_be_loaded": self.how,
            "sentence": self.sentence,
            "what": self.identity,
            "claims": [c.to_json() for c in self.claims],
            "not_covered": self.not_covered,
        }


def look(paths: Sequence[Any], result: Result) -> list[Intake]:
    """The answers for every path that looks like a model; an ordinary file or folder has none."""
    from probatum.scan.facts import WEIGHTS, collect

    likely = any(f.format in WEIGHTS or f.path.endswith(".json") for f in result.files)
    if not likely:
        return []
    import os

    from probatum.scan.claims import check

    out = []
    for path in paths:
        facts = collect(os.fspath(path), result)
        if facts is not None:
            out.append(Intake(os.fspath(path), facts, check(facts)))
    return out


def _advice(files: dict[str, FileResult]) -> tuple[str, str]:
    """How it may be loaded, and the sentence."""
    from probatum.scan.facts import WEIGHTS

    worst = max(files.items(), key=lambda item: VERDICTS.index(item[1].verdict))
    if worst[1].verdict == DANGEROUS:
        first = next(f for f in worst[1].findings if f.verdict == DANGEROUS)
        return NEVER, f"Do not load it: {_name(worst[0])}: {first.message}."
    weights = {name: f for name, f in files.items() if f.format in WEIGHTS or f.format == "pickle"}
    inert = {name: f for name, f in weights.items() if f.verdict == INERT}
    tensors = [name for name, f in inert.items() if f.format == "safetensors"]
    broken = [name for name, f in weights.items() if f.format == "safetensors" and f.verdict != INERT]
    pickles = [name for name, f in weights.items() if f.format.startswith("torch") or f.format == "pickle"]
    code = [name for name, f in files.items() if f.verdict == UNKNOWN_CODE and name not in weights]
    beside = f" Keep trust_remote_code off: {_names(code)} would run code." if code else ""
    if tensors and not broken:
        rest = f" Leave {_names(pickles)} alone." if pickles else ""
        return SAFETENSORS, f"It may be loaded from {_names(tensors)}, which cannot run code.{rest}{beside}"
    torch = [name for name in inert if inert[name].format.startswith("torch")]
    if torch and not broken and len(torch) == len([n for n in pickles if files[n].format.startswith("torch")]):
        how = "with torch.load(weights_only=True), or better after `probatum convert`"
        return WEIGHTS_ONLY, f"It may be loaded {how}: {_names(torch)} was proved inert.{beside}"
    if not weights:
        return NO_WEIGHTS, f"There are no weights here that this scanner knows.{beside}"
    bad = next((n for n, f in weights.items() if f.verdict == UNKNOWN_CODE), "")
    if bad:
        return TRUST, f"Load it only if you trust its author: {_name(bad)} runs code that is not known."
    unread = next((n for n, f in weights.items() if f.verdict == NOT_COVERED), "")
    if unread:
        return TRUST, f"Nothing dangerous was found, but {_name(unread)} was not wholly read: ask for safetensors."
    return OTHER, f"It may be loaded by the reader of its own format: {_names(list(inert))} was proved inert.{beside}"


def _identity(facts: Facts) -> dict[str, Any]:
    """What it is, in printable texts and numbers."""
    from probatum.scan.facts import WEIGHTS, texts

    config, tensors = facts.config, facts.tensors
    kinds = texts(config.get("architectures")) or texts(config.get("model_type"))
    kinds += [f"{t} adapter" for t in texts(facts.adapter.get("peft_type"))]
    weights = {n: f for n, f in facts.files.items() if f.format in WEIGHTS}
    weights = {n: f for n, f in weights.items() if f.format == "safetensors"} or weights
    base, by = texts(facts.front.get("base_model")), "says the card"
    if not base:
        base, by = texts(facts.adapter.get("base_model_name_or_path")), "says adapter_config.json"
    tokenizer = texts(facts.tokenizer.get("tokenizer_class"))
    tokenizer += [n for n in ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt") if n in facts.files][:1]
    return {
        "architecture": _short(kinds),
        "parameters": sum(tensors.numbers.values()),
        "dtype": tensors.dtype,
        "weights": _weights(facts, weights),
        "tokenizer": _short(tokenizer),
        "license": [printable(t) for t in texts(facts.front.get("license"))],
        "descends_from": [printable(t) for t in base],
        "descent_by": by if base else "",
        "relation": _short(texts(facts.front.get("base_model_relation"))),
    }


def _weights(facts: Facts, weights: dict[str, FileResult]) -> str:
    """Bytes and formats, such as "2.47 GB in 2 files of safetensors"."""
    import os

    if not weights:
        return ""
    total = 0
    for name in weights:
        try:
            total += os.lstat(facts.path(name)).st_size
        except OSError:
            continue
    size, unit = float(total), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    kinds = ", ".join(sorted({f.format for f in weights.values()}))
    files = f"{len(weights):,} files of " if len(weights) > 1 else ""
    return f"{size:.3g} {unit} in {files}{kinds}" if unit != "bytes" else f"{total} bytes in {files}{kinds}"


def _reason(name: str, file: FileResult) -> str:
    first = next(f for f in file.findings if f.verdict == NOT_COVERED)
    return f"{_name(name)} ({first.rule}: {first.message})"


def _name(name: str) -> str:
    shown = printable(name)
    return shown if len(shown) <= 60 else "…" + shown[-58:]


def _names(names: list[str]) -> str:
    shown = ", ".join(map(_name, names[:2]))
    return shown + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def _short(values: list[str]) -> str:
    return ", ".join(printable(v)[:80] for v in values[:SHOWN])
