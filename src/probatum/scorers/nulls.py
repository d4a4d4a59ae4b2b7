"""What null responders must score on a task, as theory has it."""

from __future__ import annotations

from collections.abc import Mapping

from probatum.core.catalogue import Expected

#: Responders of `probatum.controls.responders`: those that pick an option, and those that write a text.
PICKERS = ("constant", "first_option", "longest_option", "random")
WRITERS = ("refuse_all", "refuse_none", "echo", "always_leak", "always_agree")


def choice_nulls(options: int, **otherwise: Expected) -> Mapping[str, Expected]:
    """Of a balanced task with so many options: 1 / options for who picks without looking, 0 for who writes something
    else, 1 for the oracle; ``otherwise`` where a task differs."""
    return {**dict.fromkeys(PICKERS, 1 / options), **dict.fromkeys(WRITERS, 0.0), "oracle": 1.0, **otherwise}


def text_nulls(value: Expected = 0.0, **otherwise: Expected) -> Mapping[str, Expected]:
    """Of a task without options: ``value`` for everyone who knows nothing, 1 for the oracle."""
    return {**dict.fromkeys((*PICKERS, *WRITERS), value), "oracle": 1.0, **otherwise}
