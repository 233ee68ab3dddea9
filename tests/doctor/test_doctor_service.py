"""The checks of the service: its manager's word, and the questions asked again in its own environment."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from harness.command import stand_in

from claude_max.proxy.doctor import Machine, ServiceRecord, Status
from claude_max.proxy.doctor.machine import ask_login
from claude_max.proxy.doctor.service import check_service, check_service_environment

MakeMachine = Callable[..., Machine]


def record(environ: Mapping[str, str], **parts: Any) -> Callable[[], ServiceRecord]:
    """A service that runs in that environment."""
    whole = {"unit": Path("/home/me/claude-max.service"), "loaded": True, "running": True, "environ": environ}
    return lambda: ServiceRecord(**{**whole, **parts})


def test_nobody_can_tell(machine: MakeMachine) -> None:
    assert check_service(machine()) is check_service_environment(machine()) is None


def test_not_installed_is_fine(machine: MakeMachine) -> None:
    finding = check_service(machine(service=lambda: None))
    assert finding is not None
    assert finding.status is Status.OK
    assert "claude-max install-agent" in finding.summary
    assert check_service_environment(machine(service=lambda: None)) is None


@pytest.mark.parametrize(
    ("parts", "status", "fix"),
    [
        ({}, Status.OK, ()),
        ({"running": False}, Status.FAILED, ("claude-max service logs", "claude-max service restart")),
        ({"loaded": False, "running": False}, Status.FAILED, ("claude-max install-agent",)),
    ],
)
def test_what_the_manager_says(
    machine: MakeMachine, parts: dict[str, Any], status: Status, fix: tuple[str, ...]
) -> None:
    finding = check_service(machine(service=record({}, **parts)))
    assert finding is not None
    assert (finding.status, finding.fix) == (status, fix)


def test_a_program_that_was_removed_is_told_with_both_ways_out(machine: MakeMachine, home: Path) -> None:
    program = home / "bin/claude-max"
    gone = check_service(machine(service=record({}, program=program)))
    assert gone is not None
    assert gone.status is Status.FAILED
    assert gone.summary == f"The service runs {program}, which does not exist"
    assert gone.fix == ("claude-max install-agent", "claude-max uninstall-agent")


def test_a_program_of_another_version_is_told(machine: MakeMachine, home: Path) -> None:
    program = stand_in(home / "bin", "claude-max 0.0.1", name="claude-max")
    other = check_service(machine(service=record({}, program=program, version="0.0.1")))
    assert other is not None
    assert other.status is Status.WARNING
    assert f"The service runs claude-max 0.0.1 ({program})" in other.summary
    assert other.fix == ("claude-max install-agent",)


def test_a_path_without_claude(machine: MakeMachine, home: Path) -> None:
    """The usual reason: launchd's PATH. The named program is refused, never replaced."""
    broken = record({"PATH": "/usr/bin:/bin", "HOME": str(home)}, claude_path=str(home / "gone"))
    finding = check_service_environment(machine(service=broken))
    assert finding is not None
    assert finding.status is Status.FAILED
    assert "not your terminal's" in finding.detail
    assert finding.fix == ("claude-max install-agent",)


def test_another_claude_than_in_a_terminal(machine: MakeMachine, home: Path) -> None:
    other = stand_in(home / "service", "2.1.300 (Claude Code)")
    finding = check_service_environment(machine(service=record({"PATH": str(other.parent), "HOME": str(home)})))
    assert finding is not None
    assert finding.status is Status.WARNING
    assert f"The service runs {other} (2.1.300)" in finding.summary


def test_signed_in_here_and_not_there(machine: MakeMachine, home: Path) -> None:
    """The real CLI: the token is in the terminal's environment and not in the service's."""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(home)}
    here = {**environ, "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-secret"}
    finding = check_service_environment(machine(environ=here, login=ask_login, service=record(environ)))
    assert finding is not None
    assert finding.status is Status.FAILED
    assert finding.summary == "In the service: Claude Code is not signed in"
    finding = check_service_environment(machine(environ=environ, login=ask_login, service=record(here)))
    assert finding is not None
    assert finding.status is Status.OK
    assert "secret" not in repr(finding)
