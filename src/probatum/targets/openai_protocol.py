"""The OpenAI-compatible protocol over HTTP: one request, its retries, and what its answers mean.

Servers differ (OpenAI's legacy completions, vLLM, SGLang, llama-cpp-python …), so the shape of every answer
is checked before it is believed, and the tokens that come back are laid over the text that was asked for.
"""

from __future__ import annotations

import base64
import email.utils
import functools
import hashlib
import json
import math
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import numpy as np

from probatum.core.errors import BadInput, EndpointError
from probatum.core.target import RECORD
from probatum.targets.overlay import lay_over

TRIES = 5  #: how often one request is sent before it counts as failed
PATIENCE = 120.0  #: seconds; an endpoint that asks for a longer pause (Retry-After) is not waited for
LARGEST = 64 * 2**20  #: bytes of one answer; a hostile server could send forever
LOOPBACK = ("localhost", "127.0.0.1", "::1")
ENDINGS = ("/chat/completions", "/completions", "/models")


class StatusError(EndpointError):
    """The endpoint answered with an HTTP status that asking again did not, or would not, change."""

    def __init__(self, sentence: str, status: int):
        super().__init__(sentence)
        self.status = status


class Unreachable(EndpointError):
    """Nothing answered, or not in time."""


class OtherTokens(EndpointError):
    """The log-probs that came are not those of the text that was asked for."""


class _Again(Exception):
    """Worth another try, after ``wait`` seconds where the endpoint named a time."""

    def __init__(self, reason: str, *, status: int = 0, wait: float | None = None, unreachable: bool = False):
        super().__init__(reason)
        self.status = status
        self.wait = wait
        self.unreachable = unreachable


class Connection:
    """Sends requests to one endpoint; safe to share between threads.

    The key stands in a header of the HTTP client and in a private field that blots it out of messages; no
    text that this class gives away holds it. Redirects are never followed, so the key reaches no other host.

    Raises
    ------
    BadInput
        The URL is none, or ``PROBATUM_TIMEOUT`` is not a number of seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None = None,
        transport: Any = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        import httpx

        parts = _split(url)
        self.url = public_url(parts)
        self.host = urlsplit(self.url).netloc
        self.timeout = _timeout()
        #: False while the endpoint is opened: nobody waits for a server that is not there.
        self.patient = True
        self._sleep = sleep
        key = api_key or _key_for(parts)
        self._hidden = [part for part in (key, parts.password, *_query_values(parts)) if part]
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        elif parts.username:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        try:
            httpx.URL(self.url)
            self._client: Any = httpx.Client(
                headers=headers,
                params=parts.query or None,
                timeout=httpx.Timeout(self.timeout, connect=min(10.0, self.timeout)),
                transport=transport,
                follow_redirects=False,
                # A proxy is for the outside; what runs on this machine is asked directly.
                trust_env=parts.hostname not in LOOPBACK,
            )
        except httpx.InvalidURL:
            raise BadInput("an endpoint's URL looks like http://HOST:PORT/v1; what came is none") from None
        except UnicodeEncodeError:
            raise BadInput("the API key holds characters that no key has; set it again") from None

    def __repr__(self) -> str:
        return f"Connection({self.url})"

    def ask(
        self, path: str, body: Mapping[str, Any] | None = None, *, tries: int = TRIES, patient: bool = True
    ) -> dict[str, Any]:
        """POST ``body`` as JSON (GET without one) and give the JSON object that came back.

        Too many requests (429), errors of the server (5xx), broken answers and lost connections are tried
        again with growing, random pauses; silence only where one is ``patient``.

        Raises
        ------
        StatusError
            An HTTP error: at once for 400, 401, 403, 404 …, after the last try for 429 and 5xx.
        Unreachable
            Nothing answered, or not in time.
        EndpointError
            Everything else that went wrong, in one sentence.
        """
        for attempt in range(1, tries + 1):
            try:
                return self._once(path, body)
            except _Again as again:
                if attempt == tries or (again.unreachable and not (patient and self.patient)):
                    times = f" ({attempt} times in a row)" if attempt > 1 else ""
                    sentence = f"{self.url}: {again}{times}"
                    if again.status:
                        raise StatusError(sentence, again.status) from None
                    raise (Unreachable if again.unreachable else EndpointError)(sentence) from None
                # Jitter keeps the threads of one pool from coming back all at once.
                pause = 0.5 * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                self._sleep(pause if again.wait is None else again.wait)
        raise AssertionError("unreachable")

    def _once(self, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        import httpx

        deadline = time.monotonic() + self.timeout
        content = None if body is None else json.dumps(body).encode()
        raw = bytearray()
        try:
            with self._client.stream("GET" if body is None else "POST", self.url + path, content=content) as response:
                for chunk in response.iter_bytes():
                    raw += chunk
                    if len(raw) > LARGEST:
                        raise EndpointError(f"{self.url}: an answer of more than {LARGEST >> 20} MiB was not read")
                    if time.monotonic() > deadline:
                        raise httpx.ReadTimeout("too slow")
        except httpx.TimeoutException:
            reason = f"no answer within {self.timeout:g} s (PROBATUM_TIMEOUT sets another limit)"
            raise _Again(reason, unreachable=True) from None
        except httpx.ConnectError as error:
            raise _Again(f"cannot connect: {self._clean(str(error), body)}", unreachable=True) from None
        except httpx.HTTPError as error:
            raise _Again(f"the answer broke off: {self._clean(str(error), body)}") from None
        answered = bytes(raw)
        for secret in self._hidden:
            if len(secret) >= 16:  # shorter ones (EMPTY, test) are no secret, and may be words of an answer
                answered = answered.replace(secret.encode(), b"***")
        self._judge(response, answered, body)
        return self._parsed(response.status_code, answered, body)

    def _parsed(self, status: int, raw: bytes, body: Mapping[str, Any] | None) -> dict[str, Any]:
        if re.match(rb"\s*<", raw):
            raise EndpointError(f"{self.url}: answered with a web page, not JSON; does the URL end in /v1?")
        try:
            answer = json.loads(raw)
        except ValueError:
            raise _Again("the answer is not JSON, or is cut in the middle") from None
        if not isinstance(answer, dict):
            raise EndpointError(f"{self.url}: expected a JSON object, got {type(answer).__name__}")
        if "choices" not in answer and "data" not in answer and "error" in answer:
            raise StatusError(f"{self.url}: {self._said(raw, body) or 'an error without a message'}", status)
        return answer

    def _judge(self, response: Any, raw: bytes, body: Mapping[str, Any] | None) -> None:
        """Pass over a success; raise what the status means otherwise."""
        status = response.status_code
        said = self._said(raw, body)
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            there = public_url(urlsplit(response.headers.get("location", "")))
            raise StatusError(
                f"{self.url}: {status}: redirects to {self._clean(there, body)}; redirects are not followed, "
                "since the key would go along; give that URL instead if it is right",
                status,
            )
        if status == 429 or status in (408, 425):
            wait = _retry_after(response.headers.get("retry-after"))
            if wait is not None and wait > PATIENCE:
                raise StatusError(f"{self.url}: {status}: asks for a pause of {wait:.0f} s; come back later", status)
            raise _Again(f"{status}: {said or 'too many requests'}", status=status, wait=wait)
        if status >= 500 and status != 501:
            raise _Again(f"{status}: {said or 'the server failed'}", status=status)
        if status in (401, 403):
            given = "Authorization" in self._client.headers
            wants = "does not accept the key that was given; set PROBATUM_API_KEY to another"
            if not given:
                wants = "the endpoint wants a key; set PROBATUM_API_KEY"
            raise StatusError(f"{self.url}: {status}: {wants}", status)
        raise StatusError(f"{self.url}: {status}: {said or 'refused without a message'}", status)

    def _said(self, raw: bytes, body: Mapping[str, Any] | None) -> str:
        """What an error body says, fit to be shown; empty for web pages and other things."""
        try:
            answer = json.loads(raw)
        except ValueError:
            return ""
        error = answer.get("error", answer) if isinstance(answer, dict) else answer
        if isinstance(error, dict):
            error = error.get("message") or error.get("detail") or ""
        return self._clean(error, body) if isinstance(error, str) else ""

    def _clean(self, message: str, body: Mapping[str, Any] | None) -> str:
        """One short line, without the key, without control characters, without the text that we had sent."""
        for secret in self._hidden:
            message = message.replace(secret, "***")
        message = printable(message)
        if any(_quotes(message, text) for text in _texts(body)):
            return "(its message quotes the text that was sent, and is not shown)"
        return message if len(message) <= 200 else message[:199] + "…"


def printable(text: str) -> str:
    """One line without control characters: names and messages come from a server that may be hostile."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port  # an invalid one raises here
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadInput("an endpoint's URL looks like http://HOST:PORT/v1; what came is none")
    return parts


def public_url(parts: SplitResult) -> str:
    """The URL without user name, password, query and fragment, and without the name of a single operation."""
    host = parts.netloc.rpartition("@")[2].lower()
    path = parts.path.rstrip("/")
    for ending in ENDINGS:
        if path.endswith(ending):
            path = path[: -len(ending)]
            break
    return urlunsplit((parts.scheme, host, path, "", ""))


def _query_values(parts: SplitResult) -> list[str]:
    return [value for pair in parts.query.split("&") if len(value := pair.partition("=")[2]) >= 8]


def _key_for(parts: SplitResult) -> str:
    """The key in the environment that is meant for this host.

    OpenAI's key goes to OpenAI and to this machine only: an audit may well ask an endpoint that is not trusted,
    and nobody who set that key for another program meant to hand it over there.
    """
    host = parts.hostname or ""
    own = os.environ.get("PROBATUM_API_KEY") or ""
    theirs = host in LOOPBACK or (parts.scheme == "https" and f".{host}".endswith(".openai.com"))
    return own or (os.environ.get("OPENAI_API_KEY") or "" if theirs else "")


def _timeout() -> float:
    given = os.environ.get("PROBATUM_TIMEOUT", "120")
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise BadInput(f"PROBATUM_TIMEOUT must be a number of seconds above 0, got {given!r}")
    return seconds


def _retry_after(value: str | None) -> float | None:
    """Seconds from a Retry-After header, which is a number or a date; None if it cannot be read."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _texts(body: Mapping[str, Any] | None) -> list[str]:
    """The private texts of a request."""
    if body is None:
        return []
    contents = [m.get("content", "") for m in body.get("messages", ())]
    prompt = body.get("prompt")
    prompts = prompt if isinstance(prompt, list) else [prompt]
    return [t for t in (*prompts, *contents) if isinstance(t, str)]


def _quotes(message: str, text: str, length: int = 16) -> bool:
    text = " ".join(text.split())
    if len(text) <= length:
        return len(text) >= 4 and text in message
    return any(text[i : i + length] in message for i in range(len(text) - length + 1))


# What the answers mean. Each function takes the JSON object of an answer; a wrong shape is an EndpointError.


def listed_models(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What /models says of each model, by name."""
    rows = answer.get("data")
    if not isinstance(rows, list):
        raise EndpointError("/models did not answer with a list of models")
    return {row["id"]: row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)}


def context_of(row: Mapping[str, Any]) -> int | None:
    """How many tokens a model reads at once, where its row of /models says so (vLLM and SGLang, others)."""
    for name in ("max_model_len", "context_length", "max_context_length"):
        if isinstance(row.get(name), int) and not isinstance(row[name], bool) and 1 < row[name] < 2**31:
            return int(row[name])
    return None


def one_each(answer: Mapping[str, Any], n: int) -> list[dict[str, Any]]:
    """The answer as ``n`` answers, one per prompt of the request, in the order of the prompts."""
    choices = answer.get("choices")
    rows = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    if sorted(str(row.get("index")) for row in rows) != sorted(map(str, range(n))):
        raise EndpointError(f"answered with {len(rows)} choices, or in no order, where {n} prompts were sent")
    return [{"choices": [row]} for row in sorted(rows, key=lambda row: int(row["index"]))]


def completion_text(answer: Mapping[str, Any]) -> str:
    """The continuation in an answer of /completions."""
    text = _choice(answer).get("text")
    if not isinstance(text, str):
        raise EndpointError("/completions answered without a text")
    return text


def chat_text(answer: Mapping[str, Any]) -> str:
    """What the model said, in an answer of /chat/completions; a refusal is what it said, too."""
    message = _choice(answer).get("message")
    if not isinstance(message, dict):
        raise EndpointError("/chat/completions answered without a message")
    said = message.get("content")
    if said is None:
        said = message.get("refusal") or ""
    if isinstance(said, list):  # parts, as some servers send them
        said = "".join(part.get("text") or "" for part in said if isinstance(part, dict))
    if not isinstance(said, str):
        raise EndpointError("/chat/completions answered without a text")
    return said


def written_tokens(answer: Mapping[str, Any]) -> int:
    """How many tokens the endpoint says it wrote; 0 where it says nothing."""
    usage = answer.get("usage")
    written = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return written if isinstance(written, int) and 0 < written < 2**31 else 0


def used_tokens(answer: Mapping[str, Any]) -> int:
    """How many tokens the endpoint says it read and wrote; 0 where it says nothing."""
    usage = answer.get("usage")
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) and 0 < total < 2**31 else 0


def _choice(answer: Mapping[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise EndpointError("answered without any choice")
    return choices[0]


@functools.lru_cache(1 << 16)
def token_id(token: str) -> int:
    """A stable number for a token's text, since endpoints name no ids: the first 31 bits of its SHA-256."""
    digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def echoed_record(answer: Mapping[str, Any], text: str, generated: int | None = None) -> tuple[np.ndarray, bool]:
    """The records (`RECORD`) of the text's own tokens in an echo; and whether the likeliest tokens came, too.

    ``generated`` is how many tokens were written after the text; else it is told from the answer.

    A first token without a log-prob (nothing stands before it) is left out, and so is what was generated
    after the text. Fields that no endpoint gives are 0.

    Raises
    ------
    EndpointError
        Wrong shape, or log-probs for other tokens than asked.
    """
    choice = _choice(answer)
    tokens, logprobs, tops = _token_lists(choice.get("logprobs"))
    if generated is None:
        # A part of a character may have been written, which the text does not show; some count the echo, too.
        written = written_tokens(answer)
        generated = written if 0 < written <= 4 else int(choice.get("text", text) != text)
    start, ends = 0, lay_over(tokens, text, generated)
    if ends is None and tokens and logprobs[0] is None:
        # A token that opens every text (<s>) is listed, but is not in the text.
        start, ends = 1, lay_over(tokens[1:], text, generated)
    if ends is None:
        size = f"{len(tokens)} tokens for {len(text)} characters"
        raise OtherTokens(f"log-probs for other tokens than asked ({size})")
    if start == 0 and ends and logprobs[0] is None:
        start, ends = 1, ends[1:]
    here = range(start, start + len(ends))
    own = [_log_probability(logprobs[i]) for i in here]
    likeliest, top = [tokens[i] for i in here], list(own)
    for row, i in enumerate(here):
        for candidate, value in _candidates(tops[i]):
            value = _log_probability(value)
            if value > top[row]:
                likeliest[row], top[row] = candidate, value
    record = np.zeros(len(ends), RECORD)
    record["id"], record["logprob"], record["end"] = [token_id(tokens[i]) for i in here], own, ends
    record["argmax"], record["argmax_logprob"] = [token_id(token) for token in likeliest], top
    return record, all(tops[i] for i in here)


def _token_lists(logprobs: Any) -> tuple[list[str], list[Any], list[Any]]:
    """Tokens, log-probs and likeliest tokens, from the legacy shape or from that of chat answers."""
    if not isinstance(logprobs, dict):
        raise EndpointError("answered without log-probs")
    if isinstance(logprobs.get("content"), list):
        rows = [row if isinstance(row, dict) else {} for row in logprobs["content"]]
        tokens: Any = [row.get("token") for row in rows]
        values: Any = [row.get("logprob") for row in rows]
        tops: Any = [row.get("top_logprobs") for row in rows]
    else:
        tokens, values = logprobs.get("tokens"), logprobs.get("token_logprobs")
        tops = logprobs.get("top_logprobs")
        if not isinstance(tokens, list) or not isinstance(values, list) or len(tokens) != len(values):
            raise EndpointError("answered with log-probs of an unknown shape")
        if not isinstance(tops, list) or len(tops) != len(tokens):
            tops = [None] * len(tokens)
    if not all(isinstance(token, str) for token in tokens):
        raise EndpointError("answered with log-probs of an unknown shape")
    return tokens, values, tops


def _candidates(top: Any) -> list[tuple[str, Any]]:
    if isinstance(top, dict):
        return list(top.items())
    if isinstance(top, list):
        return [(str(row.get("token")), row.get("logprob")) for row in top if isinstance(row, dict)]
    return []


def _log_probability(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value) or value > 1e-3:
        raise EndpointError("answered with something that is no log-prob where one was expected")
    return min(float(value), 0.0)
