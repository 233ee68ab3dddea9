"""The checks of the program and its login, each finding really caused."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from harness.command import stand_in

from claude_max.proxy.config import Settings
from claude_max.proxy.doctor import Finding, Machine, Status
from claude_max.proxy.doctor.claude import check_cli, check_contract, check_login, check_python, check_shadows
from claude_max.proxy.doctor.machine import ask_login
from claude_max.proxy.engine.probe import locate
from claude_max.proxy.engine.probe.contract import ContractResult
from claude_max.proxy.errors import CliCrashed

MakeMachine = Callable[..., Machine]


def found(finding: Finding | None, status: Status) -> Finding:
    """The finding, which must be there and of that status."""
    assert finding is not None
    assert finding.status is status, finding
    assert (finding.detail and finding.fix) or status is Status.OK
    return finding


def named(path: Path | str) -> Callable[[], Settings]:
    """Settings that name the program to run."""
    return lambda: Settings.model_construct(claude_path=str(path))


def test_python(machine: MakeMachine) -> None:
    assert "claude-max" in found(check_python(machine()), Status.OK).summary


def test_the_tested_cli(machine: MakeMachine, home: Path) -> None:
    finding = found(check_cli(machine()), Status.OK)
    assert finding.summary == f"Claude Code 2.1.332 at {home / 'bin/claude'} (PATH)"
    assert finding.detail == ""


def test_no_cli(machine: MakeMachine, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the [cli] extra and the usual places of this machine.
    monkeypatch.setattr(locate, "candidates", lambda environ: iter(()))
    broken = machine()
    finding = found(check_cli(broken), Status.FAILED)
    assert "not found" in finding.summary
    assert "npm install -g @anthropic-ai/claude-code" in finding.fix
    assert check_login(broken) is check_shadows(broken) is check_contract(broken) is None


@pytest.mark.parametrize(
    ("says", "status", "fix"),
    [
        ("2.1.100 (Claude Code)", Status.FAILED, ("claude update", *locate.INSTALL_COMMANDS)),
        ("something else", Status.FAILED, locate.INSTALL_COMMANDS),
        ("2.1.250 (Claude Code)", Status.WARNING, ("{program} update",)),
    ],
)
def test_versions(
    machine: MakeMachine, home: Path, monkeypatch: pytest.MonkeyPatch, says: str, status: Status, fix: tuple[str, ...]
) -> None:
    program = stand_in(home / "other", says)
    monkeypatch.setattr(locate, "candidates", lambda environ: iter([(program, locate.ON_PATH)]))
    finding = check_cli(machine())
    assert finding is not None
    assert finding.status is status
    assert finding.fix == tuple(command.format(program=program) for command in fix)


@pytest.mark.parametrize("says", ["2.1.100 (Claude Code)", "something else"])
@pytest.mark.parametrize("by_variable", [True, False])
def test_a_program_that_was_named_is_not_replaced(
    machine: MakeMachine, home: Path, says: str, by_variable: bool
) -> None:
    """So another one that is installed does not help."""
    program = stand_in(home / "other", says)
    environ = {"PATH": str(home / "bin"), **({"CLAUDE_MAX_CLAUDE_PATH": str(program)} if by_variable else {})}
    finding = found(check_cli(machine(load=named(program), environ=environ)), Status.FAILED)
    update = (f"{program} update",) if says.startswith("2") else ()
    otherwise = "unset CLAUDE_MAX_CLAUDE_PATH" if by_variable else "claude-max config unset claude_path"
    assert finding.fix == (*update, otherwise)


def test_a_newer_cli_is_told(machine: MakeMachine, home: Path) -> None:
    stand_in(home / "bin", "2.9.0 (Claude Code)")
    assert "tested with 2.1.332" in found(check_cli(machine()), Status.OK).detail


def test_one_claude_on_path(machine: MakeMachine) -> None:
    found(check_shadows(machine()), Status.OK)


def test_an_old_one_before_the_one_in_use(machine: MakeMachine, home: Path) -> None:
    old, new = stand_in(home / "old", "2.1.100 (Claude Code)"), home / "bin/claude"
    path = f"{old.parent}{os.pathsep}{new.parent}"
    finding = found(check_shadows(machine(environ={"PATH": path, "HOME": str(home)})), Status.WARNING)
    assert f"{old} (too old to be used)" in finding.summary
    assert f"a terminal runs {old}" in finding.detail
    assert finding.fix == (f"export CLAUDE_MAX_CLAUDE_PATH={new}",)


def test_a_link_to_the_same_program_is_no_other(machine: MakeMachine, home: Path) -> None:
    (home / "link").mkdir()
    (home / "link/claude").symlink_to(home / "bin/claude")
    path = f"{home / 'link'}{os.pathsep}{home / 'bin'}"
    found(check_shadows(machine(environ={"PATH": path, "HOME": str(home)})), Status.OK)


def said(machine: MakeMachine, **answer: Any) -> Finding | None:
    """What the check makes of an answer of `claude auth status`."""
    return check_login(machine(login=lambda program, environ: answer))


def test_signed_in_with_a_plan(machine: MakeMachine) -> None:
    whole = {"loggedIn": True, "authMethod": "claude.ai", "subscriptionType": "max", "planTier": "max_20x"}
    assert found(said(machine, **whole, loginExpiresAt=None), Status.OK).summary == "Signed in, plan max_20x"
    ends = (datetime.now(UTC) + timedelta(days=90)).isoformat()
    assert "until" in found(said(machine, **whole, loginExpiresAt=ends), Status.OK).summary


@pytest.mark.parametrize(("days", "status"), [(2, Status.WARNING), (-1, Status.FAILED)])
def test_a_login_that_ends(machine: MakeMachine, days: int, status: Status) -> None:
    ends = (datetime.now(UTC) + timedelta(days=days)).isoformat().replace("+00:00", "Z")
    finding = found(said(machine, loggedIn=True, authMethod="claude.ai", loginExpiresAt=ends), status)
    assert finding.fix == ("claude-max login",)


def test_an_api_key_is_not_a_plan(machine: MakeMachine) -> None:
    finding = said(machine, loggedIn=True, authMethod="api_key", apiKeySource="ANTHROPIC_API_KEY")
    assert found(finding, Status.WARNING).fix == ("unset ANTHROPIC_API_KEY",)


def test_a_status_that_cannot_be_had(machine: MakeMachine) -> None:
    def crash(program: Path, environ: Any) -> Any:
        raise CliCrashed("no answer")

    assert found(check_login(machine(login=crash)), Status.FAILED).summary == "no answer"


def test_the_real_cli_signed_out_and_in(machine: MakeMachine, home: Path) -> None:
    """In an empty home; and the question is asked with the environment that the proxy gives the CLI."""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(home), "ANTHROPIC_API_KEY": "sk-ant-not-passed-on"}
    out = machine(environ=environ, login=ask_login)
    finding = found(check_login(out), Status.FAILED)
    assert finding.summary == "Claude Code is not signed in"
    assert finding.fix[0] == "claude-max login"
    inside = machine(environ={**environ, "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-test"}, login=ask_login)
    assert "CLAUDE_CODE_OAUTH_TOKEN" in found(check_login(inside), Status.OK).summary


def test_a_program_that_knows_no_login(machine: MakeMachine) -> None:
    finding = found(check_login(machine(login=ask_login)), Status.FAILED)
    assert "said nothing that is known" in finding.summary


def test_contract(machine: MakeMachine) -> None:
    assert check_contract(machine()) is None

    def with_record(*holds: str, **fails: str) -> Finding | None:
        return check_contract(machine(contract=lambda cli: ContractResult(frozenset(holds), fails)))

    found(with_record("exact"), Status.OK)
    assert "rewind: left a trace" in found(with_record("exact", rewind="left a trace"), Status.WARNING).summary
    assert "a local file" in found(with_record("exact", verbatim="a local file was read"), Status.FAILED).summary
