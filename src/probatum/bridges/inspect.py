"""Our targets as a model provider of Inspect: ``inspect eval task.py --model probatum/DIR``.

Requests that wait are answered in one call of the engine, from its store where it has them. Token usage is always
filled: without it Inspect counts tokens by a table that it fetches from the network.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from probatum.audit import open_session
from probatum.bridges import absent
from probatum.bridges.queue import Queue
from probatum.core.errors import NotOffered, ProbatumError
from probatum.core.target import Target, written_out
from probatum.engine.chat_template import ChatTemplate
from probatum.targets import open_target

try:
    from inspect_ai.model import (
        ChatCompletionChoice,
        ChatMessageAssistant,
        GenerateConfig,
        ModelAPI,
        ModelOutput,
        ModelUsage,
        modelapi,
    )
except ImportError as error:
    raise absent("inspect_ai", "inspect") from error

MAX_TOKENS = 256  #: new tokens of an answer, where neither the task nor the user says
TOGETHER = 256  #: requests that may wait at once

#: Settings of a generation that our targets have, and those that say how a request is made, not what is answered.
_HAVE = {"max_tokens", "temperature", "seed", "stop_seqs"}
_HARMLESS = {"max_connections", "adaptive_connections", "max_retries", "timeout", "attempt_timeout", "system_message",
             "stream_idle_timeout", "cache", "cache_prompt", "batch", "max_tool_output", "parallel_tool_calls",
             "internal_tools", "fail_on_refusal", "reasoning_history"}  # fmt: skip
_NEUTRAL = {"top_p": 1, "num_choices": 1, "frequency_penalty": 0, "presence_penalty": 0, "logprobs": False}


@dataclass(frozen=True)
class Request:
    """A conversation, and how its answer is generated."""

    talk: tuple[tuple[str, str], ...]
    max_tokens: int
    temperature: float
    seed: int
    stops: tuple[str, ...] = ()

    @property
    def messages(self) -> list[dict[str, str]]:
        """As targets take them."""
        return [{"role": role, "content": content} for role, content in self.talk]


@dataclass(frozen=True)
class Said:
    """An answer with what it cost. ``unit``: of what the two numbers are counts."""

    text: str | None
    read: int
    written: int
    unit: str
    why: str = ""


@modelapi("probatum")
class ProbatumAPI(ModelAPI):
    """``probatum/DIR``, or any other name that `open_target` opens.

    Parameters
    ----------
    target
        An opened target, in place of the name.
    cache
        The evidence store: True for the default one, a path, or False.
    device, dtype, options
        As for `probatum.audit.open_session` and `open_target` (``-M base=DIR``, ``-M model=NAME`` at an endpoint).
    """

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 (Inspect's own default)
        *,
        target: Target | None = None,
        cache: str | bool = True,
        device: str = "auto",
        dtype: str = "auto",
        **options: Any,
    ):
        super().__init__(model_name, base_url, api_key, [], config)
        if target is None:
            target = open_target(model_name, session=open_session(cache, device=device, dtype=dtype), **options)
        self.target = target
        self.queue: Queue[Request, Said] = Queue(lambda requests: answered(self.target, requests))
        self._drawn: Counter[Request] = Counter()

    def max_connections(self) -> int:
        """So many requests wait for one call of the engine."""
        return TOGETHER

    def max_tokens(self) -> int:
        """Of an answer, by default."""
        return MAX_TOKENS

    async def generate(
        self, input: Sequence[Any], tools: Sequence[Any], tool_choice: Any, config: GenerateConfig
    ) -> ModelOutput:
        """One answer; raises `ProbatumError` where the target has none, so that Inspect counts an error."""
        request = self._request(input, tools, config)
        said = await self.queue.ask(request)
        if said.text is None:
            raise ProbatumError(f"{self.target.name}: {said.why}")
        full = said.written >= request.max_tokens and said.unit == "tokens"
        choice = ChatCompletionChoice(
            message=ChatMessageAssistant(content=said.text, model=self.model_name, source="generate"),
            stop_reason="max_tokens" if full else "stop",
        )
        usage = ModelUsage(input_tokens=said.read, output_tokens=said.written, total_tokens=said.read + said.written)
        counted = None if said.unit == "tokens" else {"usage": f"counted in {said.unit}"}
        return ModelOutput(model=self.model_name, choices=[choice], usage=usage, metadata=counted)

    def _request(self, input: Sequence[Any], tools: Sequence[Any], config: GenerateConfig) -> Request:
        refuse_the_rest(tools, config)
        request = Request(
            tuple((message.role, _text(message)) for message in input),
            config.max_tokens or MAX_TOKENS,
            float(config.temperature or 0.0),
            config.seed or 0,
            tuple(config.stop_seqs or ()),
        )
        if request.temperature > 0:  # an epoch that asks again wants another draw
            self._drawn[request] += 1
            return Request(**{**vars(request), "seed": request.seed + self._drawn[request] - 1})
        return request


def answered(target: Target, requests: Sequence[Request]) -> list[Said]:
    """The answers to all requests, in one call for those that are generated in the same way."""
    out: dict[int, Said] = {}
    ways: dict[tuple[Any, ...], list[int]] = {}
    for i, request in enumerate(requests):
        ways.setdefault((request.max_tokens, request.temperature, request.seed), []).append(i)
    for (max_tokens, temperature, seed), own in ways.items():
        talks = [requests[i].messages for i in own]
        texts = target.answers(talks, max_new_tokens=max_tokens, temperature=temperature, seed=seed)
        read, unit = _counted(target, _prompts(target, talks))
        written, _ = _counted(target, [text or "" for text in texts])
        for i, talk, text, a, b in zip(own, talks, texts, read, written, strict=True):
            cut = None if text is None else _before(text, requests[i].stops)
            out[i] = Said(cut, a, b, unit, _why(target, talk) if text is None else "")
    return [out[i] for i in range(len(requests))]


def refuse_the_rest(tools: Sequence[Any], config: GenerateConfig) -> None:
    """Raise `NotOffered` for what a target cannot do: an answer given otherwise than asked would be a wrong one."""
    if tools:
        names = ", ".join(str(getattr(tool, "name", tool)) for tool in tools)
        raise NotOffered(f"the task offers tools ({names}), and a Probatum target only answers with text")
    given = config.model_dump(exclude_none=True)
    odd = [
        name
        for name, value in given.items()
        if name not in _HAVE | _HARMLESS and not (name in _NEUTRAL and value == _NEUTRAL[name])
    ]
    if odd:
        raise NotOffered(f"the task sets {', '.join(odd)}; a Probatum target has {', '.join(sorted(_HAVE))}")


def _text(message: Any) -> str:
    if isinstance(message.content, list) and any(part.type not in ("text", "reasoning") for part in message.content):
        raise NotOffered("the task sends images, sound or files, and a Probatum target reads only text")
    return str(message.text)


def _prompts(target: Target, talks: Sequence[Sequence[Mapping[str, str]]]) -> list[str]:
    """What the model reads, for counting: through its template, where it has one that can be had."""
    if not getattr(target, "chats", False):
        return [written_out(talk) for talk in talks]
    written: list[Any] = [None] * len(talks)
    if hasattr(target, "tokenizer"):
        template = ChatTemplate(target.tokenizer(), target.name)
        written = [template(talk) for talk in talks]
    bare = ["\n".join(turn["content"] for turn in talk) for talk in talks]
    return [text if isinstance(text, str) else plain for text, plain in zip(written, bare, strict=True)]


def _counted(target: Target, texts: Sequence[str]) -> tuple[list[int], str]:
    """How long the texts are, in tokens, or in words where the target has no tokenizer to ask."""
    try:
        return [len(row) for row in target.encode(texts)], "tokens"
    except NotOffered:
        return [len(text.split()) for text in texts], "words, since this target tells no tokens"


def _before(text: str, stops: Sequence[str]) -> str:
    """Cut before the first stop sequence."""
    return text[: min((at for stop in stops if (at := text.find(stop)) >= 0), default=len(text))]


def _why(target: Target, talk: Sequence[Mapping[str, str]]) -> str:
    known = getattr(target, "failures", {})
    keys = (json.dumps([dict(turn) for turn in talk], sort_keys=True), written_out(talk), talk[-1]["content"])
    return next((known[key] for key in keys if key in known), "no answer came")
