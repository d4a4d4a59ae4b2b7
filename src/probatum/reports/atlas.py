"""The atlas as one page: a drawing whose nodes tell what they are when pointed at, and lead to their row of the table.

No script and no network: tooltips, highlighting and jumps are SVG titles, CSS and links, so that a hostile name can do
nothing even if it slipped through.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from probatum.lineage.survey import MEANING, Survey
from probatum.reports import text
from probatum.reports.html import HERE, style

#: Distances on the drawing, in pixels.
COLUMN, ROW, MARGIN, RADIUS = 120, 18, 24, 5

CSS = """
.atlas { overflow: auto; border: 1px solid var(--line); background: var(--panel); max-height: 80vh; }
.atlas svg { display: block; font: 11px var(--sans); fill: var(--ink); }
.atlas text { paint-order: stroke; stroke: var(--panel); stroke-width: 3px; }
.atlas path { fill: none; stroke: var(--soft); stroke-width: 1.2; }
.atlas path.second { stroke-dasharray: 4 3; }
.atlas path.conflict { stroke: var(--wax); stroke-width: 2; }
.atlas circle { fill: var(--accent); stroke: var(--paper); }
.atlas .root circle { fill: var(--ink); }
.atlas .quantized circle { fill: var(--paper); stroke: var(--accent); stroke-width: 2; }
.atlas a:hover circle, .atlas a:focus circle { stroke: var(--wax); stroke-width: 3; }
.atlas a:hover text, .atlas a:focus text { font-weight: 700; }
.atlas svg:has(a:hover) path:not(.touched) { opacity: 0.5; }
tr:target, .atlas a:target { background: var(--panel); outline: 2px solid var(--wax); }
.atlas a:target circle { stroke: var(--wax); stroke-width: 4; }
td.n { white-space: nowrap; }
@media (min-width: 45rem) { .models td:nth-child(-n + 2) { min-width: 8rem; } }
"""


def html(survey: Survey) -> str:
    """The page."""
    import jinja2
    from markupsafe import Markup

    css = style() + CSS
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined,
        finalize=lambda v: text.visible(v) if isinstance(v, str) and not isinstance(v, Markup) else v,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    page: str = environment.get_template("atlas.html.j2").render(
        survey=survey,
        name=Path(survey.folder).resolve().name,
        css=Markup(css),
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        drawing=drawing(survey),
        rows=rows(survey),
        meaning=MEANING,
        number=text.number,
    )
    return page


def layout(survey: Survey) -> tuple[dict[int, tuple[int, int]], list[dict[str, Any]], list[dict[str, Any]]]:
    """{model: (generation, line)}, the edges that hold the tree up, and second parents (of merges).

    The families stand one below the other, the largest first; a child stands right of its parent.
    """
    first: dict[int, dict[str, Any]] = {}
    second = []
    for edge in survey.edges:
        if edge["child"] in first or _reaches(first, edge["parent"], edge["child"]):
            second.append(edge)
        else:
            first[edge["child"]] = edge
    children: dict[int, list[int]] = {}
    for child, edge in first.items():
        children.setdefault(edge["parent"], []).append(child)
    size: dict[int, int] = {}
    places: dict[int, tuple[int, int]] = {}
    roots = [i for i in range(len(survey.models)) if i not in first]
    for root in roots:
        size[root] = len(_below(root, children))
    line = 0
    for root in sorted(roots, key=lambda i: (-size[i], survey.models[i]["name"])):
        stack = [(root, 0)]
        while stack:  # a child takes its parent's line if it is the first, else the next free one
            node, depth = stack.pop()
            places[node] = (depth, line)
            own = sorted(children.get(node, ()), key=lambda i: (size.get(i, 0), survey.models[i]["time"]), reverse=True)
            line += not own
            stack += [(c, depth + 1) for c in own]
    return places, list(first.values()), second


def _below(root: int, children: dict[int, list[int]]) -> list[int]:
    found, stack = [], [root]
    while stack:
        node = stack.pop()
        found.append(node)
        stack += children.get(node, [])
    return found


def _reaches(first: dict[int, dict[str, Any]], start: int, goal: int) -> bool:
    """Would an edge close a circle? Cards can name each other as parents."""
    node: int | None = start
    for _ in range(len(first) + 1):
        if node == goal:
            return True
        if node not in first:
            return False
        node = first[node]["parent"]
    return True


def drawing(survey: Survey) -> dict[str, Any]:
    """Coordinates of nodes and paths for the template; words stay data until the template escapes them."""
    places, tree, second = layout(survey)

    def at(i: int) -> tuple[int, int]:
        return MARGIN + COLUMN * places[i][0], MARGIN + ROW * places[i][1]

    paths = []
    for kind, edges in (("first", tree), ("second", second)):
        for e in edges:
            (x, y), (u, v) = at(e["parent"]), at(e["child"])
            shape = f"M{x},{y} C{x + COLUMN // 2},{y} {u - COLUMN // 2},{v} {u},{v}"
            conflict = " conflict" if e["license"]["verdict"] == "conflict" else ""
            paths.append({"d": shape, "class": kind + conflict, "title": _edge_title(e, survey)})
    nodes: list[dict[str, Any]] = []
    for i, m in enumerate(survey.models):
        x, y = at(i)
        label = text.clip(m["name"].rpartition("/")[2], 40)
        kind = " ".join(w for w, yes in (("root", m["root"]), ("quantized", m["quantized"])) if yes)
        nodes.append({"id": i, "x": x, "y": y, "label": label, "class": kind, "title": _node_title(m)})
    width = max((n["x"] for n in nodes), default=0) + 320
    height = max((n["y"] for n in nodes), default=0) + 2 * MARGIN
    return {"paths": paths, "nodes": nodes, "width": width, "height": height, "radius": RADIUS}


def rows(survey: Survey) -> list[dict[str, Any]]:
    """One row a model, with its parents."""
    above: dict[int, list[dict[str, Any]]] = {}
    for e in survey.edges:
        above.setdefault(e["child"], []).append(e)
    return [{"id": i, "model": m, "edges": above.get(i, [])} for i, m in enumerate(survey.models)]


def _node_title(m: dict[str, Any]) -> str:
    import datetime

    when = datetime.datetime.fromtimestamp(max(0, min(m["time"], 4e9)), datetime.UTC).date().isoformat()
    told = f"{m['name']}\n{m['parameters']:,} parameters, {when} (by {m['dated_by']})\n"
    return told + f"license: {' and '.join(m['license']) or 'none named'}" + ("\nquantized" if m["quantized"] else "")


def _edge_title(e: dict[str, Any], survey: Survey) -> str:
    a, b = (survey.models[e[k]]["name"] for k in ("parent", "child"))
    return f"{a} → {b}\n{MEANING[e['rule']]}\nlicense: {e['license']['sentence']}"
