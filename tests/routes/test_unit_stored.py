"""Answers that are kept, over HTTP: whole and streamed, gone on from, looked at and deleted."""

import itertools
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from harness.responses import check_response, folded, sent
from starlette.testclient import TestClient

from claude_max.proxy.app import DIALECTS
from claude_max.proxy.config import Settings
from claude_max.proxy.errors import Overloaded, UpstreamFault
from claude_max.proxy.events import (
    BlockCompleted,
    Event,
    Finished,
    Message,
    ReasoningDelta,
    ReasoningSigned,
    Started,
    Text,
    TextDelta,
    Thinking,
    Turn,
    Usage,
)
from claude_max.proxy.records import Kept, Record, Wanted
from claude_max.proxy.routes.services import Services
from claude_max.proxy.routes.wiring import install

PATH = "/v1/responses"
ANSWER: list[Event] = [
    Started("m"), ReasoningDelta("Hm."), ReasoningSigned("s"), BlockCompleted(), TextDelta("Good day"),
    BlockCompleted(), Finished("end_turn", Usage(output=2)),
]  # fmt: skip


class Engine:
    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self.fails = False

    async def events(self, turn: Turn) -> AsyncGenerator[Event]:
        self.turns.append(turn)
        for event in ANSWER:
            if self.fails and isinstance(event, Finished):
                raise UpstreamFault("cut")
            yield event


class Memory:
    """A store that forgets at its end; `broken` cannot be read."""

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.broken = False

    async def keep(self, record: Record) -> None:
        self.records[record.id] = record

    async def kept(self, wanted: Wanted) -> Kept:
        if self.broken and wanted != Wanted():
            raise Overloaded("The stored responses cannot be used now.")
        found = self.records.get(wanted.previous or "")
        return Kept((found,) if found else (), {}, on=True)

    async def get(self, id: str) -> Record | None:
        return self.records.get(id)

    async def delete(self, id: str) -> bool:
        return self.records.pop(id, None) is not None


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def client(engine: Engine, memory: Memory) -> Iterator[TestClient]:
    ids = itertools.count()
    settings = Settings.model_construct()
    services = Services(
        engine, settings, tuple, dict, lambda: f"{next(ids):024}", lambda: 1_700_000_000.5, store=memory
    )
    app = FastAPI(docs_url=None, redoc_url=None)
    install(app, services, DIALECTS, scripted=False)
    with TestClient(app, base_url="http://localhost") as made:
        yield made


def ask(client: TestClient, **fields: Any) -> Any:
    return client.post(PATH, json={"model": "sonnet", "input": "hi", **fields})


def test_an_answer_is_kept_and_gone_on_from(client: TestClient, engine: Engine, memory: Memory) -> None:
    first = ask(client).json()
    check_response(first)
    assert first["store"] is True
    assert "encrypted_content" not in str(first)
    second = ask(client, input="and?", previous_response_id=first["id"]).json()
    assert second["previous_response_id"] == first["id"]
    # The thinking is kept, whether or not the client asked for it.
    assert engine.turns[1].messages == (
        Message("user", (Text("hi"),)),
        Message("assistant", (Thinking("Hm.", "s"), Text("Good day"))),
        Message("user", (Text("and?"),)),
    )
    assert memory.records[second["id"]].previous == first["id"]


def test_a_stream_is_kept_before_its_end_is_told(client: TestClient, memory: Memory) -> None:
    events = sent(ask(client, stream=True).text)
    assert folded(events) == events[-1]["response"]
    assert memory.records[events[-1]["response"]["id"]].object == events[-1]["response"]


def test_what_is_not_to_be_kept_is_not(client: TestClient, engine: Engine, memory: Memory) -> None:
    assert ask(client, store=False).json()["store"] is False
    engine.fails = True
    assert sent(ask(client, stream=True).text)[-1]["type"] == "response.failed"
    assert memory.records == {}


def test_looking_at_it(client: TestClient) -> None:
    kept = ask(client).json()
    one = f"{PATH}/{kept['id']}"
    assert client.get(one).json() == kept
    (item,) = client.get(f"{one}/input_items").json()["data"]
    assert (item["type"], item["content"]) == ("message", [{"type": "input_text", "text": "hi"}])
    assert client.get(f"{one}/input_items", params={"limit": 0}).json()["error"]["param"] == "limit"
    cancelled = client.post(f"{one}/cancel", json={})
    assert (cancelled.status_code, "background" in cancelled.text) == (400, True)
    assert client.delete(one).json() == {"id": kept["id"], "object": "response", "deleted": True}
    for gone in (
        client.get(one),
        client.delete(one),
        client.get(f"{one}/input_items"),
        client.post(one + "/cancel", json={}),
    ):
        assert gone.status_code == 404
        assert gone.json()["error"]["message"] == f"Response with id '{kept['id']}' not found."
    unknown = ask(client, previous_response_id=kept["id"])
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (400, "previous_response_not_found")


def test_a_store_that_cannot_be_read(client: TestClient, memory: Memory) -> None:
    memory.broken = True
    assert ask(client, previous_response_id="resp_x").status_code == 503
    assert ask(client).status_code == 200


def test_a_web_socket_is_refused_so_that_clients_use_http(client: TestClient) -> None:
    told = client.get(PATH, headers={"upgrade": "websocket", "connection": "upgrade"})
    assert (told.status_code, told.headers["upgrade"]) == (426, "HTTP/1.1")
    assert client.get(PATH).status_code == 405


def test_failures_are_told_in_openais_form(client: TestClient) -> None:
    broken = client.post(PATH, content=b"{", headers={"content-type": "application/json"})
    assert set(broken.json()["error"]) == {"message", "type", "param", "code"}
    assert client.get(f"{PATH}/x/y").json()["error"]["code"] == "not_found"
