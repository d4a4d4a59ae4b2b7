"""Answers that were recorded, in the shapes in which people keep them, as one: a conversation and what was answered.

Read are: a prompt (or messages) beside an answer; the generation files of TrustLLM (``prompt`` and ``res``) and of
DecodingTrust (pairs of messages and a chat completion); chat-completion records of the OpenAI protocol; conversations
that end with the assistant's turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probatum.core.errors import BadInput

Talk = tuple[tuple[str, str], ...]

#: Where a prompt may stand, and where an answer; the first that is there counts. The files of TrustLLM keep the gold
#: answer as ``answer`` and the model's as ``res``, so the more special names come first.
TALKS = ("messages", "conversation", "prompt", "question", "instruction", "input", "query")
ANSWERS = (
    *("res", "response", "responses", "completion", "model_answer", "generation", "generated_text"),
    *("output", "outputs", "reply", "answer"),
)


@dataclass(frozen=True)
class Recorded:
    """One answer; ``where`` names its record for people, ``column`` what it was read from. None: no answer came."""

    talk: Talk
    answer: str | None
    where: str
    column: str = ""
    id: str | None = None
    model: str | None = None


def recorded(value: Any, source: str) -> Iterator[Recorded]:
    """All answers in one JSON value: a record, a list of records, or one of requests beside responses.

    Raises `BadInput` where something is no record, with its number and the names of its columns, never their content.
    """
    if isinstance(value, dict) and isinstance(value.get("requests"), list) and isinstance(value.get("responses"), list):
        if len(value["requests"]) != len(value["responses"]):
            raise BadInput(f"{source}: has {len(value['requests'])} requests and {len(value['responses'])} responses")
        value = [list(pair) for pair in zip(value["requests"], value["responses"], strict=True)]
    if isinstance(value, dict) or _is_pair(value):
        yield record(value, source)
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield record(item, f"{source}, record {number}")
    else:
        raise BadInput(f"{source}: expected a prompt and its answer, got {type(value).__name__}")


def record(value: Any, where: str) -> Recorded:
    """One answer."""
    if _is_pair(value):
        talk = _messages(value[0], where) if isinstance(value[0], list) else (("user", str(value[0])),)
        return Recorded(talk, answer_in(value[1], where), where, "the reply", None, _model(value[1]))
    if not isinstance(value, dict):
        raise BadInput(f"{where}: expected an object with a prompt and its answer, got {type(value).__name__}")
    request = next((value[k] for k in ("request", "body") if isinstance(value.get(k), dict)), value)
    spoken = next((request[k] for k in TALKS if request.get(k)), None)
    column = next((k for k in ANSWERS if k in value), "")
    if isinstance(spoken, str):
        talk = (("user", spoken),)
        if isinstance(request.get("system"), str):
            talk = (("system", request["system"]), *talk)
    elif isinstance(spoken, list):
        talk = _messages(spoken, where)
    else:
        raise BadInput(f"{where}: holds no prompt; expected one of {', '.join(TALKS)} (present: {_names(value)})")
    if column:
        answer = answer_in(value[column], where)
    elif "choices" in value:
        answer, column = answer_in(value, where), "choices"
    elif talk[-1][0] == "assistant":
        talk, answer, column = talk[:-1], talk[-1][1], "the last turn"
    else:
        raise BadInput(f"{where}: holds no answer; expected one of {', '.join(ANSWERS)} (present: {_names(value)})")
    if not talk:
        raise BadInput(f"{where}: nothing was asked before the answer")
    name = value.get("id")
    model = _model(value) or _model(value.get(column))
    return Recorded(talk, answer, where, column, None if name is None else str(name), model)


def answer_in(value: Any, where: str) -> str | None:
    """The text of an answer: a string, a message, a chat completion, or a list with one of them. None: none came."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, int, float)):
        return str(value)
    if isinstance(value, list):
        if value and all(isinstance(part, dict) and "type" in part for part in value):
            return text_of(value)
        if len(value) > 1:
            raise BadInput(f"{where}: holds {len(value)} answers; expected one (keep the greedy one)")
        return answer_in(value[0], where) if value else None
    if isinstance(value, dict):
        for key in ("body", "choices", "message", "completion", "content", "text", "generated_text"):
            if key in value:
                return answer_in(value[key], where)
        if "error" in value:
            return None
    raise BadInput(f"{where}: the answer is neither text nor a chat completion")


def text_of(content: Any) -> str:
    """The text of a message's content, which may come in parts; images and other parts have none."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        parts = [part for part in content if isinstance(part, Mapping)]
        return "".join(str(part.get("text") or text_of(part.get("content"))) for part in parts)
    return ""


def _messages(turns: Sequence[Any], where: str) -> Talk:
    talk = []
    for turn in turns:
        if not isinstance(turn, Mapping) or not isinstance(turn.get("role"), str):
            raise BadInput(f"{where}: a message needs a role and a content")
        talk.append((str(turn["role"]), text_of(turn.get("content"))))
    if not talk:
        raise BadInput(f"{where}: the list of messages is empty")
    return tuple(talk)


def _is_pair(value: Any) -> bool:
    """[messages, reply]."""
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], list):
        return False
    return bool(value[0]) and all(isinstance(turn, dict) and "role" in turn for turn in value[0])


def _model(value: Any) -> str | None:
    if isinstance(value, dict):
        for key in ("model", "generator"):
            if isinstance(value.get(key), str):
                return str(value[key])
        return _model(value.get("body"))
    return None


def _names(value: Mapping[str, Any]) -> str:
    names = [str(name)[:40] for name in list(value)[:12]]
    return ", ".join(names) or "none"
