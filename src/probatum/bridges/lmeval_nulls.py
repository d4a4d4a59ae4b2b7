"""Null responders and the oracle as models of lm-evaluation-harness."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from probatum.bridges import absent
from probatum.bridges.guest import ORACLE, among
from probatum.controls.responders import RULES
from probatum.core.data import Items

try:
    from lm_eval.api.model import LM
except ImportError as error:
    raise absent("lm_eval", "lmeval") from error

UNIFORM = "uniform"  #: every byte equally likely: 8 bits a byte
#: Who answers beside the model, by what a task asks of it.
NULLS = {
    "multiple_choice": ("constant", "longest_option", "random", ORACLE),
    "generate_until": ("constant", "longest_option", "random", "refuse_all", "refuse_none", "echo", ORACLE),
    "loglikelihood": (UNIFORM, ORACLE),
    "loglikelihood_rolling": (UNIFORM,),
}
WON, LOST = 0.0, -1000.0  #: log-likelihoods of the option that a rule picks, and of the others, at any length


class NullLM(LM):
    """Answers by a rule of `probatum.controls.responders`, or as ``uniform``; ``tasks`` say what is right."""

    def __init__(self, rule: str, tasks: Mapping[str, Any]):
        super().__init__()
        self.rule, self.tasks = rule, tasks
        self.among = {name: among([_right(t, d) for d in t.eval_docs]) for name, t in tasks.items() if writes(t)}

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """`WON` for the option of a document that the rule picks, `LOST` for the others."""
        if self.rule == UNIFORM:
            return [(_uniform(request.args[1]), False) for request in requests]
        whole: dict[tuple[str, int], list[int]] = defaultdict(list)
        for i, request in enumerate(requests):
            whole[request.task_name, request.doc_id].append(i)
        out: dict[int, tuple[float, bool]] = {}
        for (name, _), own in whole.items():
            own.sort(key=lambda i: requests[i].idx)
            half = len(own) // 2
            if half and not any(requests[i].args[0] for i in own[half:]) and requests[own[0]].args[0]:
                out |= dict.fromkeys(own[half:], (0.0, False))  # likelihoods without context, to be subtracted
                own = own[:half]
            picked = own[self._pick(self.tasks[name], [requests[i] for i in own])]
            out |= {i: (WON, True) if i == picked else (LOST, False) for i in own}
        return [out[i] for i in range(len(requests))]

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[float]:
        """Of texts in which every byte is equally likely."""
        return [_uniform(request.args[0]) for request in requests]

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        """What the rule writes."""
        out = []
        for request in requests:
            options = self.among[request.task_name] or None
            right = _right(self.tasks[request.task_name], request.doc)
            items = Items(ids=(str(request.doc_id),), prompt=(request.args[0],), options=(options,), answer=(right,))
            out.append(RULES[self.rule](items, 0))
        return out

    def _pick(self, task: Any, requests: Sequence[Any]) -> int:
        """The number of the option that the rule picks. Where contexts differ, they are the options."""
        if len(requests) == 1:
            return 0
        if self.rule == ORACLE:
            gold = _gold(task, requests[0].doc)
            return gold if gold is not None and gold < len(requests) else 0
        texts = tuple("".join(request.args[:2]) for request in requests)
        places = tuple(map(str, range(len(texts))))
        items = Items(ids=(str(requests[0].doc_id),), prompt=(texts[0],), options=(places,), texts=(texts,))
        return int(RULES[self.rule](items, 0))


def responders(task: Any, nulls: Sequence[str] | None) -> list[str]:
    """Of those asked for, the ones that this task can be asked of."""
    fitting = [r for r in NULLS.get(str(task.OUTPUT_TYPE), ()) if nulls is None or r in nulls]
    known = task.OUTPUT_TYPE != "multiple_choice" or all(_gold(task, doc) is not None for doc in task.eval_docs)
    return [r for r in fitting if r != ORACLE or known]


def writes(task: Any) -> bool:
    return bool(task.OUTPUT_TYPE == "generate_until")


def _gold(task: Any, doc: Any) -> int | None:
    """The number of the right option, the first where there are several; None where a task does not tell it so."""
    try:
        right = task.doc_to_text(doc) if getattr(task, "multiple_input", 0) else task.doc_to_target(doc)
        right = right[0] if isinstance(right, list) and right else right
        if isinstance(right, str):
            return list(task.doc_to_choice(doc)).index(right)
        return int(right) if int(right) >= 0 else None
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _right(task: Any, doc: Any) -> str:
    """The right answer as text, the first where there are several."""
    right = task.doc_to_target(doc)
    if isinstance(right, int) and task.config.doc_to_choice is not None:
        right = task.doc_to_choice(doc)[right]
    right = right[0] if isinstance(right, (list, tuple)) and right else right
    return str(right)


def _uniform(text: str) -> float:
    return -len(text.encode("utf-8", "surrogatepass")) * math.log(256)
