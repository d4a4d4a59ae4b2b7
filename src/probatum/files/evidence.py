"""Where a document shows or says something: every finder gives a place, or nothing. None of them runs or fetches."""

from __future__ import annotations

import ast
import base64
import hashlib
import json
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from probatum.core.errors import BadInput
from probatum.core.scores import Scores
from probatum.files.card_sections import LINES, LONGEST, words
from probatum.files.documents import Documents
from probatum.files.tensors import Weights

CODE_HOSTS = r"https?://(?:www\.)?(?:github\.com|gitlab\.com|codeberg\.org|bitbucket\.org)/[\w.-]+/[\w.-]+"
PAPERS = r"arxiv\.org/(?:abs|pdf)/\d|arxiv:\d{4}\.\d{4}|doi\.org/10\.|aclanthology\.org/|openreview\.net/"
DATA_HOSTS = r"huggingface\.co/datasets/|zenodo\.org/|kaggle\.com/(?:datasets|competitions)|openml\.org/|doi\.org/10\."
#: Longest piece of code that is parsed, in characters; what is longer is no example.
LONGEST_CODE = 20_000
#: How files of weights begin that are not read any further.
_START = {"bin": b"PK", "pt": b"PK", "pth": b"PK", "onnx": b"\x08", "h5": b"\x89HDF"}


@dataclass(frozen=True)
class Evidence:
    """A place, and whether the thing itself lies there (``lies``) or is only named."""

    place: str
    lies: bool = False


@dataclass(frozen=True)
class DoesNotApply:
    """Why an item of a list is no question for this model."""

    reason: str


Finder = Callable[[Documents], "Evidence | DoesNotApply | None"]


def first(*finders: Finder) -> Finder:
    """The first evidence of a thing that lies there; else the first of one that is named; else that it does not
    apply."""

    def find(d: Documents) -> Evidence | DoesNotApply | None:
        found = [e for e in (finder(d) for finder in finders) if e is not None]
        shown = [e for e in found if isinstance(e, Evidence)]
        return next((e for e in shown if e.lies), next(iter(shown), next(iter(found), None)))

    return find


def front(*keys: str, lies: bool = False) -> Finder:
    """A key of the card's front matter that says something."""

    def find(d: Documents) -> Evidence | None:
        for key in keys:
            value = d.front.get(key)
            if value not in (None, "", [], {}, "unknown", "[More Information Needed]"):
                return Evidence(f"{d.card_name}, line {d.line_of(key) or 1}: {key}", lies)
        return None

    return find


def said(pattern: str, *sections: str, lies: bool = False) -> Finder:
    """The first line that somebody wrote in these sections (all, if none is named) which holds the pattern."""
    wanted = re.compile(pattern, re.IGNORECASE)

    def find(d: Documents) -> Evidence | None:
        for section in d.sections:
            if sections and not section.names & {*sections}:
                continue
            for line in section.lines:
                if not line.code and wanted.search(line.text):
                    return Evidence(f"{d.card_name}, line {line.number}", lies)
        return None

    return find


def written(pattern: str, *, lies: bool = False) -> Finder:
    """The first line of the whole card that holds the pattern, generated text and comments too."""
    wanted = re.compile(pattern, re.IGNORECASE)

    def find(d: Documents) -> Evidence | None:
        for number, line in enumerate(d.text.splitlines()[:LINES], 1):
            if wanted.search(line[:LONGEST]):
                return Evidence(f"{d.card_name}, line {number}", lies)
        return None

    return find


def section(name: str, least: int = 5, heading: str = "") -> Finder:
    """A section with at least so many words of its own; ``heading``: what its heading must hold."""

    def find(d: Documents) -> Evidence | None:
        own = [s for s in d.sections if name in s.names and re.search(heading, s.heading, re.IGNORECASE)]
        count = sum(words(s.lines) for s in own)
        line = next((s.lines[0].number for s in own if s.lines), 0)
        return Evidence(f"{d.card_name}, line {line}: {count} words", True) if count >= least else None

    return find


def headed(pattern: str, least: int = 3) -> Finder:
    """A heading that holds the pattern, with words under it."""
    wanted = re.compile(pattern, re.IGNORECASE)

    def find(d: Documents) -> Evidence | None:
        for section_ in d.sections:
            if wanted.search(section_.heading) and words(section_.lines) >= least:
                return Evidence(f"{d.card_name}, line {section_.line}")
        return None

    return find


def file(pattern: str, *, lies: bool = True) -> Finder:
    """A file that is not empty, by its path in the folder."""
    wanted = re.compile(pattern, re.IGNORECASE)

    def find(d: Documents) -> Evidence | None:
        for name in d.names:
            if wanted.search(name) and _size(d, name):
                return Evidence(name[:120], lies)
        return None

    return find


def key_in_file(key: str) -> Finder:
    """A line that sets this key in a JSON, YAML or TOML file of the folder (not in the card)."""
    wanted = re.compile(rf"""^\s*["']?(?:{key})["']?\s*[:=]\s*\S""", re.MULTILINE)

    def find(d: Documents) -> Evidence | None:
        for name in d.names:
            own = re.search(r"(?:^|/)(?!tokenizer|vocab|special_tokens|.*index)[^/]*\.(?:json|ya?ml|toml)$", name)
            if own and name != "config.json" and (hit := wanted.search(text := d.read(name))):
                return Evidence(f"{name[:120]}, line {text.count(chr(10), 0, hit.start(0)) + 1}", True)
        return None

    return find


def weights(d: Documents) -> Evidence | None:
    """A file of weights that begins as its kind does; of safetensors the whole header is read."""
    found = inert_format(d)
    for name in d.names if found is None else ():
        start = _START.get(name.rpartition(".")[2])
        if start is not None and _start(d, name).startswith(start):
            return Evidence(name[:120], True)
    return found


def inert_format(d: Documents) -> Evidence | None:
    """Weights in a format that holds numbers and nothing else: safetensors or GGUF."""
    for name in d.names:
        if name.endswith(".gguf") and _start(d, name).startswith(b"GGUF"):
            return Evidence(name[:120], True)
        if name.endswith(".safetensors"):
            try:
                count = len(Weights([d.folder / name]))
            except (BadInput, OSError):
                continue
            if count:
                return Evidence(f"{name[:120]}: {count} tensors", True)
    return None


def snippets(d: Documents) -> Iterator[tuple[int, ast.Module]]:
    """(line, syntax tree) of every piece of code in the card that is Python, imports something and calls something."""
    for section_ in d.sections:
        block: list[str] = []
        start = last = 0
        for line in [*section_.lines, None]:
            if line is not None and line.code and (not block or line.number == last + 1):
                start, last = (start if block else line.number), line.number
                block.append(line.text)
                continue
            if block and (tree := _parsed("\n".join(block))) is not None:
                yield start, tree
            block = []
            if line is not None and line.code:
                block, start, last = [line.text], line.number, line.number


def snippet(d: Documents) -> Evidence | None:
    """An example that is Python by its syntax; it is parsed, never run."""
    return next((Evidence(f"{d.card_name}, line {line}: parses", True) for line, _ in snippets(d)), None)


def any_code(d: Documents) -> Evidence | None:
    """Any piece of code in the card."""
    lines = (line for s in d.sections for line in s.lines if line.code and line.text.strip())
    return next((Evidence(f"{d.card_name}, line {line.number}") for line in lines), None)


_SIGNED = r"(?:\.(?:sig|dsse)(?:\.json)?|\.asc|\.sigstore|\.intoto\.jsonl?|(?:^|/)signature[^/]*\.json)$"


def signature(d: Documents) -> Evidence | None:
    """A signed statement whose digests are those of the files; its signature is checked with a key, elsewhere."""
    named = None
    for name in d.names:
        if not re.search(_SIGNED, name):
            continue
        named = named or Evidence(f"{name[:120]}: not checked")
        digests = _subjects(d.read(name))
        matched = sum(_sha256(d, subject) == digest for subject, digest in digests.items() if subject in d.names)
        if matched and matched == sum(subject in d.names for subject in digests):
            return Evidence(f"{name[:120]}: the digests of {matched} files agree", True)
    return named


def _subjects(text: str) -> dict[str, str]:
    """File → sha256 of an in-toto statement in a DSSE envelope (or a bundle that holds one)."""
    try:
        outer = json.loads(text.splitlines()[0] if text.lstrip().startswith("{") and "\n{" in text else text)
        envelope = outer.get("dsseEnvelope", outer)
        statement = json.loads(base64.b64decode(envelope["payload"]))
        return {str(s["name"]): str(s["digest"]["sha256"]).lower() for s in statement["subject"]}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return {}


def _sha256(d: Documents, name: str) -> str:
    digest = hashlib.sha256()
    with (d.folder / name).open("rb") as stream:
        while part := stream.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def _parsed(text: str) -> ast.Module | None:
    rows = [re.sub(r"^(?:>>>|\.\.\.) ?", "", row) for row in text.splitlines()]
    code = "\n".join("" if row.lstrip().startswith(("!", "%")) else row for row in rows)
    if len(code) > LONGEST_CODE:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code)
            kinds = {type(node) for node in ast.walk(tree)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree if ast.Call in kinds and kinds & {ast.Import, ast.ImportFrom} else None


def _start(d: Documents, name: str) -> bytes:
    try:
        with (d.folder / name).open("rb") as stream:
            return stream.read(8)
    except OSError:
        return b""


def _size(d: Documents, name: str) -> int:
    try:
        return (d.folder / name).stat().st_size
    except OSError:
        return 0


def listed(d: Documents, table: Mapping[str, Finder], towards: str, *, shown_only: bool = False) -> Scores:
    """Scores of a list: 1 where an item has evidence; its place is what is said, its reason why it does not apply.

    With ``shown_only`` an item counts where the thing itself lies there, and the second column (``null``) says where it
    is shown or at least stated; else it counts where it is shown or stated, and the column says where it lies there.
    """
    found = {item: finder(d) for item, finder in table.items()}
    values, beside, said, unscored = [], [], [], {}
    for item, e in found.items():
        there, lies = isinstance(e, Evidence), isinstance(e, Evidence) and e.lies
        if isinstance(e, DoesNotApply):
            unscored[item] = f"does not apply: {e.reason}"
        values.append(float(lies if shown_only else there))
        beside.append([float(there if shown_only else lies)])
        said.append(("" if lies else "stated in ") + e.place if isinstance(e, Evidence) else "absent")
    return Scores(list(found), values, towards, said=said, null=np.array(beside), unscored=unscored)
