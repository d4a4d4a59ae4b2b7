"""Null responders and the oracle as models of Inspect: ``probatum-null/RULE``."""

from __future__ import annotations

import contextvars
import copy
from collections.abc import Sequence
from typing import Any

from probatum.bridges import absent
from probatum.bridges.guest import ORACLE
from probatum.controls.responders import RULES
from probatum.core.data import Items
from probatum.core.errors import NotOffered

try:
    from inspect_ai import Task
    from inspect_ai.model import GenerateConfig, ModelAPI, ModelOutput, ModelUsage, modelapi
    from inspect_ai.solver import Generate, Solver, TaskState, solver
except ImportError as error:
    raise absent("inspect_ai", "inspect") from error

#: Null responders run by default; the others of `probatum.controls.responders` need what such tasks do not have.
NULLS = ("constant", "longest_option", "random", "refuse_all", "refuse_none", "echo", ORACLE)
#: The sample that is being answered. Only its solver sees it: Inspect scores in a context of its own.
_NOW: contextvars.ContextVar[Any] = contextvars.ContextVar("sample", default=None)


@solver
def _begun() -> Solver:
    async def solve(state: TaskState, generate: Generate) -> TaskState:
        _NOW.set(state)
        return state

    return solve


@modelapi("probatum-null")
class NullAPI(ModelAPI):
    """``probatum-null/RULE``: writes what a null responder, or the oracle, writes to the sample at hand.

    Parameters
    ----------
    answers
        The right answers of the task, the most frequent first: what is chosen from where a sample shows no options.
    form
        How an answer is written, with ``{}`` in its place; by default ``ANSWER: {}`` where there are letters.
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 (Inspect's own default)
        *,
        answers: Sequence[str] = (),
        form: str = "",
    ):
        super().__init__(model_name, base_url, api_key, [], config)
        self.answers, self.form = tuple(answers), form

    def max_connections(self) -> int:
        """It never waits for anything."""
        return 256

    async def generate(
        self, input: Sequence[Any], tools: Sequence[Any], tool_choice: Any, config: GenerateConfig
    ) -> ModelOutput:
        """The rule's answer; raises `NotOffered` where the scorer asks it to grade."""
        state = _NOW.get()
        if state is None:
            raise NotOffered("the scorer asks the model under test to grade, and a null responder cannot")
        asked = next((m.text for m in reversed(input) if m.role == "user"), "")
        text = written(self.model_name, state, asked, self.answers, self.form)
        output = ModelOutput.from_content(self.model_name, text)
        size = len(text.split())
        output.usage = ModelUsage(input_tokens=0, output_tokens=size, total_tokens=size)
        return output


def written(rule: str, state: Any, asked: str, answers: Sequence[str], form: str = "") -> str:
    """What a rule writes to a sample. Letters stand in the order in which its options are shown."""
    options = [choice.value for choice in state.choices]
    letters = tuple(chr(ord("A") + i) for i in range(len(options)))
    right = list(state.target)
    if letters:  # a target names options by their original place
        places = [choice.original_position for choice in state.choices]
        right = [letters[places.index(i)] for i in map(_place, right) if i in places] or right
    items = Items(
        ids=(str(state.sample_id),),
        prompt=(asked,),
        options=(letters or tuple(answers) or None,),
        texts=(tuple(options) or None,),
        answer=(", ".join(right) if letters else right[0] if right else "",),
    )
    text = RULES[rule](items, 0)
    if rule == ORACLE or text in (letters or answers):
        return (form or ("ANSWER: {}" if letters else "{}")).replace("{}", text)
    return text


def _place(letter: str) -> int:
    return ord(letter.strip().upper()[:1] or "@") - ord("A")


def watched(task: Task) -> Task:
    """A copy that notes which sample is being answered; the task itself stays as it is."""
    copied = copy.copy(task)
    before = task.setup if isinstance(task.setup, Sequence) else [task.setup] if task.setup else []
    copied.setup = [*before, _begun()]
    copied.model = None  # a task that names its model would ask that one in place of everyone
    return copied
