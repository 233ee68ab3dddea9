"""The page over HTTP: whom it is for, what a browser may do with it, and what a session opens."""

import itertools
import re
import time
from collections.abc import AsyncGenerator, Mapping
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.testclient import TestClient

from claude_max.proxy.app import DIALECTS
from claude_max.proxy.config import Settings
from claude_max.proxy.errors import Overloaded
from claude_max.proxy.events import Event, Turn
from claude_max.proxy.routes.services import Services
from claude_max.proxy.routes.wiring import install
from claude_max.proxy.web.files import page_files
from claude_max.proxy.web.live import Live
from claude_max.proxy.web.past import Past
from claude_max.proxy.web.routes import Around, Findings, page
from claude_max.proxy.web.sessions import TRIES, Sessions

HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OWN = {"origin": "http://localhost:3456", "sec-fetch-site": "same-origin"}
CHAT = "/v1/chat/completions"
ASK = {"model": "sonnet", "messages": [{"role": "user", "content": "hello"}]}
READ = ("/page/state", "/page/usage", "/page/requests", "/page/clients", "/page/doctor", "/page/events")


class FailingEngine:
    """Shows that a request came as far as the model."""

    async def events(self, turn: Turn) -> AsyncGenerator[Event]:
        raise Overloaded("as far as the model")
        yield


def served(key: str | None = None, **settings: Any) -> TestClient:
    ids = itertools.count()
    values = Settings.model_construct(api_key=SecretStr(key) if key else None, **settings)
    services = Services(
        FailingEngine(), values, lambda: (), dict, lambda: f"{next(ids):024}", time.time
    )  # fmt: skip
    looks = itertools.count()

    async def examine(url: str) -> dict[str, Any]:
        return {"ok": True, "findings": [], "number": next(looks), "url": url}

    async def clients(url: str) -> dict[str, Any]:
        return {"url": url, "clients": []}

    app = FastAPI(docs_url=None, redoc_url=None)
    live = Live(lambda: {"running": []}, time.time)
    around = Around(clients, examine)
    shown = page(live, Past(None), Sessions(key, time.monotonic), Findings(examine), around)
    install(app, services, DIALECTS, scripted=False, page=shown)
    return TestClient(app, base_url="http://localhost:3456")


# For tests that leave it as it was; to make one takes longer than to ask it.
unchanged = cache(served)


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/plain", ""])
def test_programs_get_ollamas_words(accept: str | None) -> None:
    answer = unchanged().get("/", headers={} if accept is None else {"accept": accept})
    assert answer.text == "claude-max is running"
    assert unchanged().head("/").status_code == 200


def test_browsers_get_the_page() -> None:
    client = served()
    answer = client.get("/", headers=HTML)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["vary"] == "Accept"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    # Nothing comes from elsewhere, and nothing stands in the HTML that the policy forbids.
    assert re.findall(r"(?:src|href)=\"(?!/page/|#)[^\"]*", answer.text) == []
    assert re.findall(r" (?:style|on\w+)=", answer.text) == []
    loaded = re.findall(r"(?:src|href)=\"(/page/[^\"]+)", answer.text)
    assert {client.get(path).status_code for path in loaded} == {200}
    again = client.get("/", headers={**HTML, "if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_every_file_is_served_with_its_type_and_stays_plain() -> None:
    client = served("k")
    for name, file in page_files().items():
        if name == "index.html":
            continue
        answer = client.get(f"/page/{name}")
        assert answer.headers["content-type"].partition(";")[0] == file.media_type
        assert answer.headers["x-content-type-options"] == "nosniff"
        text = answer.text
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", text), name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text), name
        for imported in re.findall(r"from \"\./([\w.]+)\"", text):
            assert imported in page_files()


@pytest.mark.parametrize("path", READ)
def test_with_a_key_nothing_is_readable_without(path: str) -> None:
    client = served("k")
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"cookie": "claude_max_3456=k"}).status_code == 401
    if path != "/page/events":
        assert client.get(path, headers={"authorization": "Bearer k"}).status_code == 200


@pytest.mark.parametrize("path", [*READ, "/page/session", "/page/app.js"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://localhost:9999"},
        {"origin": "http://allowed.example"},
        {"origin": "null"},
        {"host": "evil.example"},
    ],
    ids=str,
)
def test_no_other_page_reads(path: str, headers: Mapping[str, str]) -> None:
    """Not even one whose origin may call the APIs."""
    client = unchanged(cors_origins=("http://allowed.example",))
    assert client.get(path, headers=dict(headers)).status_code == 403


def test_the_key_begins_a_session() -> None:
    client = served("k")
    assert client.get("/", headers=HTML).status_code == 200
    assert client.get("/page/session").json() == {"key": True, "signed_in": False}
    answer = client.post("/page/session", json={"key": " k "}, headers=OWN)
    assert answer.json() == {"signed_in": True}
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert re.match(r"claude_max_3456=[\w-]{40,}; ", cookie)
    assert client.get("/page/session").json() == {"key": True, "signed_in": True}
    assert client.get("/page/state").json()["requests"] == []
    # The session opens the page and its playground, and nothing else.
    assert client.post(CHAT, json=ASK, headers=OWN).status_code == 503
    assert client.get("/metrics").status_code == 401
    assert client.get("/v1/models", headers=OWN).status_code == 401
    assert client.post("/v1/messages", json={**ASK, "max_tokens": 5}, headers=OWN).status_code == 401
    assert client.request("DELETE", "/page/session", headers=OWN).json() == {"signed_in": False}
    assert client.get("/page/state").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"origin": "http://localhost:9999"}, 403),
        ({"origin": "http://allowed.example"}, 401),
        ({"origin": "http://LOCALHOST:3456"}, 503),
    ],
    ids=str,
)
def test_the_cookie_counts_only_with_our_origin(headers: Mapping[str, str], status: int) -> None:
    client = served("k", cors_origins=["http://allowed.example"])
    client.post("/page/session", json={"key": "k"})
    assert client.post(CHAT, json=ASK, headers=dict(headers)).status_code == status


def test_behind_a_proxy_that_speaks_https() -> None:
    client = served("k", allowed_hosts=["first.box"])
    host = {"host": "first.box", "origin": "https://first.box"}
    own = {**host, "sec-fetch-site": "same-origin"}
    # Who does not say so may be another server of this name.
    for site in ({}, {"sec-fetch-site": "none"}, {"sec-fetch-site": "same-site"}):
        assert client.post("/page/session", json={"key": "k"}, headers={**host, **site}).status_code == 403
    answer = client.post("/page/session", json={"key": "k"}, headers=own)
    assert "Secure" in answer.headers["set-cookie"].split("; ")
    cookie = {"host": "first.box", "cookie": answer.headers["set-cookie"].partition(";")[0]}
    assert client.post(CHAT, json=ASK, headers={**own, **cookie}).status_code == 503
    assert client.get("/page/clients?scheme=https", headers=cookie).json()["url"] == "https://first.box"
    assert client.get("/page/clients?scheme=x", headers=cookie).json()["url"] == "http://first.box"


def test_a_proxy_that_changes_the_host_is_told() -> None:
    answer = served().post("/page/doctor", json={}, headers={**OWN, "origin": "https://first.box"})
    assert "must pass Host on" in answer.json()["error"]["message"]


def test_guessing_is_slow_and_locks_no_program_out() -> None:
    client = served("k")
    told = [client.post("/page/session", json={"key": f"no{number}"}).status_code for number in range(TRIES + 5)]
    assert told == [401] * TRIES + [429] * 5
    assert client.post("/page/session", json={"key": "k"}).status_code == 429
    assert client.get("/page/state", headers={"authorization": "Bearer k"}).status_code == 200


@pytest.mark.parametrize("body", [{}, {"key": 1}, {"key": None}, {"key": ["k"]}])
def test_nonsense_is_no_key(body: object) -> None:
    assert served("k").post("/page/session", json=body).status_code == 400


def test_where_no_key_is_set_any_will_do() -> None:
    client = served()
    answer = client.post("/page/session", json={"key": "of before"}, headers=OWN)
    assert (answer.json(), "set-cookie" in answer.headers) == ({"signed_in": True}, False)


def test_a_form_of_another_page_signs_nobody_in() -> None:
    client = served("k")
    data = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post("/page/session", content="key=k", headers=data).status_code == 415


def test_doctor_looks_when_it_is_asked() -> None:
    client = served()
    assert client.get("/page/doctor").json() == {}
    first = client.post("/page/doctor", json={}).json()
    assert (first["number"], first["url"]) == (0, "http://localhost:3456")
    # A second click is not a second examination.
    assert client.post("/page/doctor", json={}).json() == first == client.get("/page/doctor").json()


@pytest.mark.parametrize("before", ["x", "1e400x", ""])
def test_a_time_that_is_none(before: str) -> None:
    assert served().get("/page/requests", params={"before": before}).status_code == 400


def test_a_busy_server_still_shows_itself() -> None:
    client = served(requests_limit=0)
    assert client.post(CHAT, json=ASK).status_code == 429
    assert client.get("/page/state").status_code == 200
