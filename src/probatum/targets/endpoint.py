"""A model behind an OpenAI-compatible endpoint: text, and log-probs of a given text where it echoes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from probatum.core.access import Access
from probatum.core.data import digest_of
from probatum.core.errors import BadInput, BudgetSpent, EndpointError, NotOffered
from probatum.core.target import RECORD
from probatum.engine.session import Session
from probatum.engine.stored import Batch, Failure, StoredTarget
from probatum.targets.openai_protocol import (
    Connection,
    OtherTokens,
    StatusError,
    Unreachable,
    chat_text,
    completion_text,
    echoed_record,
    model_names,
    printable,
    used_tokens,
    written_tokens,
)

THREADS = 8  #: requests under way at once
LOST_IN_A_ROW = 3  #: so many requests that fail for good, with no success between them: the endpoint is gone

#: What every opening asks, so that a model swapped behind the same name has another digest.
FINGERPRINT_PROMPTS = (
    "The capital of the country is",
    "def add(a, b):\n    return",
    "On 3 March 1924 the committee wrote: “",
)
FINGERPRINT_TEXT = (
    "In 1924 the old bridge at Weißenfels (length: 312.5 m) was closed; nobody knew why.\n"
    "\tfor i in range(10): print(i**2)  # émigré, naïve, 東京\n"
)

#: Servers known to take ``max_tokens: 0`` as nothing. Elsewhere 0 may mean "no limit", so 1 is tried first.
NOTHING_IS_NOTHING = ("vllm", "probatum")


class EndpointTarget(StoredTarget):
    """A language model behind ``/completions`` or ``/chat/completions``.

    What the endpoint gives is found out once, when it is opened: TEXT if it continues or answers, LOGPROBS if
    it echoes a prompt with the log-probs of the prompt's own tokens. Endpoints name tokens by their texts, so
    ``id`` and ``argmax`` are numbers made from these texts (equal texts, equal numbers).

    Parameters
    ----------
    url
        Like ``http://HOST:PORT/v1``. User name and password in it are used; they and a query are never shown.
    model
        Its name there; may be left out where the endpoint lists exactly one.
    api_key
        Else ``PROBATUM_API_KEY``, else ``OPENAI_API_KEY``.
    transport, sleep
        Stand-ins for the network (`probatum.controls.served`) and for waiting between tries.

    Attributes
    ----------
    completes, chats, echoes
        Found: ``/completions`` answers, ``/chat/completions`` answers, prompts come back with log-probs.
    reasons
        For what was not found, why.

    Raises
    ------
    BadInput
        Nothing answers there, the key is not accepted, or there is no such model.
    """

    kind = "endpoint"
    encoding_policy = "as the endpoint encodes; a first token without a log-prob is left out"

    def __init__(
        self,
        url: str,
        *,
        session: Session,
        model: str | None = None,
        api_key: str | None = None,
        transport: Any = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        super().__init__(session)
        self._counting = threading.Lock()
        self.reasons: dict[str, str] = {}
        self._limit_name = "max_tokens"
        self._echo_tokens = 1
        self._http = Connection(url, api_key=api_key, transport=transport, sleep=sleep)
        self.url = self._http.url
        self._http.patient = False
        try:
            self._open(model)
        except EndpointError as error:
            raise BadInput(str(error)) from None
        self._http.patient = True

    def __repr__(self) -> str:
        return f"EndpointTarget({self.name!r}, gives {self.access})"

    # Opening: what does it give, and is it still the same model?

    def _open(self, model: str | None) -> None:
        listed, owner = self._models()
        if model is None and len(listed) != 1:
            which = f"it lists {_some(listed)}" if listed else "it lists none"
            raise BadInput(f"{self.url}: say which model (model=NAME); {which}")
        self.model = model if model is not None else listed[0]
        self.name = f"{printable(self.model)} @ {self._http.host}"
        hello = [{"role": "user", "content": "Hello"}]
        self.completes = self._tried("completions", lambda: self._complete("Hello", 1))
        self.chats = self._tried("chat", lambda: self._chat(hello, 1))
        if not (self.completes or self.chats):
            if listed and self.model not in listed:
                raise BadInput(f"{self.url}: no model '{self.model}' there; it lists {_some(listed)}")
            why = self.reasons["completions"]
            hint = " (does the URL end in /v1?)" if ": 404: " in why and not self.url.endswith("/v1") else ""
            raise BadInput(f"neither /completions nor /chat/completions answers: {why}{hint}")
        self.access = Access.TEXT
        self.fields = ()
        echo = self._probe_echo(0 if owner in NOTHING_IS_NOTHING else 1) if self.completes else None
        self.echoes = echo is not None
        if echo is not None:
            self.access |= Access.LOGPROBS
            likeliest = ("argmax", "argmax_logprob") if echo[1] else ()
            self.fields = ("id", "logprob", *likeliest, "end")
        self.tokenizer_digest = self._cuts(echo[0] if echo else None)
        self.digest = self._fingerprint(echo[0] if echo else None)

    def _models(self) -> tuple[list[str], str]:
        """The names that are listed and their owner; nothing where the endpoint has no list."""
        try:
            answer = self._http.ask("/models")
            names = model_names(answer)
            owners = {str(row.get("owned_by")) for row in answer["data"] if isinstance(row, dict)}
            return names, owners.pop() if len(owners) == 1 else ""
        except StatusError as error:
            # 403: some keys may use a model and not list the models.
            if error.status in (401, 429) or error.status >= 500:
                raise
            return [], ""

    def _tried(self, what: str, call: Callable[[], object]) -> bool:
        try:
            call()
        except EndpointError as error:
            # No answer, too many requests or no right to ask say nothing about what the model could do.
            if isinstance(error, Unreachable) or getattr(error, "status", 0) in (401, 429):
                raise
            self.reasons[what] = str(error)
            return False
        self.session.cost.forward_passes += 1
        return True

    def _probe_echo(self, first: int) -> tuple[np.ndarray, bool] | None:
        found: list[tuple[np.ndarray, bool]] = []
        for self._echo_tokens in (first, 1 - first):
            if self._tried("echo", lambda: found.append(self._echo(FINGERPRINT_TEXT)[:2])):
                if found[-1][0]["logprob"].any():
                    return found[-1]
                self.reasons["echo"] = "every log-prob that came back is 0, so they are none"
        return None

    def _cuts(self, record: np.ndarray | None) -> str:
        if record is None:
            return digest_of("endpoint", self.url, self.model)
        return digest_of("endpoint", record["id"].tobytes(), record["end"].tobytes())

    def _fingerprint(self, record: np.ndarray | None) -> str:
        """Digest of address, name and behavior; rounded, since no two runs of a GPU agree in every digit."""
        answers = [self._continue(prompt, 16)[0] for prompt in FINGERPRINT_PROMPTS]
        self.session.cost.forward_passes += len(answers)
        rounded = [] if record is None else [f"{x:.2f}" for x in record["logprob"]]
        way = "completions" if self.completes else "chat"
        return digest_of("endpoint", self.url, self.model, way, ",".join(self.fields), *answers, *rounded)

    def _not_offered(self, needed: Access) -> NotOffered:
        error = super()._not_offered(needed)
        why = self.reasons.get("echo") if needed == Access.LOGPROBS else None
        return NotOffered(f"{error} ({why})") if why else error

    # One request each; the second value is how many tokens it took.

    def _complete(self, prompt: str, limit: int, **how: Any) -> tuple[str, int]:
        body = {"model": self.model, "prompt": prompt, "max_tokens": limit, **_sampling(**how)}
        answer = self._http.ask("/completions", body)
        self._count_written(answer)
        return _before(completion_text(answer), how.get("stop")), used_tokens(answer)

    def _chat(self, messages: Sequence[Mapping[str, str]], limit: int, **how: Any) -> tuple[str, int]:
        body = {"model": self.model, "messages": [dict(m) for m in messages], **_sampling(**how)}
        try:
            answer = self._http.ask("/chat/completions", {**body, self._limit_name: limit})
        except StatusError as error:
            # Newer models of some providers take the same number under another name only.
            if self._limit_name != "max_tokens" or "max_completion_tokens" not in str(error):
                raise
            self._limit_name = "max_completion_tokens"
            answer = self._http.ask("/chat/completions", {**body, self._limit_name: limit})
        self._count_written(answer)
        return _before(chat_text(answer), how.get("stop")), used_tokens(answer)

    def _count_written(self, answer: Mapping[str, Any]) -> None:
        with self._counting:  # answers come in threads
            self.session.cost.generated_tokens += written_tokens(answer)

    def _continue(self, prompt: str, limit: int, **how: Any) -> tuple[str, int]:
        if self.completes:
            return self._complete(prompt, limit, **how)
        return self._chat([{"role": "user", "content": prompt}], limit, **how)

    def _echo(self, text: str) -> tuple[np.ndarray, bool, int]:
        body = {"model": self.model, "prompt": text, "max_tokens": self._echo_tokens, "temperature": 0.0}
        answer = self._http.ask("/completions", {**body, "echo": True, "logprobs": 1})
        record, complete = echoed_record(answer, text)
        return record, complete, used_tokens(answer) or len(record) + 1

    # The hooks of StoredTarget.

    def encode(self, texts: Sequence[str]) -> Any:
        """Numbers of the tokens of every text, from the echo: endpoints cut a text only as they score it."""
        return self.token_statistics(texts).id

    def _compute_records(self, texts: Sequence[str]) -> Iterator[Batch]:
        if not self.echoes:
            raise self._not_offered(Access.LOGPROBS)

        def work(text: str) -> tuple[np.ndarray, int]:
            if not text:
                return np.zeros(0, RECORD), 0
            record, complete, used = self._echo(text)
            if "argmax" in self.fields and len(record) and not complete:
                raise EndpointError("the likeliest tokens are missing; they were there when it was opened")
            return record, used

        return self._in_threads(work, texts, [_guess(text) for text in texts])

    def _compute_choices(self, prompts: Sequence[str], options: Sequence[Sequence[str]]) -> Iterator[Batch]:
        if not self.echoes:
            raise self._not_offered(Access.LOGPROBS)
        # Each prompt with each option is a text like any other, and so it is stored like one.
        pairs = [(p, o) for p, row in zip(prompts, options, strict=True) for o in row]
        whole = [p + o for p, o in pairs]
        stats = self.token_statistics([o for _, o in pairs], prefixes=[p for p, _ in pairs])
        sums, counts = stats.logprob.sum(), stats.logprob.lengths
        sizes = np.array([len(o.encode("utf-8", "surrogatepass")) for _, o in pairs])
        payloads: list[Any] = []
        start = 0
        for row in options:
            here = slice(start, start + len(row))
            start += len(row)
            lost = [self.failures[text] for text in whole[here] if text in self.failures]
            payloads.append(Failure(lost[0]) if lost else (sums[here], counts[here], sizes[here]))
        yield range(len(prompts)), payloads

    def _compute_generations(
        self, prompts: Sequence[str], max_new_tokens: int, temperature: float, stop: str | None, seed: int
    ) -> Iterator[Batch]:
        def work(prompt: str) -> tuple[str, int]:
            return self._continue(prompt, max_new_tokens, temperature=temperature, stop=stop, seed=seed)

        return self._in_threads(work, prompts, [_guess(p) + max_new_tokens for p in prompts])

    def _compute_chats(
        self,
        conversations: Sequence[Sequence[Mapping[str, str]]],
        max_new_tokens: int,
        temperature: float,
        seed: int,
    ) -> Iterator[Batch]:
        if not self.chats:
            raise NotOffered(f"{self.name} does not chat: {self.reasons['chat']}")

        def work(talk: Sequence[Mapping[str, str]]) -> tuple[str, int]:
            return self._chat(talk, max_new_tokens, temperature=temperature, seed=seed)

        guesses = [sum(_guess(m.get("content", "")) for m in talk) + max_new_tokens for talk in conversations]
        return self._in_threads(work, conversations, guesses)

    def _in_threads(
        self, work: Callable[[Any], tuple[Any, int]], items: Sequence[Any], guesses: Sequence[int]
    ) -> Iterator[Batch]:
        """Do ``work`` for every item, `THREADS` at a time, and yield what is done, whatever its order.

        ``guesses`` are booked before the requests, and put right by what the endpoint says it used. What
        concerns one item (too long, other tokens than asked) is its `Failure`; what concerns all (the endpoint
        is gone, the key expired, the budget is spent) ends the work, after what was under way has been yielded.
        """
        ahead = iter(range(len(items)))
        running: dict[Future[tuple[Any, int]], int] = {}
        done: list[tuple[int, Any]] = []
        end: BaseException | None = None
        answered = failed = lost = 0
        enough = min(len(items), 2 * THREADS)  # failures without a single answer
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="endpoint")
        try:
            while True:
                while end is None and len(running) < THREADS and (i := next(ahead, None)) is not None:
                    try:
                        self._book(guesses[i])
                    except BudgetSpent as error:
                        end = error
                    else:
                        running[pool.submit(work, items[i])] = i
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    i = running.pop(future)
                    self.session.cost.forward_passes += 1
                    failure = future.exception()
                    if failure is None:
                        payload, used = future.result()
                        answered, lost = answered + 1, 0
                        self._settle(used - guesses[i] if used else 0)
                        done.append((i, payload))
                        continue
                    if not isinstance(failure, EndpointError):
                        end = failure
                        continue
                    self._settle(-guesses[i])
                    failed, lost = failed + 1, lost + (not _of_one(failure))
                    hopeless = lost >= LOST_IN_A_ROW or (not answered and failed >= enough)
                    if end is None and (hopeless or _of_all(failure)):
                        end = EndpointError(f"{self.name}: {failure}")
                    done.append((i, Failure(str(failure))))
                # A transaction of the store per request would cost more than some requests do.
                if done and (len(done) >= THREADS or not running):
                    yield [i for i, _ in done], [payload for _, payload in done]
                    done = []
            if end is not None:
                raise end
        finally:
            # Not waiting: after Ctrl-C nobody wants to sit through the time limit of eight requests.
            pool.shutdown(wait=False, cancel_futures=True)

    def _settle(self, tokens: int) -> None:
        """Put a guess that was booked right."""
        self.session.budget.spent += tokens
        self.session.cost.forward_tokens += tokens


def _of_one(error: EndpointError) -> bool:
    """Is it the fault of this one text (too long, not encodable), as far as can be told?"""
    return isinstance(error, OtherTokens) or getattr(error, "status", 0) in (400, 413, 422)


def _of_all(error: EndpointError) -> bool:
    """Will every other request meet with the same?"""
    return getattr(error, "status", 0) in (401, 403, 404, 429)


def _sampling(temperature: float = 0.0, stop: str | None = None, seed: int = 0) -> dict[str, Any]:
    # A seed means nothing to greedy decoding, and some servers refuse a word that they do not know.
    body: dict[str, Any] = {"temperature": temperature}
    if temperature > 0:
        body["seed"] = seed
    if stop is not None:
        body["stop"] = [stop]
    return body


def _before(text: str, stop: str | None) -> str:
    return text.split(stop, 1)[0] if stop else text


def _guess(text: str) -> int:
    """Tokens of a text nobody has cut yet: about four bytes each."""
    return len(text.encode("utf-8", "surrogatepass")) // 4 + 1


def _some(names: Sequence[str], most: int = 8) -> str:
    shown = ", ".join(printable(name)[:80] for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
