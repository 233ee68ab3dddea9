"""What the doctor says of the programs that are set up for this proxy."""

from pathlib import Path

import pytest
from doctor.conftest import MakeMachine
from harness.command import claude_max
from pydantic import SecretStr

from claude_max.proxy.config import Settings
from claude_max.proxy.doctor import ClientRecord, Finding, Status
from claude_max.proxy.doctor.clients import check_clients

FILE = Path("/home/me/.codex/config.toml")
GOOD = {"url": "http://localhost:3456", "key": "any", "model": "sonnet"}


def found(machine: MakeMachine, settings: Settings, **client: str | None) -> Finding:
    record = ClientRecord("codex", "Codex CLI", FILE, **{**GOOD, **client})  # type: ignore[arg-type]
    said = check_clients(machine(load=lambda: settings, clients=lambda settings: [record]))
    assert said is not None
    return said


def test_all_is_well(machine: MakeMachine, settings: Settings) -> None:
    said = found(machine, settings)
    assert (said.status, said.summary) == (Status.OK, "Set up for http://127.0.0.1:3456: codex")
    none = check_clients(machine(clients=lambda settings: []))
    assert none is not None
    assert none.status is Status.OK
    assert check_clients(machine()) is None


@pytest.mark.parametrize(
    ("client", "says"),
    [
        ({"url": "http://127.0.0.1:4000"}, "asks http://127.0.0.1:4000, but the proxy is at http://127.0.0.1:3456"),
        ({"url": "http://other:3456"}, "asks http://other:3456"),
        ({"model": "claude_2"}, "asks for the model 'claude_2', which does not exist"),
        ({"key": "wrong-secret"}, "sends a key that the proxy refuses"),
    ],
    ids=["port", "host", "model", "key"],
)
def test_a_client_whose_requests_fail(
    machine: MakeMachine, settings: Settings, client: dict[str, str], says: str
) -> None:
    if "key" in client:
        settings = settings.model_copy(update={"api_key": SecretStr("right")})
    said = found(machine, settings, **client)
    assert said.status is Status.WARNING
    assert says in said.summary
    assert str(FILE) in said.summary
    assert said.fix == ("claude-max connect codex",)
    assert "secret" not in f"{said.summary}{said.detail}"


def test_of_a_real_file(home: Path) -> None:
    """Set up for one port, and the doctor asked about another."""
    connected = claude_max(home, "connect", "aider", "--yes", environ={"CLAUDE_MAX_PORT": "4321"})
    assert connected.code == 0, connected.err
    ended = claude_max(home, "doctor", "--check", "clients", "--json")
    finding = ended.json["findings"][0]
    assert (finding["name"], finding["status"]) == ("clients", "warning")
    assert "asks http://127.0.0.1:4321" in finding["summary"]
    assert finding["fix"] == ["claude-max connect aider"]
    assert claude_max(home, "connect", "aider", "--yes").code == 0
    assert claude_max(home, "doctor", "--check", "clients", "--json").json["findings"][0]["status"] == "ok"
