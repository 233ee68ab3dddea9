"""Addresses that are nearly right are served; those of other APIs are told what to use instead."""

import itertools
from collections.abc import AsyncGenerator
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI
from harness.shape import Shape
from pydantic import SecretStr
from starlette.testclient import TestClient

from claude_max.proxy.app import DIALECTS
from claude_max.proxy.config import Settings
from claude_max.proxy.events import Event, Finished, Started, TextDelta, Turn, Usage
from claude_max.proxy.routes.addresses import ABSENT, Fit, instead, meant
from claude_max.proxy.routes.services import Services
from claude_max.proxy.routes.wiring import install

CHAT = {"model": "sonnet", "messages": [{"role": "user", "content": "hi"}]}


class Engine:
    async def events(self, turn: Turn) -> AsyncGenerator[Event]:
        for event in (Started("m"), TextDelta("hello"), Finished("end_turn", Usage())):
            yield event


def client(**settings: Any) -> TestClient:
    ids = itertools.count()
    made = Settings.model_construct(**settings)
    services = Services(Engine(), made, tuple, dict, lambda: f"{next(ids):024}", lambda: 1_700_000_000)
    app = FastAPI(docs_url=None, redoc_url=None)
    install(app, services, DIALECTS, scripted=False)
    return TestClient(app, base_url="http://localhost", follow_redirects=False)


# To make one takes longer than to ask it.
shared = cache(client)


# `given` is a method and a path; `expected` a word of the 200's body.
SERVED: dict[str, Shape] = {
    "no version": Shape("`/chat/completions`", "served", ("POST", "/chat/completions"), "hello"),
    "models without version": Shape("`/models`", "served", ("GET", "/models"), "claude-sonnet-4"),
    "one model without version": Shape("`/models/{id}`", "served", ("GET", "/models/sonnet"), "sonnet"),
    "doubled slash": Shape("`/v1//chat/completions`", "served", ("POST", "/v1//chat/completions"), "hello"),
    "leading slashes": Shape("`//v1/models`", "served", ("GET", "//v1/models"), "claude-sonnet-4"),
    "doubled version": Shape("`/v1/v1/chat/completions`", "served", ("POST", "/v1/v1/chat/completions"), "hello"),
    "slash at the end": Shape(
        "a slash at the end", "served, without a redirect", ("POST", "/v1/chat/completions/"), "hello"
    ),
    "models with a slash": Shape("`/v1/models/`", "served", ("GET", "/v1/models/"), "claude-sonnet-4"),
    "health below the version": Shape("`/v1/health`", "served", ("GET", "/v1/health"), "claude-code-cli"),
    "the whole address as base URL": Shape(
        "a base URL that is a whole endpoint (`/v1/chat/completions/chat/completions`)",
        "served",
        ("POST", "/v1/chat/completions/chat/completions"),
        "hello",
    ),
    "models of such a base URL": Shape(
        "… and its models (`/v1/chat/completions/models`)", "served", ("GET", "/v1/chat/completions/models"), "sonnet"
    ),
    "responses of such a base URL": Shape(
        "`/v1/responses/responses`", "served", ("POST", "/v1/responses/responses"), "hello"
    ),
    "Anthropic's without version": Shape("`/messages`", "served", ("POST", "/messages"), "hello"),
}
# `expected` are words of the 404.
ELSEWHERE: dict[str, Shape] = {
    "Azure": Shape(
        "Azure's path (`/openai/deployments/…`)",
        "a 404 that says which client to use",
        ("POST", "/openai/deployments/gpt-4o/chat/completions"),
        "instead of AzureOpenAI",
    ),
    "audio": Shape("audio", "a 404 that says why", ("POST", "/v1/audio/transcriptions"), "do not process audio"),
    "files": Shape("files (multipart)", "a 404 that says what to do", ("POST", "/v1/files"), "content parts"),
    "images": Shape("images to be made", "a 404 that says why", ("POST", "/v1/images/generations"), "make no images"),
    "embeddings": Shape("embeddings", "a 404 that says why", ("POST", "/v1/embeddings"), "no embeddings"),
    "embeddings without version": Shape(
        "`/embeddings`", "a 404 that says why", ("POST", "/embeddings"), "no embeddings"
    ),
    "a path below /api": Shape(
        "`/api/v1/chat/completions`",
        "a 404 that says the base URL",
        ("POST", "/api/v1/chat/completions"),
        "without /api",
    ),
    "Gemini": Shape(
        "Gemini's API",
        "a 404 that says what to set",
        ("POST", "/v1beta/models/gemini-pro:generateContent"),
        "OpenAI-compatible provider",
    ),
    "llama.cpp": Shape(
        "llama.cpp's `/completion`", "a 404 that says what to use", ("POST", "/completion"), "/v1/completions"
    ),
}


def body(path: str) -> dict[str, Any]:
    if "responses" in path:
        return {"model": "sonnet", "input": "hi"}
    return {**CHAT, "max_tokens": 9} if "messages" in path else CHAT


@pytest.mark.parametrize("name", SERVED)
def test_nearly_right(name: str) -> None:
    method, path = SERVED[name].given
    answer = shared().request(method, path, json=body(path) if method == "POST" else None)
    assert answer.status_code == 200, answer.text
    assert SERVED[name].expected in answer.text


@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.parametrize("form", ["json", "multipart"])
def test_not_here(name: str, form: str) -> None:
    """Also for a body that is no JSON: a 415 would say nothing of what is wrong."""
    method, path = ELSEWHERE[name].given
    sent: Any = {"json": {}} if form == "json" else {"files": {"file": b"x"}}
    answer = shared().request(method, path, **sent)
    assert answer.status_code == 404, answer.text
    assert ELSEWHERE[name].expected in answer.text


def test_an_absolute_target_is_its_path() -> None:
    def fit(method: str, path: str) -> Fit:
        return "served" if path == "/v1/models" else "absent"

    assert meant("GET", "http://localhost:3456/v1/models", [], fit) == "/v1/models"
    assert meant("GET", "HTTP://localhost:3456", [], fit) == "/"
    assert meant("GET", "/http://x", [], fit) == "/http:/x"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/sonnet", "/health", "/"])
def test_the_head_alone(path: str) -> None:
    answer = shared().head(path)
    assert (answer.status_code, answer.content) == (200, b"")


def test_another_method_of_a_path_is_told_as_such() -> None:
    assert shared().get("/chat/completions/").status_code == 405
    assert shared().get("/v1/nothing/at/all").status_code == 404


def test_a_stored_answer_is_no_doubled_path() -> None:
    message = shared().get("/v1/responses/resp_1").json()["error"]["message"]
    assert "resp_1" in message
    assert "There is no GET" not in message


def test_the_longest_beginning_tells() -> None:
    reasons = {"/a": "short", "/a/b": "long"}
    assert [instead(path, reasons) for path in ("/a/b/c", "/a/c", "/ab", "/x")] == ["long", "short", "", ""]
    assert all(each.startswith("/") and not each.endswith("/") for each in ABSENT)


def test_the_key_of_azure_is_told() -> None:
    answer = client(api_key=SecretStr("k")).get("/v1/models", headers={"api-key": "k"})
    assert answer.status_code == 401
    assert "Authorization: Bearer" in answer.text


def test_the_own_document_tells_streams_and_failures() -> None:
    document = shared().get("/openapi.json").json()
    for dialect in DIALECTS:
        for path in dialect.paths:
            told = document["paths"][path]["post"]["responses"]
            assert set(told["200"]["content"]) == {"application/json", dialect.stream.media_type}
            assert "x-claude-max-repaired" in told["200"]["headers"]
            assert "example" in told["default"]["content"]["application/json"]
            shape = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
            assert shape.rpartition("/")[2] in document["components"]["schemas"]
