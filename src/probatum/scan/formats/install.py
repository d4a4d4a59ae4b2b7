"""What installers read: requirements, pyproject.toml and other TOML, path files."""

from __future__ import annotations

import re

from probatum.scan.config import check
from probatum.scan.finding import quote
from probatum.scan.formats import text
from probatum.scan.formats.jinja_ import scan_template
from probatum.scan.formats.read_text import whole_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from probatum.scan.context import Context
    from probatum.scan.source import Source

NAME = "install"
EXCLUSIVE = False

_REQUIREMENTS = re.compile(r"(?:^|[\W_])(?:requirements|constraints)[\w.-]*\.(?:txt|in)$")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:\[[\w,. -]*\])?\s*(?P<version>[^;@#]*?)\s*(?P<other>[@;#].*)?$")
#: Build backends that an index holds.
BACKENDS = ("setuptools.build_meta", "hatchling.build", "flit_core.buildapi", "poetry.core.masonry.api",
            "pdm.backend", "maturin", "mesonpy", "scikit_build_core.build", "uv_build")  # fmt: skip
_HOOKS = (("hatch", "build", "hooks", "custom"), ("pdm", "build", "custom-hook"), ("poetry", "build", "script"),
          ("setuptools", "cmdclass"))  # fmt: skip

#: Longest TOML that is parsed, and most dots in a line: Python's parser takes quadratic time for keys with dots.
LONGEST, DOTS = 1 << 20, 512


def sniff(head: bytes, source: Source) -> bool:
    """By name only: the texts look like any other."""
    if not text.sniff(head, source):
        return False
    if source.name_ends((".toml",)) or (source.name_ends((".pth",)) and re.search(rb"^import[ \t]", head, re.M)):
        return True
    return bool(_REQUIREMENTS.search((source.name or source.path).lower().replace("\\", "/").rpartition("/")[2]))


def scan(source: Source, context: Context) -> str | None:
    content = whole_text(source, context)
    if content is None:
        return None
    if source.name_ends((".toml",)):
        _toml(content, source, context)
        return "toml"
    if source.name_ends((".pth",)):
        line = next((x for x in content.splitlines() if x.startswith(("import ", "import\t"))), "")
        context.report("REQ005" if line else "FIL003", f"every start of Python runs {quote(line)}", source)
        return "path file"
    _requirements(content, source, context)
    return "requirements"


def _requirements(content: str, source: Source, context: Context) -> None:
    """Each line is a name with a version, or an option."""
    names = loose = 0
    for line in content.replace("\\\n", " ").splitlines():
        line = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if not line:
            continue
        if line.startswith(("--hash", "-c ", "--only-binary", "--require-hashes", "--prefer-binary")):
            continue
        line = re.sub(r"\s--hash=\S+", "", line)
        found = _NAME.match(line)
        other = found["other"] or "" if found else ""
        if line.startswith("-") or found is None or other.startswith("@") or "/" in line.split(";")[0]:
            context.report("REQ002", f"installs from elsewhere: {quote(line)}", source)
        else:
            names += 1
            loose += "==" not in found["version"]
    context.report("REQ001", f"{names} packages, {loose} of them without an exact version", source)


def _toml(content: str, source: Source, context: Context) -> None:
    import tomllib

    if len(content) > LONGEST or any(line.count(".") > DOTS for line in content.splitlines()):
        context.report("REQ004", "it is too long, or has keys of too many parts, to be parsed", source)
        return
    try:
        value: dict[str, Any] = tomllib.loads(content)
    except (ValueError, RecursionError) as error:
        context.report("REQ004", f"it could not be parsed: {quote(str(error))}", source)
        return
    check(value, source, context, scan_template)
    build, tool = value.get("build-system"), value.get("tool")
    if isinstance(build, dict):
        backend = str(build.get("build-backend", "setuptools.build_meta"))
        if build.get("backend-path") or not backend.startswith(BACKENDS):
            context.report("REQ003", f"building it runs {quote(backend)}", source)
        for needed in build.get("requires") or () if isinstance(build.get("requires"), list) else ():
            if "@" in str(needed) or "/" in str(needed):
                context.report("REQ002", f"installs from elsewhere: {quote(str(needed))}", source)
    for hook in _HOOKS:
        inner: Any = tool
        for key in hook:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if inner:
            context.report("REQ003", f"building it runs the hook {quote('.'.join(hook))}", source)
    if isinstance(build, dict) and "project" not in value and "tool" not in value:
        context.report("REQ001", "a project; installing it builds it", source)
