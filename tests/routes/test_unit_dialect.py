"""A dialect that nobody speaks is served whole, streamed and in its failures by being named once."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest
from fastapi import FastAPI
from pydantic import Field, SecretStr
from starlette.testclient import TestClient

from claude_max.proxy import errors
from claude_max.proxy.app import DIALECTS
from claude_max.proxy.config import Settings
from claude_max.proxy.events import (
    Event,
    Finished,
    JsonObject,
    Message,
    Started,
    Text,
    TextDelta,
    Turn,
    Usage,
)
from claude_max.proxy.routes.services import Services
from claude_max.proxy.routes.wiring import install
from claude_max.proxy.translate.common.conversation import Conversation
from claude_max.proxy.translate.common.dialect import (
    Dialect,
    ErrorForm,
    ParsedRequest,
    RequestContext,
    ResponseMeta,
)
from claude_max.proxy.translate.common.frames import NDJSON, SSE, Frame
from claude_max.proxy.translate.common.models import resolve
from claude_max.proxy.translate.common.validation import shaped
from claude_max.proxy.translate.common.wire_object import Items, WireObject

# The toy: a telegram is sent, word by word, and each copy of the answer is a list of its words.


class Telegram(WireObject):
    to: str
    lines: Items[str] = Field(min_length=1)
    copies: int = Field(default=1, ge=1)
    live: bool = False
    paid: bool | None = None


def telegram_error(error: errors.ProxyError, request_id: str = "") -> JsonObject:
    return {"trouble": error.kind, "why": error.sentence, "do": error.hint, "at": error.param, "ref": request_id}


def telegram_status(error: errors.ProxyError) -> int:
    return 529 if error.kind == "overloaded" else error.status


class TelegramReply:
    def __init__(self, copies: int, meta: ResponseMeta) -> None:
        self._meta = meta
        self._words: list[list[str]] = [[] for _ in range(copies)]

    def feed(self, answer: int, event: Event) -> list[Frame]:
        match event:
            case Started(model):
                return [Frame({"copy": answer, "from": model, "time": self._meta.created}, "begin")]
            case TextDelta(text):
                self._words[answer].append(text)
                return [Frame({"copy": answer, "word": text}, "word")]
        return []

    def end(self) -> list[Frame]:
        return [Frame({"copies": len(self._words)}, "over")]

    def fail(self, error: errors.ProxyError) -> list[Frame]:
        return [Frame(telegram_error(error, self._meta.request_id), "trouble"), Frame({}, "cut")]

    def whole(self) -> JsonObject:
        return {"number": f"tg{self._meta.id}", "copies": self._words}


def to_turn(body: JsonObject, context: RequestContext) -> ParsedRequest:
    request = shaped(Telegram, body)
    conversation = Conversation("lines")
    for index, line in enumerate(request.lines):
        conversation.user([Text(line)], f"lines[{index}]")
    system, messages = conversation.build()
    turn = Turn(resolve(request.to, context.models, context.aliases), messages, system)
    return ParsedRequest(
        turns=(turn,) * request.copies,
        reply=partial(TelegramReply, request.copies),
        stream=request.live,
        ignored=("paid",) if request.paid is not None else (),
        repaired=("version",) if "wire-version" in context.headers else (),
    )


TELEGRAM = Dialect(
    name="telegram",
    paths=("/wire/telegram", "/telegram"),
    request=Telegram,
    to_turn=to_turn,
    errors=ErrorForm(telegram_error, telegram_status, "wire-ref"),
    stream=SSE,
    fields={"messages": "lines", "temperature": "heat"},
    prefixes=("/wire/",),
    headers=("wire-version",),
)
TAPE = replace(TELEGRAM, name="tape", paths=("/wire/tape",), stream=NDJSON)

# Its tests: an app with an engine that answers by a script.

TEXT: list[Event] = [Started("m"), TextDelta("hello"), TextDelta("stop"), Finished("end_turn", Usage(output=2))]


class ScriptedEngine:
    """Each Turn gets the next list of events; a failure in it is raised."""

    def __init__(self, answers: Sequence[Sequence[Event | Exception]]) -> None:
        self._answers = itertools.cycle(answers)
        self.turns: list[Turn] = []

    async def events(self, turn: Turn) -> AsyncGenerator[Event]:
        self.turns.append(turn)
        for event in next(self._answers):
            await asyncio.sleep(0)
            if isinstance(event, Exception):
                raise event
            yield event


def served(*answers: Sequence[Event | Exception], key: str | None = None) -> tuple[TestClient, ScriptedEngine]:
    engine = ScriptedEngine(answers)
    ids = itertools.count()
    services = Services(
        engine=engine,
        settings=Settings.model_construct(api_key=None if key is None else SecretStr(key)),
        models=tuple,
        ready=dict,
        new_id=lambda: f"{next(ids):024}",
        now=lambda: 1_700_000_000.5,
    )
    app = FastAPI(docs_url=None, redoc_url=None)
    install(app, services, (*DIALECTS, TELEGRAM, TAPE), scripted=False)
    return TestClient(app, base_url="http://localhost"), engine


def telegram(**fields: Any) -> JsonObject:
    return {"to": "sonnet", "lines": ["hello", "stop"], **fields}


def events(text: str) -> list[tuple[str | None, JsonObject]]:
    """The name and the data of each server-sent event."""
    found: list[tuple[str | None, JsonObject]] = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((fields.get("event"), orjson.loads(fields["data"])))
    return found


@pytest.mark.parametrize("path", TELEGRAM.paths)
def test_whole(path: str) -> None:
    client, engine = served(TEXT, [TEXT[0], TextDelta("other"), TEXT[-1]])
    answer = client.post(path, json=telegram(copies=2, paid=True), headers={"wire-version": "1"})
    assert answer.status_code == 200
    assert answer.json() == {"number": f"tg{1:024}", "copies": [["hello", "stop"], ["other"]]}
    assert answer.headers["wire-ref"] == f"req_{0:024}"
    assert "x-request-id" not in answer.headers
    assert answer.headers["x-claude-max-ignored"] == "paid"
    assert answer.headers["x-claude-max-repaired"] == "version"
    assert engine.turns == [Turn("sonnet", (Message("user", (Text("hello"), Text("stop"))),))] * 2


WORDS = [
    {"copy": 0, "from": "m", "time": 1_700_000_000.5}, {"copy": 0, "word": "hello"}, {"copy": 0, "word": "stop"},
    {"copies": 1},
]  # fmt: skip


def test_streamed_as_named_events_without_an_end_of_its_own() -> None:
    client, _ = served(TEXT)
    answer = client.post("/wire/telegram", json=telegram(live=True))
    assert answer.headers["content-type"].partition(";")[0] == "text/event-stream"
    assert answer.headers["wire-ref"]
    assert events(answer.text) == list(zip(["begin", "word", "word", "over"], WORDS, strict=True))


def test_streamed_as_lines_of_json() -> None:
    client, _ = served(TEXT)
    answer = client.post("/wire/tape", json=telegram(live=True))
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [orjson.loads(line) for line in answer.text.splitlines()] == WORDS


@pytest.mark.parametrize("path", ["/wire/telegram", "/wire/tape"])
def test_a_failure_in_mid_stream_is_told_by_the_reply(path: str) -> None:
    client, _ = served([*TEXT[:2], errors.UpstreamFault("cut", hint="Try again.", param="messages")])
    answer = client.post(path, json=telegram(live=True))
    assert answer.status_code == 200
    told = {"trouble": "upstream_failed", "why": "cut", "do": "Try again.", "at": "lines", "ref": f"req_{0:024}"}
    if path == "/wire/tape":
        assert [orjson.loads(line) for line in answer.text.splitlines()] == [*WORDS[:2], told, {}]
    else:
        assert events(answer.text)[2:] == [("trouble", told), ("cut", {})]


@pytest.mark.parametrize("live", [False, True])
def test_a_failure_before_the_answer_has_the_dialects_own_status(live: bool) -> None:
    client, _ = served([errors.Overloaded("too much", retry_after=3)])
    answer = client.post("/wire/telegram", json=telegram(live=live))
    assert answer.status_code == 529
    assert (answer.json()["trouble"], answer.headers["retry-after"]) == ("overloaded", "3")
    assert answer.json()["ref"] == answer.headers["wire-ref"]


def test_what_the_engine_drops_is_named_as_the_dialect_names_it() -> None:
    client, _ = served([Started("m", frozenset({"temperature", "top_p"})), *TEXT[1:]])
    assert client.post("/wire/telegram", json=telegram()).headers["x-claude-max-ignored"] == "heat, top_p"


@pytest.mark.parametrize(
    ("fields", "at"), [({"copies": 0}, "copies"), ({"to": "gpt-5"}, "model"), ({"lines": [" "]}, "lines")]
)
def test_a_bad_request_is_told_in_the_dialect(fields: JsonObject, at: str) -> None:
    client, _ = served(TEXT)
    answer = client.post("/wire/telegram", json=telegram(**fields))
    assert answer.status_code in (400, 404)
    assert answer.json()["at"] == at


def test_what_no_dialect_serves_is_told_in_the_askers() -> None:
    client, _ = served(TEXT)
    assert client.get("/wire/nothing").json()["trouble"] == "not_found"
    assert client.get("/nothing", headers={"wire-version": "1"}).json()["trouble"] == "not_found"
    assert client.get("/telegram").json()["trouble"] == "method_not_allowed"
    assert client.post("/wire/telegram", content="x").json()["trouble"] == "unsupported_media_type"
    openai = client.get("/nothing")
    assert (openai.json()["error"]["code"], "x-request-id" in openai.headers) == ("not_found", True)
    chat = client.post("/v1/chat/completions", json={}, headers={"wire-version": "1"})
    assert chat.json()["error"]["param"] == "model"


def test_who_may_not_call_is_told_in_the_askers_dialect() -> None:
    client, _ = served(TEXT, key="sesame")
    assert client.post("/wire/telegram", json=telegram()).json()["trouble"] == "invalid_key"
    assert client.post("/v1/completions", json={}).json()["error"]["code"] == "invalid_api_key"
    told = client.post("/wire/telegram", json=telegram(), headers={"host": "evil.example"}).json()
    assert (told["trouble"], "--allowed-host" in told["do"]) == ("forbidden", True)


def test_the_others_are_served_beside_it() -> None:
    client, _ = served(TEXT)
    body = {"model": "sonnet", "prompt": "hi", "stream": True}
    lines = [line for line in client.post("/v1/completions", json=body).text.split("\n\n") if line]
    assert lines[-1] == "data: [DONE]"
    assert "".join(orjson.loads(line[6:])["choices"][0]["text"] for line in lines[:-1]) == "hellostop"
    chat = client.post("/v1/chat/completions", json={"model": "sonnet", "messages": [{"role": "user", "content": "x"}]})
    assert chat.json()["choices"][0]["message"]["content"] == "hellostop"


@pytest.mark.parametrize(
    ("path", "param"),
    [("/v1/chat/completions", "response_format.json_schema.schema"), ("/v1/completions", "schema")],
)
def test_the_engine_names_fields_of_the_turn(path: str, param: str) -> None:
    client, _ = served([errors.BadRequest("no", param="schema")])
    body = {"model": "sonnet", "messages": [{"role": "user", "content": "x"}], "prompt": "x"}
    assert client.post(path, json=body).json()["error"]["param"] == param


def test_its_shape_is_in_the_document() -> None:
    client, _ = served(TEXT)
    document = client.get("/openapi.json").json()
    assert "/wire/telegram" in document["paths"]
    assert {"Telegram", "ChatRequest", "CompletionRequest"} <= document["components"]["schemas"].keys()
