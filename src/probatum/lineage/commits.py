"""What a commit of a model repository changed: one category each, by the files it touched and the words of its message.

P173's categories (arXiv 2411.09645), with the file patterns of `lineage.documents`. The message decides where it says
something that the files bear out; what web pages and libraries write by themselves ("Upload model.safetensors with
huggingface_hub", "Add files via upload") says nothing, and then the files alone count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from probatum.core.errors import BadInput
from probatum.lineage.documents import CATEGORIES, category
from probatum.lineage.git_log import COMMAND, is_repository, read_log

#: Of the categories of the files, the first counts.
ORDER = ("parameters", "structure", "preprocessing", "training", "data", "inference settings", "code", "dependencies",
         "sharing", "documentation", "other")  # fmt: skip
NAMES = (*dict.fromkeys([*(c for c, _ in CATEGORIES), "metadata", "other"]),)
#: The first pattern that the message holds, and that fits the files, counts.
_WORDS = (
    ("sharing", r"\blicen[cs]|usage policy|\bgat(?:ed|ing)\b"),
    ("metadata", r"\bmetadata\b|\btags?\b|model[- _]index|\byaml\b|front matter|pipeline[_ ]tag|library[_ ]name"),
    ("dependencies", r"\brequirements?\b|dependenc"),
    ("preprocessing", r"tokeni[sz]er|vocab|chat[_ ]template|special tokens|preprocess|\bprocessor\b"),
    ("inference settings", r"generation[_ ]config|\binference\b|temperature|\bsampling\b"),
    ("training", r"\btrain|fine-?tun|\bepochs?\b|checkpoint|\bsteps? \d|hyper-?param"),
    ("data", r"\bdata ?sets?\b|\bdata\b"),
    ("structure", r"\bconfig|architecture"),
    ("documentation", r"\breadme\b|\bcard\b|\bdocs?\b|documentation|\btypos?\b|citation"),
    ("code", r"\bcode\b|\bscripts?\b|\bbug|\bmodeling"),
    ("parameters", r"\bweights?\b|safetensors|quanti[sz]|\bgguf\b|\bshards?\b"),
)
WORDS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _WORDS)
#: Messages that say nothing, whole.
_DEFAULT = re.compile(
    r"(?:upload|delete|add|create|update|rename) \S*[./]\S*(?: to \S+)?(?: (?:with|using) huggingface_hub)?\.?|"
    r"(?:upload|delete) (?:folder|files?|\d+ files|\S+)(?: \S+)? (?:with|using) huggingface_hub\.?|"
    r"add files via upload|upload \d+ files?|upload \w+(?:For|Model)\w*|"
    r"(?:upload|push|add|update) (?:model|tokenizer|processor|files?)(?: (?:using|with) \S+)?\.?|"
    r"(?:duplicate from|super-squash branch) .*|initial commit|first commit|commit|update|\.|wip",
    re.IGNORECASE,
)
_HEADER = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\x1f")
MOST = 200_000  #: commits of one log


@dataclass(frozen=True)
class Commit:
    """One commit. ``author`` is only ever counted."""

    author: str
    message: str
    files: tuple[str, ...]


def read_commits(path: Path) -> list[Commit]:
    """The commits of a git checkout, or of a log that `git_log.COMMAND` wrote, oldest first.

    Raises
    ------
    BadInput
        Neither of the two, or a log of another form.
    """
    if path.is_dir():
        text = read_log(path)
    elif path.is_file() and path.stat().st_size <= 1 << 28:
        text = path.read_bytes().decode("utf-8", "replace")
    else:
        raise BadInput(f"{path}: expected a git checkout, or the output of `{COMMAND}`")
    out = []
    for record in text.split("\x1e")[1:]:
        head, *files = record.split("\n")
        fields = head.split("\x1f", 3)
        if not _HEADER.match(head) or len(fields) != 4:
            continue
        out.append(Commit(fields[1], fields[3][:500], tuple(_plain(f) for f in files if f.strip())))
        if len(out) > MOST:
            raise BadInput(f"{path}: expected at most {MOST:,} commits")
    if not out:
        what = "holds no commit" if is_repository(path) else f"is no log of `{COMMAND}`"
        raise BadInput(f"{path}: {what}")
    return out


def touched(commit: Commit) -> frozenset[str]:
    """The categories of the files that a commit touched."""
    return frozenset(file_category(name) for name in commit.files)


def file_category(path: str) -> str:
    """As `documents.category`, in a folder of the repository too."""
    found = category(path)
    return category(path.rpartition("/")[2]) if found == "other" else found


def says_nothing(message: str) -> bool:
    """Whether a message is one that a web page or a library writes by itself."""
    return not message.strip() or _DEFAULT.fullmatch(message.strip()) is not None


def category_of(commit: Commit) -> str:
    """One of `NAMES`."""
    own = touched(commit)
    if not says_nothing(commit.message):
        for name, pattern in WORDS:
            if pattern.search(commit.message) and _fits(name, own):
                return name
    return next((name for name in ORDER if name in own), "other")


def _fits(name: str, own: frozenset[str]) -> bool:
    """Whether the files bear out what a message says; most of what a card holds is in README.md."""
    if name in own or not own:
        return True
    if own == {"documentation"}:
        return name in ("metadata", "sharing", "data")
    return (name == "training" and "parameters" in own) or (name == "inference settings" and "structure" in own)


def _plain(name: str) -> str:
    """A file's name without the quotes that git puts around odd ones."""
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name
