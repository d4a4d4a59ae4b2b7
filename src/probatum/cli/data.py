"""``probatum data``: the sets of items that tasks ask, where they were published, and where they lie here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from probatum.core.errors import BadInput


def data(
    where: Annotated[
        list[str] | None, typer.Option("--data", metavar="DIR", help="Where to look, beside PROBATUM_DATA.")
    ] = None,
    fetch: Annotated[
        str | None, typer.Option(metavar="NAME", help="Get a set, a family or a source from where it was published.")
    ] = None,
    into: Annotated[Path | None, typer.Option(metavar="DIR", help="For --fetch: the folder that gets it.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the sets of items that tasks ask: license, digest, source, which tasks ask them, where they lie here.

    Nothing is fetched unless --fetch asks for it. What is found nowhere is generated, so that every task runs.

    Example: probatum data --data ./benchmarks
    """
    from probatum.sets.finding import places

    if fetch is not None:
        if into is None:
            raise BadInput("--fetch NAME needs --into DIR, the folder that gets the files")
        _fetch(fetch, into)
        where = [*(where or ()), str(into)]
    elif into is not None:
        raise BadInput("--into DIR is for --fetch NAME")
    rows = listed(places(where or ()))
    typer.echo(json.dumps(rows, indent=1, ensure_ascii=False) if json_ else as_text(rows))


def listed(where: Sequence[Path]) -> list[dict[str, Any]]:
    """One row for each set, in the order of their names."""
    from probatum.core.catalogue import entries
    from probatum.sets import known
    from probatum.sets.finding import _remark, locate

    asked: dict[str, list[str]] = {}
    for task in entries().values():
        if task.items:
            asked.setdefault(task.items, []).append(task.name)
    rows, remarks = [], {}
    for entry in known().values():
        source, path = entry.source, locate(entry, where)
        if path is not None and path not in remarks:
            remarks[path] = _remark(entry, path)
        file = (source.archive or entry.file) if source else None
        family = f"{entry.name.split('/')[0]}/all"
        rows.append(
            {
                "name": entry.name,
                "title": entry.title,
                "source": source.name if source else None,
                "paper": source.paper if source else None,
                "license": source.license if source else "Apache-2.0",
                "url": source.url if source else None,
                "file": file,
                "sha256": list((source.digests or {}).get(Path(file).name, ())) if source and file else [],
                "tasks": sorted({*asked.get(entry.name, ()), *asked.get(family, ())}),
                "harmful": entry.harmful,
                "found": None if path is None else str(path),
                "remark": remarks.get(path, "") if path is not None else "",
            }
        )
    return rows


def as_text(rows: Sequence[dict[str, Any]]) -> str:
    """One block for each source, with its files and where they are; a set is one line, and the tasks that ask it."""
    lines: list[str] = []
    for source in sorted({row["source"] or "" for row in rows}, key=lambda name: (not name, name)):
        part = [row for row in rows if (row["source"] or "") == source]
        license_ = f"{part[0]['license']} · {part[0]['paper']}"
        lines += ["", f"{source} · {license_}", f"  {part[0]['url']}"] if source else ["", "generated, never published"]
        for file in dict.fromkeys(row["file"] for row in part):
            own = [row for row in part if row["file"] == file]
            if source:
                lines.append(f"  {_where(own)}")
            for row in own:
                lines.append(f"    {row['name']:<30} {row['title']}")
                lines.append(f"      asked by {', '.join(row['tasks']) or 'no task'}")
    return "\n".join(lines).strip("\n")


def _where(rows: Sequence[dict[str, Any]]) -> str:
    """The file of these sets, its digest, and where it is; or how to get it."""
    row = next((row for row in rows if row["found"]), rows[0])
    digest = f" (sha256 {' or '.join(d[:12] for d in row['sha256'])})" if row["sha256"] else ""
    name = Path(row["file"]).name
    if row["found"]:
        return f"{name}{digest}: {row['found']}" + (f"; {row['remark']}" if row["remark"] else "")
    which = row["name"] if len(rows) == 1 else row["name"].split("/")[0]
    return f"{name}{digest}: not found, so items are generated; --data DIR, or --fetch {which} --into DIR"


def _fetch(name: str, into: Path) -> None:
    from probatum.sets.fetching import address, fetch, wanted

    done: set[str] = set()
    for entry in wanted(name):
        url = address(entry)
        if url in done:
            continue
        done.add(url)
        path, remark = fetch(entry, into)
        typer.echo(f"{path}: fetched from {url}" + (f"; {remark}" if remark else ""), err=True)


def add(app: typer.Typer) -> None:
    """Register the verb."""
    app.command("data")(data)
