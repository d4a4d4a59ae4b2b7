"""Every rule of the scanner. Ids are permanent: a rule may be retired, its id is never used again.

One file per family, each a tuple of `Rule`. ``explain("PKL003")`` is the text that ``probatum explain`` prints.
"""

from __future__ import annotations

from probatum.scan.rules import (
    archives,
    arrays,
    configs,
    files,
    graphs,
    markup,
    packed,
    pickles,
    privacy,
    programs,
    scripts,
    templates,
    tensors,
)
from probatum.scan.rules.rule import Rule

FAMILIES = (
    pickles, archives, tensors, files, packed, arrays, graphs, programs, configs, markup, privacy, scripts, templates,
)  # fmt: skip
RULES: dict[str, Rule] = {rule.id: rule for family in FAMILIES for rule in family.RULES}


def explain(id: str) -> str:
    """What the rule means, why it matters, an example, and what to do. Raises KeyError for an unknown id."""
    rule = RULES[id]
    return (
        f"{rule.id} · {rule.title}\nseverity {rule.severity} · verdict at best: {rule.verdict}\n\n"
        f"What it means   {rule.means}\nWhy it matters  {rule.matters}\nExample         {rule.example}\n"
        f"What to do      {rule.do}"
    )
