"""Targets that follow a script: they read the conversation and nothing else."""

from collections.abc import Callable

from probatum.core.catalogue import load
from probatum.core.estimate import Result
from probatum.sets.finding import items_of
from probatum.testing import TableTarget


class Scripted(TableTarget):
    """Says what ``rule`` makes of a conversation, a list of turns."""

    def __init__(self, rule: Callable[[list], str | None]):
        super().__init__()
        self.rule = rule

    def answers(self, messages, **_):
        return [self.rule(talk) for talk in messages]


def run(task: str, rule: Callable[[list], str | None], *, seed: int = 0):
    """(scores, result, items) of a task on its generated items."""
    items = items_of(load(task).items, seed=seed).items
    scores = load(task).function(Scripted(rule), items)
    return scores, result_of(task, scores, items), items


def result_of(task: str, scores, items) -> Result:
    """What the task's metric makes of scores."""
    return load(task).metric(scores, items.truth)
