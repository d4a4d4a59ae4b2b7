"""A target that says what a function gives for an item."""

from collections.abc import Callable

from probatum.core.catalogue import load
from probatum.core.data import Items
from probatum.core.scores import Scores
from probatum.testing import TableTarget


class Saying(TableTarget):
    """Says ``rule(items, i)`` wherever a conversation begins with item ``i``; later turns get ``again``."""

    def __init__(self, items: Items, rule: Callable[[Items, int], str | None], again: str | None = None):
        super().__init__()
        self.talks, self.rule, self.items, self.again = items.conversations, rule, items, again

    def answers(self, messages, **_):
        """See `Target.answers`. Equal conversations are told apart by their order."""
        if len(messages) == len(self.talks) and list(map(list, messages)) == self.talks:
            return [self.rule(self.items, i) for i in range(len(self.talks))]
        return [self.again for _ in messages]


def scored(task: str, items: Items, rule: Callable[[Items, int], str | None] | str, again: str | None = None) -> Scores:
    """The scores of a task where ``rule`` answers, or where all answers are one text."""
    said = rule if callable(rule) else lambda _, i: rule
    return load(task).function(Saying(items, said, again), items)


def value(task: str, items: Items, rule: Callable[[Items, int], str | None] | str) -> float:
    """What the task's own metric makes of them."""
    return load(task).metric(scored(task, items, rule), items.truth).estimate.value


def released(task: str, items: Items, rule: Callable[[Items, int], str | None] | str) -> float | None:
    """What the released scorer makes of them, where it gives a number."""
    found = scored(task, items, rule).released
    return None if found is None else found.value


def right(items: Items, i: int) -> str | None:
    """The right answer."""
    return items.answer[i]
