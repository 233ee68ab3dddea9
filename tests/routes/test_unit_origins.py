"""Web origins and addresses that may call, patterns among them."""

from typing import Any

import pytest
from harness.shape import Shape
from pydantic import SecretStr
from routes.test_unit_addresses import CHAT, client

from claude_max.proxy import errors
from claude_max.proxy.config import Settings
from claude_max.proxy.routes.guard import Place, refusal
from claude_max.proxy.routes.origins import is_allowed

KEY = SecretStr("k")
# `given` is an origin and what `cors_origins` holds; `expected` whether it may call.
ORIGINS: dict[str, Shape] = {
    "an app": Shape(
        "`app://obsidian.md`, in `cors_origins`", "allowed", ("app://obsidian.md", ["app://obsidian.md"]), True
    ),
    "Tauri": Shape(
        "`tauri://localhost`, in `cors_origins`", "allowed", ("tauri://localhost", ["tauri://localhost"]), True
    ),
    "VS Code": Shape(
        "`vscode-webview://…` for `vscode-webview://*`",
        "allowed",
        ("vscode-webview://0abc", ["vscode-webview://*"]),
        True,
    ),
    "an extension": Shape(
        "`chrome-extension://…` for `chrome-extension://*`",
        "allowed",
        ("chrome-extension://abc", ["chrome-extension://*"]),
        True,
    ),
    "any port": Shape(
        "`http://localhost:5173` for `http://localhost:*`",
        "allowed",
        ("http://localhost:5173", ["http://localhost:*"]),
        True,
    ),
    "another scheme": Shape(
        "`https://localhost:5173` for `http://localhost:*`",
        "refused",
        ("https://localhost:5173", ["http://localhost:*"]),
        False,
    ),
    "a longer host": Shape(
        "`http://localhost:1.evil.example` for `http://localhost:*`",
        "refused",
        ("http://localhost:1.evil.example", ["http://localhost:*"]),
        False,
    ),
    "null": Shape("`null` without a key", "refused", ("null", ["null"]), False),
    "nothing": Shape("any other origin", "refused, and the log says why", ("http://evil.example", []), False),
}


@pytest.mark.parametrize("name", ORIGINS)
def test_an_origin(name: str) -> None:
    origin, allowed = ORIGINS[name].given
    settings = Settings.model_construct(cors_origins=allowed)
    assert is_allowed(origin, settings) is ORIGINS[name].expected
    answer = client(cors_origins=allowed).post("/v1/chat/completions", json=CHAT, headers={"origin": origin})
    assert answer.status_code == (200 if ORIGINS[name].expected else 403)
    assert answer.headers.get("access-control-allow-origin") == (origin if ORIGINS[name].expected else None)


@pytest.mark.parametrize("origin", ["null", "file://"])
def test_a_nameless_origin_with_a_key(origin: str) -> None:
    settings: dict[str, Any] = {"cors_origins": ["null", "file://"], "api_key": KEY}
    headers = {"origin": origin, "authorization": "Bearer k"}
    assert client(**settings).get("/v1/models", headers=headers).status_code == 200
    assert client(**settings).get("/v1/models", headers={"origin": origin}).status_code == 401


def test_a_preflight_into_the_private_network() -> None:
    """Chrome's, of a page that was loaded from elsewhere."""
    asked = {"access-control-request-method": "POST", "access-control-request-private-network": "true"}
    allowed = client(cors_origins=["https://chat.example"])
    answer = allowed.options("/v1/chat/completions", headers={"origin": "https://chat.example", **asked})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-private-network"] == "true"
    assert answer.headers["access-control-allow-origin"] == "https://chat.example"
    refused = allowed.options("/v1/chat/completions", headers={"origin": "https://evil.example", **asked})
    assert refused.status_code == 403
    assert "access-control-allow-private-network" not in refused.headers


ADDRESSES = [
    ("192.168.1.5:3456", "192.168.1.5", True),
    ("192.168.1.5:3456", "::ffff:192.168.1.5", True),
    ("[fe80::1]:3456", "fe80::1%eth0", True),
    ("192.168.1.6:3456", "192.168.1.5", False),
    ("my.box:3456", "192.168.1.5", False),
    ("192.168.1.5.nip.io", "192.168.1.5", False),
    ("192.168.1.5:3456", None, False),
]


@pytest.mark.parametrize(("host", "local", "allowed"), ADDRESSES)
def test_an_address_of_this_machine(host: str, local: str | None, *, allowed: bool) -> None:
    """An address that the connection came to is this machine's, whatever it listens on."""
    settings = Settings.model_construct(host="0.0.0.0")
    found = refusal("GET", "/v1/models", {"host": host}, settings, Place(local=local))
    assert (found is None) is allowed
    assert found is None or isinstance(found, errors.Forbidden)
