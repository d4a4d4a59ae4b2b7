"""Any target behind the OpenAI protocol, so that an endpoint's controls run through an endpoint, too.

`serve` answers within the process, without a socket; `serve_http` listens on this machine only; `like` opens
a served target that gives exactly what another endpoint was found to give.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from probatum.core.errors import BadInput, NotOffered, ProbatumError
from probatum.core.target import Target
from probatum.engine.session import Session
from probatum.targets.endpoint import EndpointTarget

Answer = tuple[int, dict[str, Any]]  #: HTTP status and the JSON object
_LARGEST = 16 * 2**20  # bytes of a request
_NO_LIMIT = 64  # tokens that are written where none is set: no test waits for a whole context


class _Wrong(Exception):
    """A request that gets an HTTP error for an answer."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


class Service:
    """The protocol without its transport: from method, path and body to an HTTP status and a JSON object.

    Parameters
    ----------
    target
        What answers.
    echo, completions, chat, top
        What is given: prompts come back with log-probs; ``/completions``; ``/chat/completions``; the
        likeliest token beside each log-prob.
    lists
        Several prompts in one request are answered.
    llama_cpp
        Answers as the server of llama-cpp-python does: the first token of an echo has no log-prob, parts of a
        character have empty texts, ``max_tokens: 0`` is no limit, and a list of prompts is an error of the server.
    key
        If given, a request without it is turned away.
    """

    def __init__(
        self,
        target: Target,
        *,
        echo: bool = True,
        completions: bool = True,
        chat: bool = True,
        top: bool = True,
        lists: bool = True,
        llama_cpp: bool = False,
        key: str | None = None,
    ):
        self.target, self.echo, self.completions, self.chat, self.top = target, echo, completions, chat, top
        self.lists, self.llama_cpp = lists, llama_cpp
        # Part of the name, so that evidence of another model of the same name is never taken for this one's.
        self.model = f"{target.name}-{target.digest[:12]}" if target.digest else target.name
        self._key = key
        self._lock = threading.Lock()  # eight threads on one model take longer than one

    def respond(self, method: str, path: str, body: bytes, authorization: str = "") -> Answer:
        """Answer one request; whatever goes wrong is an answer as well."""
        try:
            if self._key is not None and authorization != f"Bearer {self._key}":
                raise _Wrong(401, "Incorrect API key provided")
            return 200, self._answer(method, path.partition("?")[0].rstrip("/"), body)
        except _Wrong as wrong:
            return wrong.status, {"error": {"message": str(wrong), "type": "invalid_request_error"}}
        except NotOffered as error:
            return 400, {"error": {"message": str(error), "type": "invalid_request_error"}}
        except ProbatumError as error:
            return 500, {"error": {"message": str(error), "type": "server_error"}}

    def _answer(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        if method == "GET" and path.endswith("/models"):
            row: dict[str, Any] = {
                "id": self.model,
                "object": "model",
                "owned_by": "me" if self.llama_cpp else "probatum",
            }
            if not self.llama_cpp and isinstance(context := getattr(self.target, "context", None), int):
                row["max_model_len"] = context
            return {"object": "list", "data": [row]}
        chat = path.endswith("/chat/completions")
        offered = self.chat if chat else self.completions and path.endswith("/completions")
        if method != "POST" or not offered:
            raise _Wrong(404, f"Not found: {method} {path}")
        try:
            asked = json.loads(body)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            raise _Wrong(400, "The body must be a JSON object")
        if asked.get("model") != self.model:
            raise _Wrong(404, f"The model `{asked.get('model')}` does not exist")
        if asked.get("stream"):
            raise _Wrong(400, "Streaming is not offered")
        with self._lock:
            return self._chat(asked) if chat else self._complete(asked)

    def _complete(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        prompts = [asked.get("prompt")] if isinstance(asked.get("prompt"), str) else asked.get("prompt")
        if not isinstance(prompts, list) or not prompts or not all(isinstance(p, str) for p in prompts):
            raise _Wrong(400, "prompt must be a text or a list of texts")
        if len(prompts) > 1 and self.llama_cpp:
            raise _Wrong(500, "")
        if len(prompts) > 1 and not self.lists:
            raise _Wrong(400, "Lists of prompts are not offered")
        echo, wanted = asked.get("echo") is True, asked.get("logprobs")
        if (echo or wanted is not None) and not self.echo:
            raise _Wrong(400, "echo and logprobs are not offered")
        texts = self._generate(prompts, asked, 16)
        shown = [p + t for p, t in zip(prompts, texts, strict=True)] if echo else texts
        logprobs: list[dict[str, Any] | None] = [None] * len(prompts)
        if wanted is not None and wanted is not False:
            starts = [0 if echo else len(prompt) for prompt in prompts]
            logprobs = [*self._logprobs([p + t for p, t in zip(prompts, texts, strict=True)], starts, bool(wanted))]
        choices = [
            {"index": i, "text": text, "logprobs": row, "finish_reason": "length"}
            for i, (text, row) in enumerate(zip(shown, logprobs, strict=True))
        ]
        return {"object": "text_completion", "model": self.model, "choices": choices}

    def _chat(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        messages = asked.get("messages")
        if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
            raise _Wrong(400, "messages must be a list of messages")
        [text] = self._generate([self._rendered(messages)], asked, 256)
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": "length"}]
        return {"object": "chat.completion", "model": self.model, "choices": choices}

    def _generate(self, prompts: list[str], asked: Mapping[str, Any], default: int) -> list[str]:
        limit = asked.get("max_completion_tokens", asked.get("max_tokens", default))
        temperature, seed, stop = asked.get("temperature", 1.0), asked.get("seed") or 0, asked.get("stop")
        stop = stop[0] if isinstance(stop, list) and stop else stop or None
        numbers = isinstance(limit, int) and isinstance(temperature, int | float) and isinstance(seed, int)
        if not numbers or limit < 0 or temperature < 0 or not isinstance(stop, str | None):
            raise _Wrong(400, "max_tokens, temperature, seed or stop is not what it has to be")
        if limit == 0 and not self.llama_cpp:
            return [""] * len(prompts)
        limit = limit or _NO_LIMIT
        how: dict[str, Any] = {"temperature": float(temperature), "stop": stop, "seed": seed}
        return self.target.generate(prompts, max_new_tokens=limit, **how)

    def _rendered(self, messages: list[Any]) -> str:
        """The conversation as the model reads it: through its template, else what was said and nothing else."""
        tokenizer = self._tokenizer()
        if tokenizer is None or not tokenizer.chat_template:
            return "\n".join(str(m.get("content", "")) for m in messages)
        text: str = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        # The target puts this token before every text itself.
        return text.removeprefix(tokenizer.bos_token or "")

    def _logprobs(self, texts: list[str], starts: list[int], top: bool) -> Iterator[dict[str, Any]]:
        """Tokens, log-probs, likeliest tokens and offsets of every text, from character ``start`` on."""
        statistics = self.target.token_statistics(texts)
        for row, (text, start) in enumerate(zip(texts, starts, strict=True)):
            ends, values = statistics.end[row].tolist(), statistics.logprob[row].tolist()
            first = self._unscored(text)
            begins = [first, *ends[:-1]]
            tokens = [text[b:e] for b, e in zip(begins, ends, strict=True)]
            if self.llama_cpp and (tokenizer := self._tokenizer()) is not None:
                tokens = [tokenizer.decode([int(i)]).replace("\ufffd", "") for i in statistics.id[row]]
            tops = self._tops(tokens, values, statistics, row) if top and self.top else [None] * len(tokens)
            if first:
                begins, ends = [0, *begins], [first, *ends]
                tokens, values, tops = [text[:first], *tokens], [None, *values], [None, *tops]
            if self.llama_cpp:
                values[:1], tops[:1] = [None], [None]
            kept = [i for i, end in enumerate(ends) if end > start or start == 0]
            yield {
                "tokens": [tokens[i] for i in kept],
                "token_logprobs": [values[i] for i in kept],
                "top_logprobs": [tops[i] for i in kept] if top and self.top else None,
                "text_offset": [begins[i] for i in kept],
            }

    def _tops(self, tokens: list[str], values: list[float], statistics: Any, row: int) -> list[Any]:
        """Per token its own log-prob and that of the likeliest one, by their texts."""
        tokenizer = self._tokenizer()
        tops = []
        columns = (statistics.id[row], statistics.argmax[row], statistics.argmax_logprob[row])
        for token, value, own, likeliest, highest in zip(tokens, values, *columns, strict=True):
            name = token if tokenizer is None or own == likeliest else tokenizer.decode([int(likeliest)])
            if name == token and own != likeliest:
                name = f"token_id:{int(likeliest)}"  # two tokens may read alike: parts of a character do
            tops.append({token: value} | {name: float(np.float32(highest))})
        return tops

    def _unscored(self, text: str) -> int:
        """Characters of the first token where a model has nothing to put before it; 0 where it is scored."""
        tokenizer = self._tokenizer()
        if not text or tokenizer is None:
            return 0
        if tokenizer.bos_token_id is not None or tokenizer.eos_token_id is not None:
            return 0
        offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        return int(offsets[0][1])

    def _tokenizer(self) -> Any:
        method = getattr(self.target, "tokenizer", None)
        return method() if callable(method) else None


def serve(target: Target, **gives: Any) -> Any:
    """An httpx transport that answers from ``target``; ``gives`` as in `Service`.

    ``EndpointTarget("http://control.invalid/v1", session=…, transport=serve(target))`` then asks it.
    """
    return _transport(Service(target, **gives))


def _transport(service: Service) -> Any:
    import httpx

    def handler(request: Any) -> Any:
        authorization = request.headers.get("authorization", "")
        status, answer = service.respond(request.method, request.url.path, request.content, authorization)
        return httpx.Response(status, json=answer)

    return httpx.MockTransport(handler)


@contextlib.contextmanager
def serve_http(target: Target, port: int = 0, **gives: Any) -> Iterator[str]:
    """Serve ``target`` on this machine (no other can reach it) while the context lasts, and give the URL.

    Port 0 takes a free one; ``gives`` as in `Service`.

    Raises
    ------
    BadInput
        The port is taken or not allowed.
    """
    service = Service(target, **gives)
    connections: set[socket.socket] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.add(self.connection)

        def finish(self) -> None:
            connections.discard(self.connection)
            super().finish()

        def _reply(self) -> None:
            size = self.headers.get("Content-Length", "0")
            if not size.isdecimal() or int(size) > _LARGEST:
                self.close_connection = True
                status, answer = 413, {"error": {"message": "The request is too large, or of unknown size"}}
            else:
                body = self.rfile.read(int(size))
                authorization = self.headers.get("Authorization", "")
                status, answer = service.respond(self.command, self.path, body, authorization)
            raw = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = _reply

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: requests hold private text, and the terminal belongs to the audit."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away is no event."""

    try:
        server = Server(("127.0.0.1", port), Handler)
    except (OSError, OverflowError) as error:
        raise BadInput(f"port {port} cannot be used ({error}); 0 takes a free one") from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        # Clients keep connections open for their next request, and these would be answered after the end.
        for connection in list(connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def like(endpoint: EndpointTarget, target: Target, *, session: Session | None = None) -> EndpointTarget:
    """``target`` behind an endpoint that gives what ``endpoint`` was found to give, and nothing more.

    Without ``session`` it shares the store of ``endpoint`` and neither its budget nor its counters: a control
    is not paid for by the subject.

    Raises
    ------
    NotOffered
        ``target`` gives less than ``endpoint``, so it cannot stand in for it.
    """
    missing = endpoint.access & ~target.access
    if missing:
        gives = f"{target.name} gives {target.access}"
        raise NotOffered(f"a control like {endpoint.name} needs {missing}, {gives}")
    service = Service(
        target,
        echo=endpoint.echoes,
        completions=endpoint.completes,
        chat=endpoint.chats,
        top="argmax" in endpoint.fields,
    )
    session = session or Session(store=endpoint.session.store, progress=endpoint.session.progress)
    return EndpointTarget(
        "http://control.invalid/v1", session=session, model=service.model, transport=_transport(service)
    )
