"""What the actions do beyond running commands: waiting for the proxy, and looking from inside the service."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import harness
import pytest
from harness.machine import free_port
from harness.stand_ins import NOT_LOADED, StandIns

from claude_max.cli.output import Exit
from claude_max.cli.service import actions
from claude_max.cli.service.inside import environment_of
from claude_max.cli.service.launchd import Launchd
from claude_max.cli.service.log import LIMIT
from claude_max.cli.service.spec import Service, ServiceError
from claude_max.cli.service.steps import Machine


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch, stand_ins: StandIns) -> None:
    file = stand_ins.folder / "empty.toml"
    file.touch()
    monkeypatch.setenv("CLAUDE_MAX_CONFIG", str(file))


@pytest.fixture
def machine(stand_ins: StandIns) -> Iterator[Machine]:
    """One with a small launchd of its own."""
    launchctl = stand_ins.bin / "launchctl"
    script = (Path(harness.__file__).parent / "small_launchd.py").read_text()
    launchctl.write_text(f"#!{sys.executable}\n{script}")
    # Else a checkout below /tmp would, rightly, be refused as passing.
    made = Machine(environ={**stand_ins.environ, "TMPDIR": str(stand_ins.folder), "CLAUDE_MAX_WARM_WORKERS": "0"})
    yield made
    made.ask([str(launchctl), "bootout", "gui/501/com.claude-max.proxy"])


def test_the_property_list_really_starts_the_proxy(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    agent = Launchd(machine, 501)
    made = actions.install(agent, machine, port=port, claude_path=None, dry_run=False)
    assert (made.outcome, made.url, made.signed_in) == ("installed", f"http://127.0.0.1:{port}/v1", False)
    assert "OPENAI_BASE_URL" in agent.log.read_text()
    first = actions.status(agent)
    assert (first.running, first.healthy, first.exit) == (True, True, 0)
    assert actions.install(agent, machine, port=port, claude_path=None, dry_run=False).outcome == "unchanged"
    assert environment_of(agent)["USER"] == "ada"
    os.truncate(agent.log, LIMIT + 1)
    assert actions.restart(agent, machine).outcome == "restarted"
    assert actions.status(agent).pid != first.pid
    assert "OPENAI_BASE_URL" in agent.log.read_text()
    assert agent.log.stat().st_size < LIMIT < Path(f"{agent.log}.1").stat().st_size
    assert actions.uninstall(agent, machine, dry_run=False).outcome == "uninstalled"
    monkeypatch.setenv("CLAUDE_MAX_PORT", str(port))
    assert not actions.status(agent).healthy


def test_one_that_does_not_come_up_shows_the_end_of_its_log(stand_ins: StandIns) -> None:
    stand_ins.answer({"launchctl print": [NOT_LOADED], "tail": [(0, "claude-max: what went wrong\n")]})
    machine = Machine(
        stand_ins.machine().clock,
        stand_ins.paused.append,
        {**stand_ins.environ, "TMPDIR": str(stand_ins.folder)},
    )
    with pytest.raises(ServiceError, match=r"does not answer .* after 50 s\.\nclaude-max: what went wrong"):
        actions.install(Launchd(machine, 501), machine, port=free_port(), claude_path=None, dry_run=False)
    assert len(stand_ins.paused) == 50


def test_a_port_that_another_took_meanwhile_is_named(stand_ins: StandIns) -> None:
    stand_ins.answer({"launchctl print": [NOT_LOADED]})
    agent = Launchd(stand_ins.machine(), 501)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        agent.file.parent.mkdir(parents=True)
        agent.file.write_bytes(agent.render(Service(("/bin/claude-max", "serve", "--port", port), {})))
        with pytest.raises(ServiceError, match=f"pid {os.getpid()}.* is listening on port {port}: stop it") as error:
            actions.restart(agent, stand_ins.machine())
    assert error.value.code == Exit.PORT_TAKEN
    assert stand_ins.changes("print") == []


def test_one_that_does_not_run_has_the_environment_of_its_file(stand_ins: StandIns) -> None:
    stand_ins.answer({"launchctl print": [NOT_LOADED]})
    agent = Launchd(stand_ins.machine(), 501)
    agent.file.parent.mkdir(parents=True)
    agent.file.write_bytes(agent.render(Service(("/bin/claude-max", "serve"), {"PATH": "/wrong"})))
    assert environment_of(agent) == {"HOME": str(stand_ins.home), "USER": "ada", "LOGNAME": "ada", "PATH": "/wrong"}


def test_a_service_cannot_have_just_any_port(stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_MAX_PORT", "0")
    machine = stand_ins.machine()
    with pytest.raises(ServiceError, match="--port 3456"):
        actions.install(Launchd(machine, 501), machine, port=None, claude_path=None, dry_run=True)
