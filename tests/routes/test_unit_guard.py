"""Who may call: a page in the user's browser may not, whatever name it found for this machine."""

import json
from typing import Any

import pytest
from pydantic import SecretStr
from starlette.types import Message, Receive, Scope, Send

from claude_max.proxy import errors
from claude_max.proxy.config import Settings, is_loopback
from claude_max.proxy.routes.guard import Guard, Place, header_map, host_name, refusal

Verdict = type[errors.ProxyError] | None

HOSTS = [
    ("localhost", "localhost"),
    ("localhost:3456", "localhost"),
    ("LOCALHOST:1", "localhost"),
    ("localhost.", "localhost"),
    ("localhost.:3456", "localhost"),
    (" localhost ", "localhost"),
    ("127.0.0.1:3456", "127.0.0.1"),
    ("[::1]", "::1"),
    ("[::1]:3456", "::1"),
    ("[FE80::1%25eth0]:1", "fe80::1%25eth0"),
    ("evil.example:3456", "evil.example"),
    ("localhost@evil.example", "localhost@evil.example"),
    ("", None),
    ("::1", None),
    ("localhost:abc", None),
    ("localhost:1:2", None),
    ("[::1", None),
    ("[]", None),
    (":3456", None),
    ("[::1]x", None),
]


@pytest.mark.parametrize(("value", "name"), HOSTS)
def test_names(value: str, name: str | None) -> None:
    assert host_name(value) == name


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("0.0.0.0", False),
        ("::", False), ("192.168.1.5", False), ("example.org", False), ("", False),
    ],
)  # fmt: skip
def test_loopback(host: str, local: bool) -> None:
    assert is_loopback(host) is local


def judged(headers: dict[str, str], method: str = "GET", path: str = "/v1/models", **settings: Any) -> Verdict:
    found = refusal(method, path, {"host": "localhost:3456", **headers}, Settings.model_construct(**settings))
    return None if found is None else type(found)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io",
        "192.168.1.5:3456",
        "127.0.0.2",
        "",
        "::1",
        "localhost@evil",
    ],
)
@pytest.mark.parametrize("path", ["/v1/models", "/health"])
def test_another_host_is_refused(host: str, path: str) -> None:
    assert judged({"host": host}, path=path) is errors.Forbidden


@pytest.mark.parametrize("host", ["localhost", "LocalHost.:80", "127.0.0.1:3456", "[::1]:3456"])
def test_this_machine_is_allowed(host: str) -> None:
    assert judged({"host": host}) is None


@pytest.mark.parametrize(
    ("settings", "host", "expected"),
    [
        ({"host": "192.168.1.5"}, "192.168.1.5:3456", None),
        ({"host": "192.168.1.5"}, "192.168.1.6:3456", errors.Forbidden),
        ({"allowed_hosts": ["My.Box"]}, "my.box.:3456", None),
        ({"allowed_hosts": ["my.box"]}, "other.my.box", errors.Forbidden),
        ({"host": "0.0.0.0"}, "0.0.0.0:3456", None),
    ],
)
def test_names_of_ones_own(settings: dict[str, Any], host: str, expected: Verdict) -> None:
    assert judged({"host": host}, **settings) is expected


@pytest.mark.parametrize(
    "settings", [{"host": "MyBox"}, {"allowed_hosts": ["mybox."]}, {"allowed_hosts": ["mybox:3456"]}]
)
def test_names_of_ones_own_in_another_spelling(settings: dict[str, Any]) -> None:
    assert judged({"host": "mybox:3456"}, **settings) is None


ORIGINS: list[tuple[str, dict[str, Any], Verdict]] = [
    ("http://localhost:3456", {}, None),
    ("http://LOCALHOST:3456", {}, None),
    ("https://localhost:3456", {}, errors.Forbidden),
    ("http://localhost:8080", {}, errors.Forbidden),
    ("http://localhost", {}, errors.Forbidden),
    ("http://evil.example", {}, errors.Forbidden),
    ("http://localhost:3456.evil.example", {}, errors.Forbidden),
    ("null", {}, errors.Forbidden),
    ("", {}, errors.Forbidden),
    ("http://my.app", {"cors_origins": ["http://my.app"]}, None),
    ("http://my.app:81", {"cors_origins": ["http://my.app"]}, errors.Forbidden),
    ("null", {"cors_origins": ["http://my.app"]}, errors.Forbidden),
]


@pytest.mark.parametrize(("origin", "settings", "expected"), ORIGINS)
def test_origins(origin: str, settings: dict[str, Any], expected: Verdict) -> None:
    assert judged({"origin": origin}, **settings) is expected


def test_the_origin_of_a_rebound_name_does_not_help() -> None:
    assert judged({"host": "evil.example:3456", "origin": "http://evil.example:3456"}) is errors.Forbidden


KEYS: list[tuple[dict[str, str], Verdict]] = [
    ({"authorization": "Bearer sesame"}, None),
    ({"authorization": "Bearer  sesame "}, None),
    ({"x-api-key": "sesame"}, None),
    ({"authorization": "Bearer ", "x-api-key": "sesame"}, None),
    ({}, errors.InvalidKey),
    ({"authorization": "Bearer"}, errors.InvalidKey),
    ({"authorization": "Bearer sesam"}, errors.InvalidKey),
    ({"authorization": "Bearer sesame2"}, errors.InvalidKey),
    ({"authorization": "Bearer SESAME"}, errors.InvalidKey),
    ({"authorization": "Basic sesame"}, errors.InvalidKey),
    ({"authorization": "Bearer wrong", "x-api-key": "sesame"}, errors.InvalidKey),
    ({"authorization": "Bearer \u00e9"}, errors.InvalidKey),
]


@pytest.mark.parametrize(("headers", "expected"), KEYS)
def test_keys(headers: dict[str, str], expected: Verdict) -> None:
    assert judged(headers, api_key=SecretStr("sesame")) is expected
    assert judged(headers) is None


def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, key: bytes) -> bool:
        compared.append((given, key))
        return False

    monkeypatch.setattr("hmac.compare_digest", compare)
    assert judged({"authorization": "Bearer sesame"}, api_key=SecretStr("sesame")) is errors.InvalidKey
    assert compared == [(b"sesame", b"sesame")]


def test_where_no_key_is_asked_for() -> None:
    key = SecretStr("sesame")
    assert judged({}, path="/health", api_key=key) is None
    assert judged({}, method="OPTIONS", api_key=key) is None
    assert judged({}, path="/health/", api_key=key) is errors.InvalidKey


def test_an_empty_key_opens_nothing() -> None:
    assert judged({}, api_key=SecretStr("")) is errors.InvalidKey


def test_a_field_that_is_sent_twice_has_both_values() -> None:
    sent = [(b"Host", b"localhost"), (b"origin", b"a"), (b"host", b"evil.example"), (b"x", b"\xe9")]
    assert header_map(sent) == {"host": "localhost, evil.example", "origin": "a", "x": "é"}


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
def test_a_key_of_any_letters(header: str) -> None:
    """Clients send it as UTF-8, the framework reads headers as Latin-1."""
    key = SecretStr("schlüssel-ключ")
    sent = "schlüssel-ключ".encode().decode("latin-1")
    scheme = "Bearer " if header == "authorization" else ""
    assert judged({header: scheme + sent}, api_key=key) is None
    assert judged({header: scheme + sent[:-1]}, api_key=key) is errors.InvalidKey
    assert judged({header: scheme + "ключ"}, api_key=key) is errors.InvalidKey


def test_the_case_of_the_scheme_does_not_count() -> None:
    assert judged({"authorization": "bearer sesame"}, api_key=SecretStr("sesame")) is None


BODIES: list[tuple[str, dict[str, str], Verdict]] = [
    ("POST", {"content-type": "application/json"}, None),
    ("POST", {"content-type": "Application/JSON ; charset=utf-8"}, None),
    ("POST", {"content-type": "application/json", "content-encoding": "zstd"}, None),
    ("POST", {"content-type": "application/json", "content-encoding": "identity"}, None),
    ("POST", {"content-type": "text/plain"}, errors.UnsupportedMediaType),
    ("POST", {"content-type": "application/jsonx"}, errors.UnsupportedMediaType),
    ("POST", {"content-type": "application/x-www-form-urlencoded"}, errors.UnsupportedMediaType),
    ("PUT", {}, errors.UnsupportedMediaType),
    ("GET", {"content-type": "text/plain"}, None),
    ("POST", {"content-type": "application/json", "content-length": "2048"}, None),
    ("POST", {"content-type": "application/json", "content-length": "2049"}, errors.TooLarge),
    ("POST", {"content-type": "application/json", "content-length": "-1"}, None),
]


@pytest.mark.parametrize(("method", "headers", "expected"), BODIES)
def test_bodies(method: str, headers: dict[str, str], expected: Verdict) -> None:
    assert judged(headers, method, "/v1/chat/completions", body_limit=2048) is expected


def test_a_length_in_strange_digits_is_no_fault() -> None:
    assert judged({"content-type": "application/json", "content-length": "\u00b2"}, "POST") is None


def test_a_forbidden_host_is_told_before_a_missing_key() -> None:
    assert judged({"host": "evil.example"}, api_key=SecretStr("sesame")) is errors.Forbidden


async def test_a_fault_of_ours_is_answered_here() -> None:
    """Further out the connection would be cut after its answer, and the next request on it with it."""

    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("nobody thought of this")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    guard = Guard(broken, Settings.model_construct(), lambda: "1", scripted=False)
    headers = [(b"host", b"localhost")]
    scope = {"type": "http", "method": "GET", "path": "/v1/models", "headers": headers}
    await guard(scope, receive, send)
    assert sent[0]["status"] == 500
    assert b"nobody thought" not in sent[1]["body"]
    assert json.loads(sent[1]["body"])["error"]["code"] == "internal_error"


def untyped(headers: dict[str, str]) -> Verdict:
    """What is made of a POST whose dialect's clients do not say that they send JSON."""
    settings = Settings.model_construct(cors_origins=["http://allowed.example"])
    found = refusal("POST", "/api/chat", {"host": "localhost:3456", **headers}, settings, Place(untyped=True))
    return None if found is None else type(found)


@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded", "application/json"])
def test_json_that_does_not_say_so_is_taken_from_a_program(kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    assert untyped(headers) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://localhost:3456"},
        {"origin": "http://allowed.example"},
        {"origin": "http://localhost:3456", "content-type": "application/x-www-form-urlencoded"},
        {"sec-fetch-site": "same-origin"},
        {"content-type": "text/plain"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/x-www-form-urlencoded, text/plain"},
    ],
)
def test_but_not_from_a_page(headers: dict[str, str]) -> None:
    assert untyped(headers) is errors.UnsupportedMediaType


def test_the_other_dialects_want_the_type() -> None:
    assert judged({}, "POST", "/v1/messages") is errors.UnsupportedMediaType


def test_what_answers_here_is_told_without_a_key() -> None:
    assert judged({}, path="/", api_key=SecretStr("sesame")) is None
