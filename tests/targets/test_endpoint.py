"""Endpoints that answer, that fail in every known way, and that stand in for one another."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from probatum.controls.served import Service, like, serve, serve_http
from probatum.core.access import Access
from probatum.core.cost import Budget
from probatum.core.errors import BadInput, BudgetSpent, EndpointError, NotOffered
from probatum.core.target import RECORD, Target, TokenStatistics
from probatum.engine.session import Session
from probatum.engine.store import EvidenceStore
from probatum.targets.endpoint import EndpointTarget
from probatum.targets.openai_protocol import echoed_record, public_url, token_id
from probatum.targets.overlay import lay_over

URL = "http://models.test/v1"
KEY = "sk-a-very-secret-key-1234567890"
TEXTS = ["The quick brown fox", "jumps over it", "a café, 東京 🙂 end", "x", ""]


class Toy(Target):
    """Words as tokens; every number comes from a digest of what stands before it."""

    kind = "toy"
    access = Access.TEXT | Access.LOGPROBS

    def __init__(self, name: str = "toy", secret: str = "", first_scored: bool = True):
        self.name, self.secret, self.first_scored = name, secret, first_scored
        self.digest = hashlib.sha256(f"{name} {secret}".encode()).hexdigest()
        self.asked: list[str] = []

    def tokenizer(self) -> Any:
        return ToyTokenizer(self.first_scored)

    def token_statistics(self, texts: Sequence[str], *, prefixes: Sequence[str] | None = None) -> TokenStatistics:
        rows = []
        for text in texts:
            self.asked.append(text)
            row = np.zeros(0, RECORD)
            for number, match in enumerate(re.finditer(r"\w+|\W", text)):
                if number or self.first_scored:
                    entry = np.zeros(1, RECORD)
                    value = -0.1 - self._number(text[: match.end()]) % 500 / 100
                    entry["id"], entry["logprob"], entry["end"] = token_id(match[0]), value, match.end()
                    sure = value > -2
                    entry["argmax"] = entry["id"] if sure else 7
                    entry["argmax_logprob"] = value if sure else -0.05
                    row = np.concatenate([row, entry])
            rows.append(row)
        return TokenStatistics.of(rows)

    def generate(self, prompts: Sequence[str], *, max_new_tokens: int = 32, temperature: float = 0.0,
                 stop: str | None = None, seed: int = 0) -> list[str]:  # fmt: skip
        drawn = f" {seed}" if temperature else ""
        return [f" {self._number(p)}{drawn}; and so on"[: 4 * max_new_tokens] for p in prompts]

    def _number(self, text: str) -> int:
        return int.from_bytes(hashlib.sha256((self.secret + text).encode()).digest()[:3], "big")


class ToyTokenizer:
    chat_template = None
    bos_token = None
    eos_token_id = None

    def __init__(self, start: bool):
        self.bos_token_id = 0 if start else None

    def __call__(self, text: str, **_: Any) -> dict[str, Any]:
        return {"offset_mapping": [m.span() for m in re.finditer(r"\w+|\W", text)]}

    def decode(self, ids: list[int]) -> str:
        return f"<{ids[0]}>"


Fault = Callable[[httpx.Request, dict[str, Any], httpx.Response], httpx.Response | None]


class Fake:
    """An honest service, except for what ``fault`` (set after opening, or before) makes of its answers."""

    def __init__(self, target: Target | None = None, **gives: Any):
        self.service = Service(target or Toy(), **{"lists": False, **gives})
        self.fault: Fault | None = None
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def _handle(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests.append(request)
            authorization = request.headers.get("authorization", "")
            status, answer = self.service.respond(request.method, request.url.path, request.content, authorization)
            honest = httpx.Response(status, json=answer)
            if self.fault is None:
                return honest
            body = json.loads(request.content) if request.content else {}
            return self.fault(request, body, honest) or honest

    def open(self, **options: Any) -> EndpointTarget:
        options = {"session": Session(), "model": self.service.model, **options}
        transport = httpx.MockTransport(self._handle)
        return EndpointTarget(options.pop("url", URL), transport=transport, sleep=self.slept.append, **options)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROBATUM_API_KEY", "OPENAI_API_KEY", "PROBATUM_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)


def times(n: int, answer: Callable[[], httpx.Response]) -> Fault:
    """The first ``n`` requests get ``answer``, the others the honest one."""
    left = [n]

    def fault(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
        left[0] -= 1
        return answer() if left[0] >= 0 else None

    return fault


def always(answer: Callable[[], httpx.Response]) -> Fault:
    return times(10**9, answer)


# What is found out, and what is answered.


def test_gives_the_targets_own_numbers() -> None:
    toy = Toy()
    target = Fake(toy).open()
    assert target.access == Access.TEXT | Access.LOGPROBS
    assert target.fields == ("id", "logprob", "argmax", "argmax_logprob", "end")
    here, there = target.token_statistics(TEXTS), toy.token_statistics(TEXTS)
    for name in ("logprob", "argmax_logprob", "end"):
        np.testing.assert_allclose(getattr(here, name).values, getattr(there, name).values, atol=1e-6)
    np.testing.assert_array_equal(here.id.values, there.id.values)
    sure = here.argmax.values == here.id.values
    np.testing.assert_array_equal(sure, there.argmax.values == there.id.values)
    np.testing.assert_array_equal(target.encode(TEXTS).values, here.id.values)
    with pytest.raises(NotOffered, match="'mean'"):
        _ = here.mean


def test_choices_and_generations() -> None:
    toy = Toy()
    target = Fake(toy).open()
    scores = target.choices(["One plus one is", "Go"], [[" two", " three or so"], [" on", " off", ""]])
    row = toy.token_statistics(["One plus one is three or so"])
    expected = row.logprob[0][row.end[0] > len("One plus one is")]
    assert scores.logprob[0][1] == pytest.approx(expected.sum(), abs=1e-5)
    assert list(scores.tokens[1]) == [2, 2, 0]
    assert list(scores.bytes[0]) == [4, 12]
    assert target.generate(["Go"], max_new_tokens=9, stop=";") == [toy.generate(["Go"])[0].split(";")[0]]
    assert target.generate(["Go"], temperature=1.0, seed=3)[0] == toy.generate(["Go"], temperature=1.0, seed=3)[0]
    assert target.chat([[{"role": "user", "content": "Go"}]]) == toy.generate(["Go"], max_new_tokens=256)


def test_a_first_token_without_logprob_is_left_out() -> None:
    target = Fake(Toy(first_scored=False)).open()
    assert list(target.token_statistics(["The fox"]).end[0]) == [4, 7]


def test_second_asking_costs_no_request(tmp_path: Path) -> None:
    fake = Fake()
    store = EvidenceStore(tmp_path)
    fake.open(session=Session(store=store)).token_statistics(TEXTS)
    opened = fake.open(session=Session(store=store))
    before = len(fake.requests)
    opened.token_statistics(TEXTS[::-1])
    assert len(fake.requests) == before


def test_no_echo_gives_text_only() -> None:
    target = Fake(echo=False).open()
    assert target.access == Access.TEXT
    with pytest.raises(NotOffered, match=r"needs LOGPROBS.*echo and logprobs are not offered"):
        target.token_statistics(["a"])
    with pytest.raises(NotOffered):
        target.choices(["a"], [["b"]])
    with pytest.raises(NotOffered):
        target.encode(["a"])


def test_logprobs_of_the_answer_only_are_no_echo() -> None:
    fake = Fake()

    def ignores_echo(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
        if "echo" not in body:
            return None
        logprobs = {"tokens": [" dog"], "token_logprobs": [-0.3], "top_logprobs": [{" dog": -0.3}], "text_offset": [0]}
        return httpx.Response(200, json={"choices": [{"text": " dog", "logprobs": logprobs}]})

    fake.fault = ignores_echo
    target = fake.open()
    assert target.access == Access.TEXT
    assert "other tokens than asked" in target.reasons["echo"]


def test_chat_only() -> None:
    toy = Toy()
    target = Fake(toy, completions=False).open()
    assert (target.access, target.completes, target.chats) == (Access.TEXT, False, True)
    assert target.generate(["Go"]) == toy.generate(["Go"])


def test_completions_only() -> None:
    target = Fake(chat=False).open()
    with pytest.raises(NotOffered, match="does not chat"):
        target.chat([[{"role": "user", "content": "Go"}]])


def test_without_likeliest_tokens() -> None:
    target = Fake(top=False).open()
    with pytest.raises(NotOffered, match="'argmax'"):
        _ = target.token_statistics(["a b"]).argmax


def test_the_other_name_of_the_limit() -> None:
    fake = Fake(completions=False)

    def picky(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
        if "max_tokens" in body and request.url.path.endswith("/chat/completions"):
            message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return httpx.Response(400, json={"error": {"message": message}})
        return None

    fake.fault = picky
    assert fake.open().generate(["Go"]) == Toy().generate(["Go"])


def test_model_may_be_left_out_where_there_is_one() -> None:
    assert Fake().open(model=None).model.startswith("toy-")


# Digests.


def test_a_swapped_model_has_another_digest() -> None:
    same, again, other = Fake(), Fake(), Fake(Toy(secret="swapped"))
    other.service.model = same.service.model
    assert same.open().digest == again.open().digest != other.open().digest
    assert same.open().tokenizer_digest == other.open().tokenizer_digest
    assert same.open().digest != same.open(url="http://elsewhere.test/v1").digest
    assert same.open().digest == same.open(url="http://u:p@models.test/v1/?k=v", api_key=KEY).digest


def test_text_only_models_are_told_apart_by_their_answers() -> None:
    same, other = Fake(echo=False), Fake(Toy(secret="swapped"), echo=False)
    other.service.model = same.service.model
    assert same.open().digest != other.open().digest


# Faults.


def down(*_: Any) -> httpx.Response:
    raise httpx.ConnectError("[Errno 111] Connection refused")


def test_down_when_opened() -> None:
    fake = Fake()
    fake.fault = down
    with pytest.raises(BadInput, match=r"models\.test/v1: cannot connect: .*refused"):
        fake.open()
    assert fake.slept == []


def test_a_timeout_while_it_is_opened_is_not_taken_for_less_access() -> None:
    fake = Fake()

    def hangs(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
        if "echo" in body:
            raise httpx.ReadTimeout("timed out")
        return None

    fake.fault = hangs
    with pytest.raises(BadInput, match="no answer within 120 s"):
        fake.open()


def test_down_later_keeps_what_was_answered(tmp_path: Path) -> None:
    fake = Fake()
    session = Session(store=EvidenceStore(tmp_path))
    target = fake.open(session=session)
    texts = [f"text number {i}" for i in range(40)]
    answered = [0]

    def dies(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
        answered[0] += 1
        return None if answered[0] <= 20 else down()

    fake.fault = dies
    with pytest.raises(EndpointError, match=r"cannot connect.*5 times in a row"):
        target.token_statistics(texts)
    fake.fault, before = None, len(fake.requests)
    assert len(target.token_statistics(texts)) == 40
    assert len(fake.requests) - before == 20


def test_401_without_a_key() -> None:
    fake = Fake(key=KEY)
    with pytest.raises(BadInput, match="401: the endpoint wants a key; set PROBATUM_API_KEY"):
        fake.open()
    assert len(fake.requests) == 1


def test_401_with_a_wrong_key() -> None:
    with pytest.raises(BadInput, match="401: does not accept the key") as caught:
        Fake(key=KEY).open(api_key="sk-wrong-wrong-wrong")
    assert "sk-wrong" not in str(caught.value)


def test_key_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBATUM_API_KEY", KEY)
    assert Fake(key=KEY).open().access


def test_openai_key_goes_to_openai_and_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    Fake(key=KEY).open(url="https://api.openai.com/v1")
    Fake(key=KEY).open(url="http://localhost:8000/v1")
    for url in (URL, "https://openai.com.evil.test/v1", "https://evil-openai.com/v1", "http://api.openai.com/v1"):
        fake = Fake(key=KEY)
        with pytest.raises(BadInput, match="401"):
            fake.open(url=url)
        assert all(KEY not in str(r.headers.raw) for r in fake.requests)


def test_unknown_model() -> None:
    with pytest.raises(BadInput, match=r"no model 'gpt-9' there; it lists toy-"):
        Fake().open(model="gpt-9")


def test_wrong_path() -> None:
    fake = Fake()
    fake.fault = always(lambda: httpx.Response(404, text="<html>Not Found</html>"))
    with pytest.raises(BadInput, match="say which model"):
        fake.open(model=None)
    with pytest.raises(BadInput, match=r"404.*does the URL end in /v1\?"):
        fake.open(url="http://models.test")


def test_429_waits_as_long_as_it_is_told() -> None:
    fake = Fake()
    target = fake.open()
    fake.fault = times(
        1, lambda: httpx.Response(429, headers={"Retry-After": "7"}, json={"error": {"message": "slow"}})
    )
    assert len(target.token_statistics(["a b"]).logprob[0]) == 3
    assert fake.slept == [7.0]


def test_429_that_wants_an_hour() -> None:
    fake = Fake()
    target = fake.open()
    fake.fault = always(lambda: httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(EndpointError, match="429: asks for a pause of 3600 s"):
        target.token_statistics(["a b"])


def test_500_thrice_then_fine() -> None:
    fake = Fake()
    target = fake.open()
    fake.fault = times(3, lambda: httpx.Response(500, text="<html>oops</html>"))
    target.token_statistics(["a b"])
    assert len(fake.slept) == 3
    assert fake.slept[0] < fake.slept[1] < fake.slept[2]


def test_500_always() -> None:
    fake = Fake()
    target = fake.open()
    fake.fault = always(lambda: httpx.Response(500, json={"error": "worker died"}))
    with pytest.raises(EndpointError, match=r"500: worker died \(5 times in a row\)"):
        target.generate(["a b"])


class Cut(httpx.SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b'{"choices": [{"te'
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


def test_body_cut_then_fine() -> None:
    fake = Fake()
    target = fake.open()
    fake.fault = times(2, lambda: httpx.Response(200, stream=Cut()))
    assert target.generate(["Go"]) == Toy().generate(["Go"])
    fake.fault = always(lambda: httpx.Response(200, stream=Cut()))
    with pytest.raises(EndpointError, match="the answer broke off: peer closed"):
        target.generate(["Stay"])


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (lambda: httpx.Response(200, text='{"choices": [{'), "not JSON, or is cut"),
        (lambda: httpx.Response(200, text="<!doctype html><p>Log in"), "a web page, not JSON"),
        (lambda: httpx.Response(200, json=[1]), "expected a JSON object, got list"),
        (lambda: httpx.Response(200, json={"choices": []}), "without any choice"),
        (lambda: httpx.Response(200, json={"choices": [{"text": None}]}), "without a text"),
        (lambda: httpx.Response(200, json={"error": {"message": "busy\x1b[31m"}}), r"busy \[31m"),
        (lambda: httpx.Response(307, headers={"location": "https://evil.test/v1?x=1"}), r"redirects to https://evil\.test/v1;"),
    ],
)  # fmt: skip
def test_answers_that_are_none(answer: Callable[[], httpx.Response], sentence: str) -> None:
    fake = Fake()
    target = fake.open()
    fake.fault = always(answer)
    with pytest.raises(EndpointError, match=sentence):
        target.generate(["a b"])
    assert all(r.url.host == "models.test" for r in fake.requests)


@pytest.mark.parametrize("value", ["-1", None, True, float("nan"), 0.5])
def test_logprobs_that_are_none(value: Any) -> None:
    logprobs = {"tokens": ["a", " b"], "token_logprobs": [-1.0, value], "top_logprobs": None}
    with pytest.raises(EndpointError, match="no log-prob"):
        echoed_record({"choices": [{"logprobs": logprobs}]}, "a b")


def test_other_tokens_than_asked() -> None:
    fake = Fake()
    target = fake.open()

    def lower(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
        if "Secret" in body.get("prompt", ""):
            return httpx.Response(200, text=honest.text.replace("Secret", "Sekret"))
        return None

    fake.fault = lower
    with pytest.raises(EndpointError, match="log-probs for other tokens than asked"):
        target.token_statistics(["a Secret"])
    # Beside others it is that one text which has no record; the rest stand.
    tokens = target.token_statistics(["plain", "the Secret", "words"])
    assert list(tokens.logprob.lengths) == [1, 0, 1]
    assert "other tokens" in target.failures["the Secret"]
    scores = target.choices(["the", "no"], [[" Secret", " x"], [" y", " z"]])
    assert np.isnan(scores.logprob[0]).all()
    assert np.isfinite(scores.logprob[1]).all()


def test_one_text_too_long_loses_no_other() -> None:
    fake = Fake()
    target = fake.open()

    def short(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
        if len(body.get("prompt", "")) > 100:
            return httpx.Response(400, json={"error": {"message": "maximum context length is 10 tokens"}})
        return None

    fake.fault = short
    texts = [f"text {i}" for i in range(30)]
    tokens = target.token_statistics([*texts, "long " * 50])
    assert list(tokens.logprob.lengths) == [3] * 30 + [0]
    assert "maximum context length" in target.failures["long " * 50]


def test_hopeless_requests_are_not_sent_a_thousand_times() -> None:
    fake = Fake()
    target = fake.open()
    fake.fault = always(lambda: httpx.Response(400, json={"error": {"message": "no"}}))
    before = len(fake.requests)
    with pytest.raises(EndpointError, match="400: no"):
        target.token_statistics([f"text {i}" for i in range(1000)])
    assert len(fake.requests) - before < 40


def test_budget() -> None:
    fake = Fake()
    session = Session()
    target = fake.open(session=session)
    session.budget = Budget(limit=20)
    texts = [f"text {i}" for i in range(30)]
    with pytest.raises(BudgetSpent):
        target.token_statistics(texts)
    assert session.budget.spent <= 50  # what was under way when the guess ran out
    session.budget = Budget()
    assert len(target.token_statistics(texts)) == 30
    assert session.budget.spent < 30 * 4


# The key.


def test_the_key_is_shown_nowhere(tmp_path: Path) -> None:
    fake = Fake(key=KEY)
    target = fake.open(api_key=KEY, url="http://user:geheim-geheim-geheim@models.test/v1?token=abcdefgh12345678")
    secrets = (KEY, "geheim", "abcdefgh12345678")

    def reflect(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
        told = f"{request.headers['authorization']} {request.url}"
        if body.get("prompt") == "tell":
            return httpx.Response(200, json={"choices": [{"text": told}]})
        return httpx.Response(400, json={"error": {"message": f"bad request with {told}"}})

    fake.fault = reflect
    shown = [repr(target), repr(target._http), str(vars(target)), target.name, target.url, target.digest]
    shown += target.generate(["tell"])
    with pytest.raises(EndpointError) as caught:
        target.generate(["something"])
    shown.append(str(caught.value))
    assert target.name.endswith("@ models.test")
    for text in shown:
        assert not any(secret in text for secret in secrets), text


def test_a_message_that_quotes_the_text_is_not_shown() -> None:
    fake = Fake()
    target = fake.open()
    private = "Anna Maier, born 1961, diagnosis unknown"
    fake.fault = always(lambda: httpx.Response(400, json={"error": {"message": f"cannot parse '{private[:30]}'"}}))
    with pytest.raises(EndpointError) as caught:
        target.generate([private])
    assert "Anna" not in str(caught.value)


# Bad input.


@pytest.mark.parametrize("url", ["ftp://x/v1", "http://", "http://host:port/v1", "http://[::1", "nothing"])
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(BadInput, match="looks like"):
        Fake().open(url=url)


@pytest.mark.parametrize("value", ["soon", "-1", "0", "nan", "inf"])
def test_bad_timeout(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROBATUM_TIMEOUT", value)
    with pytest.raises(BadInput, match="PROBATUM_TIMEOUT"):
        Fake().open()


@pytest.mark.parametrize("path", ["", "/", "/completions", "/chat/completions", "/models/"])
def test_public_url(path: str) -> None:
    from urllib.parse import urlsplit

    assert public_url(urlsplit(f"https://me:pw@Host.test:8000/v1{path}?k=v#f")) == "https://host.test:8000/v1"


# Tokens over texts.


@pytest.mark.parametrize(
    ("tokens", "text", "ends"),
    [
        (["The", " fox", " runs"], "The fox", [3, 7]),  # the last one was generated
        (["a", "\ufffd", "\ufffd", "b"], "aéb", [1, 2, 2, 3]),
        ([" \ufffd", "\ufffd", "\ufffd", "!"], " 東!", [2, 2, 2, 3]),
        (["bytes:\\xe6\\x9d", "bytes:\\xb1", "x"], "東x", [1, 1, 2]),
        (["▁The", "▁fox"], "The fox", [3, 7]),
        (["The", "fox"], "The fox", [3, 7]),
        (["▁a", "\ufffd", "\ufffd", "▁b", "c"], "aé bc", [1, 2, 2, 4, 5]),
        (["", "a"], "a", [0, 1]),
        (["W", "ei", "", "", "en"], "Weißen", [1, 3, 4, 4, 6]),  # parts of a character that read as nothing
        (["a", " ", "t"], "a ét", [1, 3, 4]),  # each of two tokens lost its part of one
        (["a", " ", "t"], "a xt", None),
        (["x", *["\ufffd"] * 8, "y"], "x東京éy", [1, 2, 2, 2, 3, 3, 3, 4, 4, 5]),
        (["The", " dog"], "The fox", None),
        (["The"], "The fox", None),
        (["the", " fox"], "The fox", None),
        (["\ufffd"] * 50, "abc", None),
        ([], "a", None),
        ([], "", []),
    ],
)
def test_lay_over(tokens: list[str], text: str, ends: list[int] | None) -> None:
    assert lay_over(tokens, text) == ends


def test_lay_over_with_a_generated_part_of_a_character() -> None:
    assert lay_over(["\ufffd", "\ufffd", "\ufffd"], "é", generated=1) == [1, 1]
    assert lay_over(["\ufffd", "\ufffd"], "é", generated=0) == [1, 1]


def test_lay_over_takes_no_longer_for_hostile_tokens() -> None:
    assert lay_over(["\ufffd"] * 8000, "é" * 4000 + "!") is None
    assert lay_over(["\ufffd"] * 10**5, "é" * 10**5 + "!") is None


def test_a_token_that_opens_every_text() -> None:
    logprobs = {
        "tokens": ["<s>", "a", " b"],
        "token_logprobs": [None, -1.0, -2.0],
        "top_logprobs": [None, {"a": -1.0}, {" b": -2.0, " c": -0.5}],
    }
    record, complete = echoed_record({"choices": [{"logprobs": logprobs}]}, "a b")
    assert complete
    assert list(record["end"]) == [1, 3]
    assert list(record["logprob"]) == [-1.0, -2.0]
    assert list(record["argmax"]) == [token_id("a"), token_id(" c")]


def test_the_shape_of_chat_answers() -> None:
    rows = [
        {"token": "a", "logprob": None, "top_logprobs": []},
        {"token": " b", "logprob": -2.0, "top_logprobs": [{"token": " c", "logprob": -0.5}]},
    ]
    record, complete = echoed_record({"choices": [{"logprobs": {"content": rows}}]}, "a b")
    assert complete
    assert list(record["argmax_logprob"]) == [-0.5]


# Controls that are served.


def test_like_gives_what_the_other_gives() -> None:
    toy = Toy("specimen")
    for gives in ({"echo": False}, {"chat": False}, {"completions": False}, {"top": False}, {}):
        subject = Fake(**gives).open()
        control = like(subject, toy)
        assert (control.access, control.fields) == (subject.access, subject.fields)
        assert (control.completes, control.chats) == (subject.completes, subject.chats)
        assert type(control) is type(subject)
        assert control.generate(["Go"]) == toy.generate(["Go"])


def test_like_needs_a_control_that_gives_as_much() -> None:
    poor = Toy()
    poor.access = Access.TEXT
    with pytest.raises(NotOffered, match="needs LOGPROBS"):
        like(Fake().open(), poor)


def test_like_is_not_paid_for_by_the_subject() -> None:
    subject = Fake().open(session=Session(budget=Budget(limit=1)))
    assert len(like(subject, Toy("specimen")).token_statistics(TEXTS)) == len(TEXTS)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random model with a byte-level tokenizer, so that some characters are several tokens."""
    import tokenizers
    import torch
    import transformers

    directory = tmp_path_factory.mktemp("llama")
    bpe = tokenizers.Tokenizer(tokenizers.models.BPE())
    bpe.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>"], initial_alphabet=alphabet, show_progress=False
    )
    bpe.train_from_iterator(TEXTS * 5, trainer)
    config = transformers.LlamaConfig(
        vocab_size=bpe.get_vocab_size(), hidden_size=16, intermediate_size=32, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=128, bos_token_id=0, eos_token_id=None,
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.mul_(5.0)
    model.save_pretrained(directory)
    transformers.PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>").save_pretrained(directory)
    return directory


def test_a_served_model_gives_its_own_numbers(llama: Path) -> None:
    from probatum.targets.transformers import TransformersTarget

    local = TransformersTarget(llama, session=Session())
    target = EndpointTarget(URL, session=Session(), transport=serve(local))
    here, there = target.token_statistics(TEXTS), local.token_statistics(TEXTS)
    np.testing.assert_array_equal(here.end.values, there.end.values)
    np.testing.assert_allclose(here.logprob.values, there.logprob.values, atol=1e-5)
    np.testing.assert_allclose(here.argmax_logprob.values, there.argmax_logprob.values, atol=1e-5)
    np.testing.assert_array_equal(here.argmax.values == here.id.values, there.argmax.values == there.id.values)
    prompts, options = ["The quick", "a caf"], [[" brown", " fox fox"], ["é", "e"]]
    ours, theirs = target.choices(prompts, options), local.choices(prompts, options)
    np.testing.assert_allclose(ours.logprob.values, theirs.logprob.values, atol=1e-4)
    np.testing.assert_array_equal(ours.tokens.values, theirs.tokens.values)
    np.testing.assert_array_equal(ours.bytes.values, theirs.bytes.values)
    assert target.generate(prompts, max_new_tokens=5) == local.generate(prompts, max_new_tokens=5)


def test_over_a_real_socket() -> None:
    toy = Toy()
    with serve_http(toy, key=KEY) as url:
        with pytest.raises(BadInput, match="401"):
            EndpointTarget(url, session=Session())
        target = EndpointTarget(url, session=Session(), api_key=KEY, sleep=lambda _: None)
        texts = [f"text number {i}" for i in range(50)]
        tokens = target.token_statistics(texts)
        np.testing.assert_allclose(tokens.logprob.values, toy.token_statistics(texts).logprob.values, atol=1e-6)
    with pytest.raises(EndpointError, match="cannot connect"):
        target.token_statistics(["the server is gone"])
    with pytest.raises(BadInput, match="cannot connect"):
        EndpointTarget(url, session=Session())


def test_a_port_that_is_taken() -> None:
    with serve_http(Toy()) as url:
        port = int(url.split(":")[2].split("/")[0])
        with pytest.raises(BadInput, match="cannot be used"), serve_http(Toy(), port=port):
            pass


# Lists of prompts.


def counted(fake: Fake) -> list[int]:
    """Prompts of every request for completions since the opening."""
    fake.requests.clear()
    sizes: list[int] = []

    def count(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> None:
        prompt = body.get("prompt")
        sizes.append(len(prompt) if isinstance(prompt, list) else 1)

    fake.fault = count
    return sizes


def test_lists_of_prompts_give_the_same_numbers_in_fewer_requests() -> None:
    toy = Toy()
    fake = Fake(toy, lists=True)
    target, sizes = fake.open(), counted(fake)
    assert target.at_once == 16
    texts = [f"text number {i}" for i in range(40)] + [""]
    np.testing.assert_allclose(
        target.token_statistics(texts).logprob.values, toy.token_statistics(texts).logprob.values, atol=1e-6
    )
    assert sorted(sizes) == [8, 16, 16]
    assert target.generate(texts[:20], temperature=1.0, seed=5) == toy.generate(texts[:20], temperature=1.0, seed=5)
    assert sorted(sizes[3:]) == [4, 16]


def test_a_list_is_no_longer_than_its_tokens_allow() -> None:
    fake = Fake(lists=True)
    target, sizes = fake.open(), counted(fake)
    target.generate([f"prompt {i}" for i in range(10)], max_new_tokens=2000)
    assert sizes == [2] * 5


def test_one_prompt_that_fails_in_a_list_loses_no_other() -> None:
    fake = Fake(lists=True)
    target = fake.open()

    def short(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
        prompt = body.get("prompt", "")
        if any(len(p) > 100 for p in ([prompt] if isinstance(prompt, str) else prompt)):
            return httpx.Response(400, json={"error": {"message": "maximum context length is 10 tokens"}})
        return None

    fake.fault = short
    session = target.session
    spent = session.budget.spent
    texts = [f"text {i}" for i in range(30)]
    tokens = target.token_statistics([*texts, "long " * 50])
    assert list(tokens.logprob.lengths) == [3] * 30 + [0]
    assert list(target.failures) == ["long " * 50]
    assert target.at_once < 16
    assert session.budget.spent - spent == 30 * 4  # what was booked for a list that failed is not paid twice


def test_other_tokens_in_a_list_concern_their_text_only() -> None:
    fake = Fake(lists=True)
    target = fake.open()
    fake.fault = lambda request, body, honest: httpx.Response(200, text=honest.text.replace("Secret", "Sekret"))
    tokens = target.token_statistics(["plain", "the Secret", "words"])
    assert list(tokens.logprob.lengths) == [1, 0, 1]
    assert target.at_once == 16


def test_choices_come_in_any_order_and_none_is_missing() -> None:
    fake, texts = Fake(lists=True), ["one", "two two", "three"]
    target = fake.open()
    own = list(Toy().token_statistics(texts).logprob.lengths)

    def changed(change: Callable[[list[Any]], list[Any]]) -> Fault:
        def fault(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
            answer = honest.json()
            if not isinstance(body.get("prompt"), list):
                return None
            return httpx.Response(200, json={**answer, "choices": change(answer["choices"])})

        return fault

    fake.fault = changed(lambda choices: choices[::-1])
    assert list(target.token_statistics(texts).logprob.lengths) == own
    fake.fault, before = changed(lambda choices: choices[:2]), len(fake.requests)
    assert list(target.token_statistics([t + "!" for t in texts]).logprob.lengths) == [n + 1 for n in own]
    assert len(fake.requests) - before == 4


def test_a_list_that_takes_too_long_is_asked_one_by_one() -> None:
    fake = Fake(lists=True)
    target = fake.open()

    def slow(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
        if isinstance(body.get("prompt"), list):
            raise httpx.ReadTimeout("timed out")
        return None

    fake.fault = slow
    assert len(target.generate([f"prompt {i}" for i in range(40)])) == 40
    assert fake.slept == []
    assert target.at_once < 8


def test_a_message_that_quotes_one_text_of_a_list_is_not_shown() -> None:
    fake = Fake(lists=True)
    target = fake.open()
    private = "Anna Maier, born 1961, diagnosis unknown"
    fake.fault = always(lambda: httpx.Response(403, json={"error": {"message": f"cannot parse '{private[:30]}'"}}))
    with pytest.raises(EndpointError) as caught:
        target.generate(["something else", private])
    assert "Anna" not in str(caught.value)


# What servers do in their own way.


def test_the_context_is_what_the_list_of_models_says(llama: Path) -> None:
    from probatum.targets.transformers import TransformersTarget

    local = TransformersTarget(llama, session=Session())
    assert EndpointTarget(URL, session=Session(), transport=serve(local)).context == 128
    assert not hasattr(Fake().open(), "context")


@pytest.mark.parametrize(("refused", "sent"), [((), 0), ((0,), -1), ((0, -1), None)])
def test_it_is_asked_to_write_by_the_models_own_law(refused: tuple[int, ...], sent: int | None) -> None:
    fake = Fake()

    def picky(request: httpx.Request, body: dict[str, Any], honest: httpx.Response) -> httpx.Response | None:
        return httpx.Response(422, json={"detail": "top_k"}) if body.get("top_k") in refused else None

    fake.fault = picky
    target, bodies = fake.open(), []
    fake.fault = lambda request, body, honest: bodies.append(body)
    target.generate(["Go"])
    assert bodies[0].get("top_k") == sent
    assert bodies[0].get("repeat_penalty") == (None if sent is None else 1.0)


def test_the_answers_of_llama_cpp_python(llama: Path) -> None:
    from probatum.targets.transformers import TransformersTarget

    local = TransformersTarget(llama, session=Session())
    target = EndpointTarget(URL, session=Session(), transport=serve(local, llama_cpp=True), sleep=lambda _: None)
    assert Access.LOGPROBS in target.access
    assert target.at_once == 1
    texts = ["Die Straße nach Gießen", "a café, 東京 🙂 end", "The quick brown fox"]
    here, there = target.token_statistics(texts), local.token_statistics(texts)
    for row in range(len(texts)):
        np.testing.assert_array_equal(here.end[row], there.end[row][1:])  # its first token has no log-prob
        np.testing.assert_allclose(here.logprob[row], there.logprob[row][1:], atol=1e-5)
    assert target.generate(["The quick"], max_new_tokens=5) == local.generate(["The quick"], max_new_tokens=5)


class Displaced(Service):
    """Log-probs of every token after itself, as llama-cpp-python gives them where no token begins a text."""

    def _logprobs(self, texts: list[str], starts: list[int], top: bool) -> Iterator[dict[str, Any]]:
        for text, answer in zip(texts, super()._logprobs(texts, starts, top), strict=True):
            ends = np.cumsum([len(token) for token in answer["tokens"]])
            after = self.target.token_statistics(
                [text[:end] + t for end, t in zip(ends, answer["tokens"], strict=True)]
            )
            for i, token in enumerate(answer["tokens"]):
                answer["token_logprobs"][i] = float(after.logprob[i][-1])
                answer["top_logprobs"][i] = {
                    token: answer["token_logprobs"][i],
                    "?": float(after.argmax_logprob[i][-1]),
                }
            yield answer


def test_log_probs_beside_other_tokens_are_not_believed() -> None:
    from probatum.controls.served import _transport
    from probatum.targets import open_target

    specimen = open_target("specimen")
    honest = EndpointTarget(URL, session=Session(), transport=serve(specimen))
    assert Access.LOGPROBS in honest.access
    displaced = EndpointTarget(URL, session=Session(), transport=_transport(Displaced(specimen)))
    assert displaced.access == Access.TEXT
    assert "stand beside other tokens than their own" in displaced.reasons["echo"]
    with pytest.raises(NotOffered, match="stand beside other tokens"):
        displaced.token_statistics(["a text"])
