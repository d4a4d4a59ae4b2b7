"""Conversations through a model's own chat template, and what is done where the template does not take them.

A template that leaves out the system's words, or refuses them, gets them before the next words of the user: many
models were trained without a role of its own for the system, and an audit must not drop what it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from probatum.core.errors import BadInput, NotOffered
from probatum.engine.stored import Failure

Talk = Sequence[Mapping[str, str]]

_SYSTEM = {"role": "system", "content": "Cobalt, amber and slate."}
_USER = {"role": "user", "content": "Which of these is grey?"}


class ChatTemplate:
    """A tokenizer's template, tried once with a conversation of our own.

    Attributes
    ----------
    note
        What a reader must know of it, or "".

    Raises
    ------
    NotOffered
        There is no template.
    BadInput
        It fails for a single question, or leaves the question out.
    """

    def __init__(self, tokenizer: Any, name: str):
        if not tokenizer.chat_template:
            raise NotOffered(f"{name} has no chat template; ask it with generate")
        self._tokenizer = tokenizer
        try:
            works = _USER["content"] in self._written([_USER])
            why = "it leaves out what the user says"
        except Exception as error:  # a template is a program of the model's author, and may raise whatever it likes
            works, why = False, _said(error)
        if not works:
            raise BadInput(
                f"{name}: its chat template does not work ({why}); correct it, or remove it to have texts continued "
                "instead"
            )
        try:
            self._folds = _SYSTEM["content"] not in self._written([_SYSTEM, _USER])
        except Exception:  # as above; most say "System role not supported"
            self._folds = True
        told = f"{name}: its chat template takes no system message; its words stand before the user's"
        self.note = told if self._folds else ""

    def __call__(self, talk: Talk) -> str | Failure:
        """The text that the model is to continue; a `Failure` for a conversation that the template refuses."""
        ways = [] if self._folds else [talk]
        if self._folds or any(turn.get("role") == "system" for turn in talk):
            ways.append(_folded(talk))
        why = ""
        for way in ways:
            try:
                return self._written(way)
            except Exception as error:  # as above
                why = why or _said(error)
        return Failure(f"its chat template refuses this conversation: {why}")

    def _written(self, talk: Talk) -> str:
        text = self._tokenizer.apply_chat_template(
            [dict(turn) for turn in talk], tokenize=False, add_generation_prompt=True
        )
        # The encoding policy puts the start token there; twice would be another prompt.
        return str(text).removeprefix(self._tokenizer.bos_token or "")


def _folded(talk: Talk) -> list[dict[str, str]]:
    """The conversation without turns of the system: their words stand before the user's next ones."""
    out: list[dict[str, str]] = []
    waiting: list[str] = []
    for turn in talk:
        if turn.get("role") == "system":
            waiting.append(turn["content"])
        elif turn.get("role") == "user":
            out.append({**turn, "content": "\n\n".join([*waiting, turn["content"]])})
            waiting = []
        else:
            out.append(dict(turn))
    return [*out, {"role": "user", "content": "\n\n".join(waiting)}] if waiting else out


def _said(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
