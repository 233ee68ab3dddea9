"""The checks of environment, configuration, port, folders and memory, each finding really caused."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from harness.machine import free_port

from claude_max.proxy.config import Settings, load
from claude_max.proxy.doctor import Finding, LegacyService, Machine, Status
from claude_max.proxy.doctor.surroundings import (
    check_config,
    check_environment,
    check_folders,
    check_memory,
    check_port,
)
from claude_max.proxy.port_check import Kind, Listener, address, listener

MakeMachine = Callable[..., Machine]
OURS = {
    "status": "ok",
    "provider": "claude-code-cli",
    "version": version("claude-max-toolkit"),
    "cli_version": "2.1.332",
}


def found(finding: Finding | None, status: Status) -> Finding:
    """The finding, which must be there and of that status."""
    assert finding is not None
    assert finding.status is status, finding
    return finding


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """Somebody who answers every GET so; yields the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield http.server_port
        http.shutdown()
        thread.join(5)


def at(port: int) -> Settings:
    """Settings with that port."""
    return Settings.model_construct(port=port)


def port_finding(machine: MakeMachine, port: int, **parts: Any) -> Finding | None:
    """What the check says of a real port."""
    return check_port(machine(load=lambda: at(port), listener=listener, **parts))


# Environment


def test_a_clean_environment(machine: MakeMachine) -> None:
    found(check_environment(machine()), Status.OK)


@pytest.mark.parametrize(
    ("variables", "fix"),
    [
        ({"ANTHROPIC_API_KEY": "sk-ant-secret"}, "unset ANTHROPIC_API_KEY"),
        ({"ANTHROPIC_AUTH_TOKEN": "sk-ant-secret"}, "unset ANTHROPIC_AUTH_TOKEN"),
        ({"ANTHROPIC_BASE_URL": "https://me:sk-ant-secret@else.where/x?k=sk-ant-secret"}, "unset ANTHROPIC_BASE_URL"),
    ],
)
def test_who_else_would_be_billed_or_asked(machine: MakeMachine, variables: dict[str, str], fix: str) -> None:
    finding = found(check_environment(machine(environ=variables)), Status.WARNING)
    assert finding.fix == (fix,)
    assert "secret" not in repr(finding)


def test_a_key_that_is_let_through_is_told(machine: MakeMachine) -> None:
    settings = Settings.model_construct(allow_anthropic_api_key=True)
    parts = {"environ": {"ANTHROPIC_API_KEY": "k"}, "load": lambda: settings}
    assert "billed to it" in found(check_environment(machine(**parts)), Status.WARNING).detail
    assert machine(**parts).cli_environ()["ANTHROPIC_API_KEY"] == "k"


# Configuration


def test_no_file_is_fine(machine: MakeMachine) -> None:
    assert "there is no" in found(check_config(machine()), Status.OK).summary


def test_a_broken_file(machine: MakeMachine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "config.toml"
    file.write_text("port = 99999")
    monkeypatch.setenv("CLAUDE_MAX_CONFIG", str(file))
    broken = machine(load=load)
    finding = found(check_config(broken), Status.FAILED)
    assert finding.summary.startswith("port: ")
    assert str(file) in finding.fix[0]
    assert broken.settings.port == 3456, "the other checks go on with the defaults"


def test_an_address_that_is_open_to_all(machine: MakeMachine) -> None:
    """`serve` refuses to start with it."""
    settings = Settings.model_construct(host="0.0.0.0")
    finding = found(check_config(machine(load=lambda: settings)), Status.FAILED)
    assert "a key is required" in finding.summary
    assert finding.fix == ("claude-max serve --host 127.0.0.1",)


@pytest.mark.skipif(os.name != "posix", reason="permissions")
def test_a_key_that_others_can_read(machine: MakeMachine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "config.toml"
    file.write_text('api_key = "x"')
    monkeypatch.setenv("CLAUDE_MAX_CONFIG", str(file))
    file.chmod(0o644)
    assert found(check_config(machine(load=load)), Status.WARNING).fix == (f"chmod 600 {file}",)
    found(check_config(machine(load=load, environ={"CLAUDE_MAX_API_KEY": "y"})), Status.OK)
    file.chmod(0o600)
    found(check_config(machine(load=load)), Status.OK)


def test_a_misspelt_variable(machine: MakeMachine) -> None:
    finding = found(check_config(machine(environ={"CLAUDE_MAX_PROT": "1", "CLAUDE_MAX_PORT": "2"})), Status.WARNING)
    assert "is it CLAUDE_MAX_PORT?" in finding.summary
    assert finding.fix == ("unset CLAUDE_MAX_PROT",)


# Port


def test_a_free_port(machine: MakeMachine) -> None:
    found(port_finding(machine, free_port()), Status.OK)
    found(port_finding(machine, 0), Status.OK)


def test_somebody_else(machine: MakeMachine) -> None:
    with server(b"<html>hello") as port:
        finding = found(port_finding(machine, port), Status.FAILED)
    assert f"(pid {os.getpid()})" in finding.summary
    assert f"claude-max serve --port {port + 1}" in finding.fix


def test_somebody_who_speaks_no_http(machine: MakeMachine) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]

        def hang_up() -> None:
            sock.accept()[0].close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        found(port_finding(machine, port), Status.FAILED)
        thread.join(5)


def test_an_address_that_is_not_of_this_machine(machine: MakeMachine) -> None:
    settings = Settings.model_construct(host="203.0.113.1", port=3456)
    unusable = Listener(Kind.UNUSABLE, "Cannot assign requested address")
    finding = found(check_port(machine(load=lambda: settings, listener=lambda _: unusable)), Status.FAILED)
    assert "Cannot assign requested address" in finding.detail


def test_the_seed(machine: MakeMachine, home: Path) -> None:
    legacy = LegacyService(home / "legacy.plist", "launchctl bootout it")
    with server(json.dumps({"status": "ok", "provider": "claude-code-cli", "timestamp": "now"}).encode()) as port:
        finding = found(port_finding(machine, port, legacy_services=lambda port: [legacy]), Status.FAILED)
    assert "claude-max-api-proxy" in finding.summary
    assert str(legacy.unit) in finding.detail
    assert finding.fix[0] == "launchctl bootout it"


def test_the_seed_that_will_come_at_login(machine: MakeMachine, home: Path) -> None:
    legacy = LegacyService(home / "legacy.plist", "launchctl bootout it")
    finding = found(check_port(machine(legacy_services=lambda port: [legacy])), Status.WARNING)
    assert finding.fix == ("launchctl bootout it",)


@pytest.mark.parametrize(
    ("health", "status", "says"),
    [
        ({"signed_in": True, "ready": True}, Status.OK, "healthy"),
        ({"signed_in": False, "ready": False}, Status.WARNING, "not signed in"),
        ({"signed_in": True, "ready": False}, Status.WARNING, "not ready"),
        ({"scripted": True, "ready": True}, Status.WARNING, "scripted"),
        ({"version": "0.0.1"}, Status.WARNING, "restart"),
    ],
)
def test_ours(machine: MakeMachine, health: dict[str, Any], status: Status, says: str) -> None:
    with server(json.dumps({**OURS, **health}).encode()) as port:
        finding = found(port_finding(machine, port), status)
    assert says in finding.summary + finding.detail


def test_addresses() -> None:
    assert address(Settings.model_construct(host="0.0.0.0", port=1)) == "http://127.0.0.1:1"
    assert address(Settings.model_construct(host="::", port=2)) == "http://[::1]:2"
    assert address(Settings.model_construct(host="box.local", port=3)) == "http://box.local:3"


# Folders and memory


def test_folders(machine: MakeMachine, home: Path) -> None:
    found(check_folders(machine(folders={"cache": home / "not" / "yet"})), Status.OK)
    assert not (home / "not").exists()
    (home / "file").write_text("")
    finding = found(check_folders(machine(folders={"cache": home / "file" / "sub"})), Status.FAILED)
    assert "the cache folder" in finding.summary
    assert finding.fix == (f"ls -ld {home / 'file' / 'sub'}",)
    assert list(home.glob("tmp*")) == []


def test_memory(machine: MakeMachine) -> None:
    found(check_memory(machine()), Status.OK)
    finding = found(check_memory(machine(available_memory=lambda: 2**30)), Status.WARNING)
    assert finding.fix == ("claude-max serve --workers 3",)
    assert found(check_memory(machine(available_memory=lambda: 0)), Status.WARNING).fix[0].endswith(" 1")
