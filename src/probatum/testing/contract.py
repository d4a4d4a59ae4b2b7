"""The contract test: what every method keeps, whoever wrote it. A check returns, or raises `Broken` with a sentence."""

from __future__ import annotations

from collections.abc import Callable

from probatum.testing import behavior, form
from probatum.testing.candidate import Broken, Candidate

__all__ = ["CHECKS", "Broken", "Candidate", "check_method"]

#: All checks, those that only read the file first.
CHECKS: tuple[Callable[[Candidate], None], ...] = (
    form.names_its_paper,
    form.asks_one_question,
    form.says_what_it_does,
    form.documents_its_options,
    form.stands_in_a_file_of_its_name,
    form.is_short,
    form.knows_only_what_is_below_it,
    form.reads_as_it_imports,
    form.is_proved_by_probes,
    behavior.says_what_it_lacks,
    behavior.keeps_to_its_needs,
    behavior.gives_scores,
    behavior.repeats_itself,
    behavior.does_not_mind_the_order,
    behavior.scores_rows_apart,
    behavior.leaves_out_what_it_cannot_score,
    behavior.survives_json,
)


def check_method(method: str | Callable) -> Candidate:
    """Run every check on a method: its name in the catalogue, or the decorated function itself.

    Raises `Broken` at the first that fails. Behavior is checked on toy targets, as far as those can give what the
    method needs (all but TRAIN).
    """
    candidate = Candidate.of(method)
    for check in CHECKS:
        check(candidate)
    return candidate
