"""What a dialect serves beside its answers: counts, views, lists of models, and what needs no model at all."""

import itertools
from collections.abc import AsyncGenerator

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

from claude_max.proxy import errors
from claude_max.proxy.app import DIALECTS
from claude_max.proxy.config import Settings
from claude_max.proxy.events import Event, JsonObject, Model, Turn
from claude_max.proxy.routes.services import Services
from claude_max.proxy.routes.wiring import install

VERSION = {"anthropic-version": "2023-06-01"}
HELLO = [{"role": "user", "content": "hello"}]


class NoEngine:
    """Nothing here may ask a model."""

    async def events(self, turn: Turn) -> AsyncGenerator[Event]:
        raise AssertionError(f"asked {turn.model}")
        yield


def served(tokens: int | errors.ProxyError = 7, key: str | None = None) -> tuple[TestClient, list[Turn]]:
    """An app with the real dialects, and the Turns that it counted."""
    counted: list[Turn] = []

    async def count(turn: Turn) -> int:
        counted.append(turn)
        if isinstance(tokens, errors.ProxyError):
            raise tokens
        return tokens

    ids = itertools.count()
    services = Services(
        engine=NoEngine(),
        settings=Settings.model_construct(aliases={"gpt-4o": "sonnet"}, api_key=SecretStr(key) if key else None),
        models=lambda: (
            Model("sonnet", "claude-sonnet-5-5", "Sonnet 5.5", context_window=1_000_000, max_output=64_000),
        ),
        ready=dict,
        new_id=lambda: f"{next(ids):024}",
        now=lambda: 1_700_000_000.0,
        count=count,
    )
    app = FastAPI(docs_url=None, redoc_url=None)
    install(app, services, DIALECTS, scripted=False)
    return TestClient(app, base_url="http://localhost"), counted


def test_a_count() -> None:
    client, counted = served()
    answer = client.post("/v1/messages/count_tokens", json={"model": "sonnet", "messages": HELLO, "system": "x"})
    assert (answer.status_code, answer.json()) == (200, {"input_tokens": 7})
    assert [turn.system for turn in counted] == ["x"]
    assert answer.headers["request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("body", "failure", "status"),
    [
        ({"model": "sonnet"}, None, 400),
        ({"model": "gpt-5", "messages": HELLO}, None, 404),
        ({"model": "sonnet", "messages": HELLO}, errors.NotSignedIn("no login"), 401),
        ({"model": "sonnet", "messages": HELLO}, errors.Overloaded("too much"), 529),
    ],
)
def test_a_count_that_fails(body: JsonObject, failure: errors.ProxyError | None, status: int) -> None:
    client, _ = served(failure or 7)
    answer = client.post("/v1/messages/count_tokens", json=body)
    assert (answer.status_code, answer.json()["type"]) == (status, "error")


def test_models_have_the_shape_of_who_asks() -> None:
    client, _ = served()
    theirs = client.get("/v1/models", headers=VERSION).json()
    ours = client.get("/v1/models").json()
    assert {each["id"] for each in theirs["data"]} == {each["id"] for each in ours["data"]}
    assert (theirs["has_more"], theirs["last_id"]) == (False, theirs["data"][-1]["id"])
    sonnet = client.get("/v1/models/claude-sonnet-5-5", headers=VERSION).json()
    assert (sonnet["display_name"], sonnet["max_input_tokens"], sonnet["max_tokens"]) == (
        "Sonnet 5.5",
        1_000_000,
        64_000,
    )
    assert client.get("/v1/models/gpt-4o", headers=VERSION).json()["display_name"] == "Sonnet 5.5"
    missing = client.get("/v1/models/gpt-5", headers=VERSION)
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "not_found_error")
    assert client.get("/v1/models/sonnet").json()["object"] == "model"


def test_views_are_served_and_described() -> None:
    client, _ = served()
    assert client.get("/api/version").json() == {"version": "0.13.0"}
    head = client.head("/api/version")
    assert (head.status_code, head.content) == (200, b"")
    assert client.post("/api/show", json={"model": "gpt-4o"}).json()["model_info"]["claude.context_length"] == 1_000_000
    assert client.post("/api/show", json={}).json() == {"error": "model: Field required"}
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/tags", "/api/show", "/v1/messages/count_tokens"} <= paths.keys()


@pytest.mark.parametrize("stream", [True, False])
def test_what_needs_no_model(stream: bool) -> None:
    client, _ = served()
    answer = client.post("/api/generate", json={"model": "sonnet", "keep_alive": 0, "stream": stream})
    kind = "application/x-ndjson" if stream else "application/json"
    assert answer.headers["content-type"] == kind
    assert (answer.json()["done"], answer.json()["done_reason"]) == (True, "unload")


@pytest.mark.parametrize(
    ("path", "headers", "told"),
    [
        ("/v1/messages/batches", {}, "no batch API"),
        ("/v1/nothing", VERSION, "Unknown path: GET /v1/nothing."),
        ("/api/blobs/sha256:x", {}, "none is stored here"),
    ],
)
def test_what_is_not_here_answers_in_the_askers_dialect(path: str, headers: dict[str, str], told: str) -> None:
    client, _ = served()
    answer = client.get(path, headers=headers)
    body = answer.json()
    message = body["error"] if path.startswith("/api") else body["error"]["message"]
    assert (answer.status_code, told in message) == (404, True)
    assert ("type" in body) is not path.startswith("/api")


def test_either_header_may_have_the_key() -> None:
    client, _ = served(key="sesame")
    for headers in ({"x-api-key": "sesame"}, {"authorization": "Bearer sesame"}):
        assert client.get("/v1/models", headers={**VERSION, **headers}).status_code == 200
    wrong = client.post("/v1/messages", json={}, headers={"x-api-key": "other"})
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (401, "authentication_error")
    assert client.get("/").text == "claude-max is running"
    assert client.get("/api/tags").json() == {"error": "The API key is missing or wrong."}
