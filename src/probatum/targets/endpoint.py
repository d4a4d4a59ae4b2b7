"""A model behind an OpenAI-compatible endpoint: text, and log-probs of a given text where it echoes them."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
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
    TRIES,
    Connection,
    OtherTokens,
    StatusError,
    Unreachable,
    chat_text,
    completion_text,
    context_of,
    echoed_record,
    listed_models,
    one_each,
    printable,
    used_tokens,
    written_tokens,
)

THREADS = 8  #: requests under way at once
TOGETHER = 16  #: prompts in one request, where the endpoint takes lists of prompts
TOGETHER_TOKENS = 4096  #: read and written for one list, so that its answer comes in time
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

_PLAIN = {"top_p": 1.0, "min_p": 0.0, "repeat_penalty": 1.0, "repetition_penalty": 1.0}
#: What makes a server write by the model's own law, where it would cut unlikely tokens or punish repeated ones unless
#: told otherwise (llama-cpp-python and vLLM may). Servers differ in what "no top-k" is; some refuse unknown words.
PLAIN: tuple[dict[str, Any], ...] = ({**_PLAIN, "top_k": 0}, {**_PLAIN, "top_k": -1}, {})

#: Of the tokens that it wrote itself as the likeliest, so many must be the likeliest in its echo. Where the log-probs
#: stand one place off (llama-cpp-python, for models that begin no text with a token), hardly any are.
LIKELIEST = 0.1


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
    at_once
        Prompts that it takes in one request; halved when a list of them fails.
    context
        Tokens that it reads at once; only where ``/models`` says so.
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
        self._plain: dict[str, Any] = {}
        self.at_once = 1
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
        listed, owner = self._models(named=model is not None)
        if model is None and len(listed) != 1:
            which = f"it lists {_some(list(listed))}" if listed else "it lists none"
            raise BadInput(f"{self.url}: say which model (model=NAME); {which}")
        self.model = model if model is not None else next(iter(listed))
        self.name = f"{printable(self.model)} @ {self._http.host}"
        if context := context_of(listed.get(self.model, {})):
            self.context = context
        hello = [{"role": "user", "content": "Hello"}]
        self.completes = self._tried("completions", self._first_completion)
        self.chats = self._tried("chat", lambda: self._chat(hello, 1))
        if not (self.completes or self.chats):
            if listed and self.model not in listed:
                raise BadInput(f"{self.url}: no model '{self.model}' there; it lists {_some(list(listed))}")
            why = self.reasons["completions"]
            hint = " (does the URL end in /v1?)" if ": 404: " in why and not self.url.endswith("/v1") else ""
            raise BadInput(f"neither /completions nor /chat/completions answers: {why}{hint}")
        self.access = Access.TEXT
        self.fields = ()
        self._said = answers = self._first_answers()
        echo = self._probe_echo(0 if owner in NOTHING_IS_NOTHING else 1) if self.completes else None
        if echo is not None and (why := self._displaced(answers)):
            self.reasons["echo"], echo = why, None
        self.echoes = echo is not None
        if echo is not None:
            self.access |= Access.LOGPROBS
            likeliest = ("argmax", "argmax_logprob") if echo[1] else ()
            self.fields = ("id", "logprob", *likeliest, "end")
        self.tokenizer_digest = self._cuts(echo[0] if echo else None)
        self.digest = self._fingerprint(answers, echo[0] if echo else None)

    def _models(self, named: bool) -> tuple[dict[str, dict[str, Any]], str]:
        """What is said of each model that is listed, and their owner; nothing where the endpoint has no list, or where
        its list fails and the model was named: `transformers serve` without a model cache answers 500 and works."""
        try:
            listed = listed_models(self._http.ask("/models"))
            owners = {str(row.get("owned_by")) for row in listed.values()}
            return listed, owners.pop() if len(owners) == 1 else ""
        except StatusError as error:
            # 403: some keys may use a model and not list the models.
            if error.status in (401, 429) or (error.status >= 500 and not named):
                raise
            return {}, ""

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

    def _first_completion(self) -> None:
        for self._plain in PLAIN:
            try:
                self._complete(["Hello"], 1)
                return
            except StatusError as error:
                if error.status not in (400, 422) or not self._plain:
                    raise

    def _first_answers(self) -> list[str]:
        """What it writes after the prompts of the fingerprint; asked in one request, to see whether it takes lists."""
        self.at_once = 1
        if self.completes:
            try:
                answers, _ = self._complete(FINGERPRINT_PROMPTS, 16, tries=2)
                self.at_once = TOGETHER
                self.session.cost.forward_passes += 1
                return answers
            except Unreachable:
                raise
            except EndpointError as error:
                self.reasons["lists"] = str(error)
        self.session.cost.forward_passes += len(FINGERPRINT_PROMPTS)
        return [self._continue([prompt], 16)[0][0] for prompt in FINGERPRINT_PROMPTS]

    def _probe_echo(self, first: int) -> tuple[np.ndarray, bool] | None:
        found: list[tuple[np.ndarray, bool]] = []
        for self._echo_tokens in (first, 1 - first):
            if self._tried("echo", lambda: found.append(self._echo_one(FINGERPRINT_TEXT))):
                if found[-1][0]["logprob"].any():
                    return found[-1]
                self.reasons["echo"] = "every log-prob that came back is 0, so they are none"
        return None

    def _displaced(self, answers: Sequence[str]) -> str:
        """Why the log-probs of an echo are not those of their tokens, seen by what it wrote itself, greedily; or ""."""
        likeliest, first = list[bool](), list[bool]()
        for prompt, answer in zip(FINGERPRINT_PROMPTS, answers, strict=True):
            self.session.cost.forward_passes += 1
            try:
                record, _ = self._echo_one(prompt + answer)
            except OtherTokens:  # of a text that it wrote itself, which may be no text at all
                continue
            record = record[record["end"] > len(prompt)]
            flags = (record["logprob"] >= record["argmax_logprob"] - 0.1).tolist()
            likeliest, first = likeliest + flags, first + flags[:1]
        # What was written may be cut into other tokens when it is read, above all of a model that knows no words.
        if sum(likeliest) < LIKELIEST * len(likeliest) and not any(first):
            return (
                f"log-probs stand beside other tokens than their own: of {len(likeliest)} tokens that it wrote as the "
                f"likeliest, {sum(likeliest)} are the likeliest in its echo"
            )
        return ""

    def _cuts(self, record: np.ndarray | None) -> str:
        if record is None:
            return digest_of("endpoint", self.url, self.model)
        return digest_of("endpoint", record["id"].tobytes(), record["end"].tobytes())

    def _fingerprint(self, answers: Sequence[str], record: np.ndarray | None) -> str:
        """Digest of address, name and behavior; rounded, since no two runs of a GPU agree in every digit."""
        rounded = [] if record is None else [f"{x:.2f}" for x in record["logprob"]]
        way = f"completions {json.dumps(self._plain, sort_keys=True)}" if self.completes else "chat"
        return digest_of("endpoint", self.url, self.model, way, ",".join(self.fields), *answers, *rounded)

    def changed(self) -> str:
        """Ask the prompts of the fingerprint again, at the end: a sentence where the answers are others, or ""."""
        self._http.patient = False
        try:
            again = self._first_answers()
            if again == self._said:
                return ""
            once_more = self._first_answers()
        except EndpointError as error:
            return f"{self.name} could not be asked again at the end, so it may have changed unnoticed: {error}"
        finally:
            self._http.patient = True
        n = sum(a != b for a, b in zip(self._said, again, strict=True))
        told = f"{self.name} answers {n} of {len(again)} questions otherwise than when the audit began"
        if once_more == again:
            return f"{told}, and twice alike: the model behind it changed, and these findings are of more than one"
        return f"{told}, and otherwise again when asked once more: it does not repeat itself, or changes all the time"

    def why_not(self, needed: Access) -> str:
        """What was wrong with the echo, where log-probs are wanted and are not given."""
        return self.reasons.get("echo", "") if needed & Access.LOGPROBS & ~self.access else ""

    # One request each; the second value is how many tokens it took.

    def _complete(self, prompts: Sequence[str], limit: int, *, tries: int = TRIES, **how: Any) -> tuple[list[str], int]:
        body = {"model": self.model, "max_tokens": limit, **_sampling(**how), **self._plain}
        rows, answer = self._ask_several(prompts, body, tries)
        self._count_written(answer)
        return [_before(completion_text(row), how.get("stop")) for row in rows], used_tokens(answer)

    def _ask_several(
        self, prompts: Sequence[str], body: Mapping[str, Any], tries: int = TRIES
    ) -> tuple[list[Any], Any]:
        """(the answer to each prompt, the answer to the request). A list that takes too long is not sent again."""
        n = len(prompts)
        prompt = list(prompts) if n > 1 else prompts[0]
        answer = self._http.ask("/completions", {**body, "prompt": prompt}, tries=tries, patient=n == 1)
        return one_each(answer, n) if n > 1 else [answer], answer

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

    def _continue(self, prompts: Sequence[str], limit: int, **how: Any) -> tuple[list[str], int]:
        if self.completes:
            return self._complete(prompts, limit, **how)
        [prompt] = prompts
        said, used = self._chat([{"role": "user", "content": prompt}], limit, **how)
        return [said], used

    def _echo_one(self, text: str) -> tuple[np.ndarray, bool]:
        ((found,), _) = self._echo([text])
        if isinstance(found, EndpointError):
            raise found
        return found

    def _echo(self, texts: Sequence[str]) -> tuple[list[tuple[np.ndarray, bool] | EndpointError], int]:
        """Of each text its record, and whether the likeliest tokens came; or what was wrong with its echo."""
        body = {"model": self.model, "max_tokens": self._echo_tokens, "temperature": 0.0, "echo": True, "logprobs": 1}
        rows, answer = self._ask_several(texts, body)
        found: list[tuple[np.ndarray, bool] | EndpointError] = []
        for row, text in zip(rows, texts, strict=True):
            try:
                found.append(echoed_record(row, text))
            except EndpointError as error:
                found.append(error)
        guessed = sum(len(f[0]) + 1 for f in found if not isinstance(f, EndpointError))
        return found, used_tokens(answer) or guessed

    # The hooks of StoredTarget.

    def encode(self, texts: Sequence[str]) -> Any:
        """Numbers of the tokens of every text, from the echo: endpoints cut a text only as they score it."""
        return self.token_statistics(texts).id

    def _compute_records(self, texts: Sequence[str]) -> Iterator[Batch]:
        if not self.echoes:
            raise self._not_offered(Access.LOGPROBS)

        empty = [i for i, text in enumerate(texts) if not text]
        if empty:
            yield empty, [np.zeros(0, RECORD)] * len(empty)
        asked = [i for i, text in enumerate(texts) if text]

        def work(some: Sequence[str]) -> tuple[list[Any], int]:
            found, used = self._echo(some)
            return [self._believed(one) for one in found], used

        mine = [texts[i] for i in asked]
        for places, payloads in self._in_threads(work, mine, [_guess(text) for text in mine], self.at_once):
            yield [asked[p] for p in places], payloads

    def _believed(self, found: tuple[np.ndarray, bool] | EndpointError) -> np.ndarray | EndpointError:
        if isinstance(found, EndpointError):
            return found
        record, complete = found
        if "argmax" in self.fields and len(record) and not complete:
            return EndpointError("the likeliest tokens are missing; they were there when it was opened")
        return record

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
        def work(some: Sequence[str]) -> tuple[list[Any], int]:
            texts, used = self._continue(some, max_new_tokens, temperature=temperature, stop=stop, seed=seed)
            return [*texts], used

        return self._in_threads(work, prompts, [_guess(p) + max_new_tokens for p in prompts], self.at_once)

    def _compute_chats(
        self,
        conversations: Sequence[Sequence[Mapping[str, str]]],
        max_new_tokens: int,
        temperature: float,
        seed: int,
    ) -> Iterator[Batch]:
        if not self.chats:
            raise NotOffered(f"{self.name} does not chat: {self.reasons['chat']}")

        def work(talks: Sequence[Sequence[Mapping[str, str]]]) -> tuple[list[Any], int]:
            said, used = self._chat(talks[0], max_new_tokens, temperature=temperature, seed=seed)
            return [said], used

        guesses = [sum(_guess(m.get("content", "")) for m in talk) + max_new_tokens for talk in conversations]
        return self._in_threads(work, conversations, guesses, 1)

    def _in_threads(
        self,
        work: Callable[[Sequence[Any]], tuple[list[Any], int]],
        items: Sequence[Any],
        guesses: Sequence[int],
        at_once: int,
    ) -> Iterator[Batch]:
        """Do ``work`` for every item, `THREADS` requests at a time, and yield what is done, whatever its order.

        ``work`` is given at most ``at_once`` items and gives a payload or an error for each, and the tokens used.
        ``guesses`` are booked before the requests, and put right by what the endpoint says it used. When a request
        for several items fails, each is asked by itself, and later requests take half as many. What concerns one
        item (too long, other tokens than asked) is its `Failure`; what concerns all (the endpoint is gone, the key
        expired, the budget is spent) ends the work, after what was under way has been yielded.
        """
        ahead, again = deque(range(len(items))), deque[int]()
        running: dict[Future[tuple[list[Any], int]], list[int]] = {}
        done: list[tuple[int, Any]] = []
        end: BaseException | None = None
        answered = failed = lost = 0
        enough = min(len(items), 2 * THREADS)  # failures without a single answer
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="endpoint")
        try:
            while True:
                while end is None and len(running) < THREADS and (again or ahead):
                    if again:
                        group = [again.popleft()]
                    else:
                        group, end = self._booked(ahead, guesses, at_once)
                    if group:
                        running[pool.submit(work, [items[i] for i in group])] = group
                if not running:
                    break
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    group = running.pop(future)
                    self.session.cost.forward_passes += 1
                    failure = future.exception()
                    booked = sum(guesses[i] for i in group)
                    if failure is None:
                        outcomes, used = future.result()
                        self._settle(used - booked if used else 0)
                    elif not isinstance(failure, EndpointError):
                        end = failure
                        continue
                    elif len(group) > 1 and not _of_all(failure):
                        self.at_once = at_once = min(at_once, max(1, len(group) // 2))
                        again += group
                        continue
                    else:
                        outcomes = [failure] * len(group)
                        self._settle(-booked)
                    for i, outcome in zip(group, outcomes, strict=True):
                        if not isinstance(outcome, EndpointError):
                            answered, lost = answered + 1, 0
                            done.append((i, outcome))
                            continue
                        failed, lost = failed + 1, lost + (not _of_one(outcome))
                        hopeless = lost >= LOST_IN_A_ROW or (not answered and failed >= enough)
                        if end is None and (hopeless or _of_all(outcome)):
                            end = EndpointError(f"{self.name}: {outcome}")
                        done.append((i, Failure(str(outcome))))
                # A transaction of the store per request would cost more than some requests do.
                if done and (len(done) >= THREADS or not running):
                    yield [i for i, _ in done], [payload for _, payload in done]
                    done = []
            if end is not None:
                self._settle(-sum(guesses[i] for i in again))
                raise end
        finally:
            # Not waiting: after Ctrl-C nobody wants to sit through the time limit of eight requests.
            pool.shutdown(wait=False, cancel_futures=True)

    def _booked(self, ahead: deque[int], guesses: Sequence[int], at_once: int) -> tuple[list[int], BudgetSpent | None]:
        """The next items for one request, as far as the budget goes."""
        group: list[int] = []
        size = 0
        while ahead and len(group) < at_once and (not group or size + guesses[ahead[0]] <= TOGETHER_TOKENS):
            try:
                self._book(guesses[ahead[0]])
            except BudgetSpent as error:
                return group, error
            size += guesses[ahead[0]]
            group.append(ahead.popleft())
        return group, None

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
