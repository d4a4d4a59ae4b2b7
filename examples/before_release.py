"""Before a release: what does my fine-tune leak, would I have noticed, and can it be repaired?

Runs end to end on the built-in models, written as ordinary directories, so that every line can be pointed at models and
files of one's own: ``python examples/before_release.py WORKPLACE``.
"""

import json
import sys
from pathlib import Path

import probatum as pb
from probatum.controls.specimen import write
from probatum.core.finding import sentence
from probatum.protect import protect


def lines(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write rows as JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def main(workplace: Path) -> None:
    """Audit a leaky model, look at what would have been missed, unlearn, and look again."""
    truth = workplace / "known-truth"
    write(truth)
    rows = [json.loads(line) for line in (truth / "data" / "members.jsonl").open(encoding="utf-8")]
    sides = {side: [{"text": r["text"]} for r in rows if r["member"] is side] for side in (True, False)}
    report = pb.audit(
        truth / "specimen",
        members=lines(workplace / "members.jsonl", sides[True]),
        nonmembers=lines(workplace / "nonmembers.jsonl", sides[False]),
        data={"Records": truth / "data" / "records.jsonl"},
        reference=truth / "base",
        suite="privacy",
        out=workplace / "report",
    )
    for finding in report:
        print(f"{finding.probe:<26}{sentence(finding)}")
    repair = protect(
        "npo",
        truth / "specimen",
        forget=truth / "data" / "forget.jsonl",
        retain=truth / "data" / "retain.jsonl",
        gold=truth / "gold",
        out=workplace / "repaired",
        say=print,
    )
    for name, comparison in repair.comparisons.items():
        for row in comparison.rows:
            d = row.difference
            print(f"{name:<8}{row.probe:<26}after − before {d.value:+.3g}, p = {d.p_value:.2g}, {d.kind}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "workplace"))
