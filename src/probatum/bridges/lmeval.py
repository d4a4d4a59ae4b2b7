"""Our targets as a model of lm-evaluation-harness: ``lm_eval.evaluate(ProbatumLM(target), tasks)``.

All requests of one kind come together and are answered in one call, from the evidence store where it has them. A text
is cut into tokens by our one policy (a start token first; the tokens of ``context + continuation`` as one text decide
where the continuation begins), and a text longer than the model's context is read in windows that overlap by half.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from probatum.bridges import absent
from probatum.core.errors import BadInput, NotOffered, ProbatumError
from probatum.core.target import Target, TokenStatistics
from probatum.targets import open_target

try:
    from lm_eval.api.model import LM
except ImportError as error:
    raise absent("lm_eval", "lmeval") from error

MAX_TOKENS = 256  #: new tokens where a task does not say (the harness has the same)
_LENGTHS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
_SAMPLERS = {"top_p": 1, "top_k": 0, "min_p": 0, "typical_p": 1, "repetition_penalty": 1, "num_beams": 1}


@dataclass(frozen=True)
class _Way:
    """How a text is generated."""

    max_tokens: int
    temperature: float
    stops: tuple[str, ...]


class ProbatumLM(LM):
    """``target``: what `open_target` opens, or an opened target. Log-likelihoods need LOGPROBS, texts TEXT."""

    def __init__(self, target: str | Path | Target):
        super().__init__()
        self.target = open_target(target)

    def loglikelihood(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[tuple[float, bool]]:
        """(log p(continuation | context), whether greedy decoding would write it) of every request."""
        pairs = [(str(context), str(text)) for context, text in (request.args for request in requests)]
        tokens = self.target.token_statistics([text for _, text in pairs], prefixes=[before for before, _ in pairs])
        likeliest = [bool((a == b).all()) for a, b in zip(tokens.id, tokens.argmax, strict=True)]
        sums = self._sums(tokens, pairs)
        return list(zip(sums, likeliest, strict=True))

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[float]:
        """Log-likelihood of every whole text after the start token."""
        texts = [str(request.args[0]) for request in requests]
        return self._sums(self.target.token_statistics(texts), [("", text) for text in texts])

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        """What the target writes after every context, cut before the first stop sequence.

        Raises `NotOffered` for samplers that a target does not have.
        """
        ways: dict[tuple[_Way, int], list[int]] = defaultdict(list)
        drawn: Counter[tuple[str, _Way]] = Counter()
        for i, request in enumerate(requests):
            context, way = str(request.args[0]), _way(request.args[1])
            drawn[context, way] += 1  # a request that stands there again wants another draw
            ways[way, drawn[context, way] - 1 if way.temperature > 0 else 0].append(i)
        out: dict[int, str] = {}
        for (way, seed), own in ways.items():
            said = self.target.generate(
                [str(requests[i].args[0]) for i in own],
                max_new_tokens=way.max_tokens,
                temperature=way.temperature,
                stop=way.stops[0] if way.stops else None,
                seed=seed,
            )
            for i, text in zip(own, said, strict=True):
                out[i] = text[: min((at for s in way.stops if (at := text.find(s)) >= 0), default=len(text))]
        return [out[i] for i in range(len(requests))]

    def set_cache_hook(self, cache_hook: Any) -> None:
        """Refused: the harness keeps answers under the request alone, so another model would get this one's."""
        raise BadInput(
            "the cache of lm-evaluation-harness (use_cache) does not know which model answered; leave it out, "
            "Probatum keeps answers by the digest of the model"
        )

    @property
    def tokenizer_name(self) -> str:
        """What decides how texts are cut; for the harness's own records."""
        return self.target.tokenizer_digest[:16]

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The model's own template; no other one can be chosen."""
        return str(self._tokenizer().chat_template) if chat_template else None

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """A conversation as the text that the model reads, without the start token, which our policy puts there."""
        tokenizer = self._tokenizer()
        text = str(
            tokenizer.apply_chat_template(
                chat_history,
                tokenize=False,
                add_generation_prompt=add_generation_prompt,
                continue_final_message=not add_generation_prompt,
            )
        )
        return text.removeprefix(tokenizer.bos_token or "")

    def _tokenizer(self) -> Any:
        if not getattr(self.target, "chats", False) or not hasattr(self.target, "tokenizer"):
            raise NotOffered(f"{self.target.name} has no chat template of its own here; run the task without one")
        return self.target.tokenizer()

    def _sums(self, tokens: TokenStatistics, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """Sums of log-probabilities; raises where a text that has characters has no token."""
        for i, (before, text) in enumerate(pairs):
            if text and not len(tokens.logprob[i]):
                why = getattr(self.target, "failures", {}).get(before + text, "no token of it can be scored")
                raise ProbatumError(f"{self.target.name}: a text of {len(text)} characters has no likelihood ({why})")
        return [float(np.sum(row, dtype=np.float64)) for row in tokens.logprob]


def _way(given: Mapping[str, Any]) -> _Way:
    """The harness's settings of a generation as ours: greedy unless the task samples."""
    stops = given.get("until") or ()
    stops = (stops,) if isinstance(stops, str) else tuple(stops)
    length = next((given[name] for name in _LENGTHS if given.get(name) is not None), MAX_TOKENS)
    temperature = float(given.get("temperature") or 0.0)
    if given.get("do_sample") is True and "temperature" not in given:
        temperature = 1.0
    if given.get("do_sample") is False:
        temperature = 0.0
    odd = {name: given[name] for name, no in _SAMPLERS.items() if name in given and given[name] not in (None, no)}
    if odd and (temperature > 0 or "num_beams" in odd or "repetition_penalty" in odd):
        raise NotOffered(f"the task samples with {json.dumps(odd)}, and a Probatum target only has a temperature")
    return _Way(int(length), temperature, tuple(s for s in stops if s))
