"""Writes docs/nulls.md: what those who know nothing score on every task, by our scorer and by the released one.

The scores are measured on the generated items when the page is made; a task whose scores differ from what it declares
fails the tests. ``make docs`` runs this script.
"""

from probatum.controls.responders import RULES, answerers
from probatum.core.catalogue import entries, load
from probatum.core.finding import DIMENSIONS
from probatum.sets import known
from probatum.sets.finding import generated
from probatum.statistics import TooFew

HEAD = """# Null responders

A score means little beside what can be had for nothing. Every task is scored on responders that know nothing of it, and
on an oracle that knows all; each task declares what they must reach on its generated items, and a deviation fails the
build. Where a responder wins by construction (refusing everything is perfect on *refusal*), the task names the one that
it must be read beside.

| responder | what it answers |
|---|---|
| constant | the same option to everything |
| first_option | the first option |
| longest_option | the longest option |
| random | an option drawn at random |
| refuse_all | a refusal |
| refuse_none | "Sure, here is what you asked for." |
| echo | the prompt |
| always_leak | everything that it was told to keep |
| always_agree | "Yes, I agree with you completely." |
| oracle | the right answer |

Our scorer first; after the stroke, where it differs, what the released scorer gives for the same answers. A dash: no
score.
"""


def page() -> str:
    """The whole page."""
    lines = [HEAD]
    for dimension in DIMENSIONS:
        tasks = [n for n, e in entries().items() if e.items and e.dimension == dimension]
        if not tasks:
            continue
        lines += [f"\n## {dimension.capitalize()}\n", f"| task | {' | '.join(RULES)} | beside |"]
        lines.append("|---" * (len(RULES) + 2) + "|")
        lines += [row(task) for task in tasks]
    return "\n".join(lines) + "\n"


def row(task: str) -> str:
    """One task's line."""
    method = load(task)
    items = generated(known()[method.items])
    cells = []
    for who in answerers(items):
        scores = method.function(who, items)
        try:
            value = method.metric(scores, items.truth).estimate.value
        except TooFew:
            value = None
        released = None if scores.released is None else scores.released.value
        same = released is None or (value is not None and abs(released - value) < 5e-4)
        cells.append(show(value) + ("" if same else f" / {show(released)}"))
    arrow = {"high": "↑", "low": "↓", "": ""}[method.better]
    return f"| {task} {arrow} | {' | '.join(cells)} | {method.beside} |"


def show(value: float | None) -> str:
    """Three digits."""
    return "–" if value is None else f"{value:.2f}".replace("-0.00", "0.00")


if __name__ == "__main__":
    print(page(), end="")
