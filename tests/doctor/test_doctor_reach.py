"""The checks of the service, of a start, of managed settings and of aliases, each finding really caused."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.command import stand_in
from harness.machine import free_port
from harness.proxy import home_environment, scripted

from claude_max.cli.report import redacted
from claude_max.proxy.config import Settings
from claude_max.proxy.doctor import Finding, Machine, ServiceRecord, Status
from claude_max.proxy.doctor.claude import check_managed, check_shadows
from claude_max.proxy.doctor.reach import check_network, check_start, reach, start
from claude_max.proxy.doctor.service import check_service
from claude_max.proxy.doctor.surroundings import check_aliases, check_port
from claude_max.proxy.engine.probe import locate
from claude_max.proxy.errors import NotSignedIn
from claude_max.proxy.events import Model
from claude_max.proxy.port_check import Kind, Listener

MakeMachine = Callable[..., Machine]


def found(finding: Finding | None, status: Status) -> Finding:
    assert finding is not None
    assert finding.status is status, finding
    assert (finding.detail and finding.fix) or status is Status.OK
    return finding


def test_a_service_that_answers(machine: MakeMachine) -> None:
    with scripted() as api:
        environ = {"ANTHROPIC_BASE_URL": api.url}
        said = found(check_network(machine(environ=environ, reach=reach)), Status.OK).summary
        assert api.api.bodies() == []
    assert said == f"{api.url} can be reached; no token was spent"


def test_a_service_that_does_not(machine: MakeMachine) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    finding = found(check_network(machine(environ={"ANTHROPIC_BASE_URL": url}, reach=reach)), Status.WARNING)
    assert finding.summary.startswith(f"{url} cannot be reached: ")
    assert finding.fix == (f"curl -I {url}",)


def test_the_proxy_of_the_environment_is_used(machine: MakeMachine) -> None:
    environ = {"HTTPS_PROXY": f"http://127.0.0.1:{free_port()}"}
    finding = found(check_network(machine(environ=environ, reach=reach)), Status.WARNING)
    assert "HTTPS_PROXY is set." in finding.detail


def test_what_was_not_asked_is_said(machine: MakeMachine) -> None:
    assert "no request was sent" in found(check_network(machine()), Status.OK).summary


def test_a_claude_that_starts(machine: MakeMachine, home: Path) -> None:
    real = next(path for path, source in locate.candidates(os.environ) if source == locate.BUNDLED)
    with scripted() as api:
        environ = {**home_environment(home), "ANTHROPIC_BASE_URL": api.url}
        settings = Settings.model_construct(claude_path=str(real))
        signed_in = machine(environ=environ, load=lambda: settings, start=start)
        assert "lists its models" in found(check_start(signed_in), Status.OK).summary
        del environ["CLAUDE_CODE_OAUTH_TOKEN"]
        signed_out = machine(environ=environ, load=lambda: settings, start=start)
        assert "only when it is signed in" in found(check_start(signed_out), Status.OK).summary


def test_a_claude_that_dies_is_told_in_its_own_words(machine: MakeMachine, home: Path) -> None:
    program = home / "bin/claude"
    program.write_text(
        "#!/bin/sh\ncase $1 in --version) echo '2.1.330 (Claude Code)'; exit;; esac\n"
        "echo 'the licence ran out' >&2; exit 3\n"
    )
    finding = found(check_start(machine(start=start)), Status.FAILED)
    assert "the licence ran out" in finding.summary


def test_managed_settings(machine: MakeMachine, home: Path) -> None:
    file = home / "managed-settings.json"
    found(check_managed(machine(managed=(file,))), Status.OK)
    file.write_text('{"env": {}, "hooks": {}}')
    finding = found(check_managed(machine(managed=(file,))), Status.WARNING)
    assert finding.summary.endswith("sets env, hooks")
    file.write_text("{")
    assert "cannot be read" in found(check_managed(machine(managed=(file,))), Status.WARNING).summary


def test_a_second_claude_that_is_broken(machine: MakeMachine, home: Path) -> None:
    broken = home / "other/claude"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    environ = {"PATH": f"{home / 'bin'}{os.pathsep}{broken.parent}", "HOME": str(home)}
    finding = found(check_shadows(machine(environ=environ)), Status.WARNING)
    assert f"{broken} (broken: it does not run)" in finding.summary


def test_aliases(machine: MakeMachine) -> None:
    found(check_aliases(machine()), Status.OK)
    good = Settings.model_construct(aliases={"gpt-4o": "sonnet", "own": "claude-opus-4-8"})
    assert found(check_aliases(machine(load=lambda: good)), Status.OK).summary == "2 aliases point to models"
    bad = Settings.model_construct(aliases={"gpt-4o": "sonett"})
    finding = found(check_aliases(machine(load=lambda: bad)), Status.FAILED)
    assert finding.summary == "the alias gpt-4o points to 'sonett', which is not a model"
    assert finding.fix == ("claude-max config set aliases.gpt-4o sonnet",)
    # A name that nobody knows here may be one that the CLI offers.
    offered = (Model("sonett", "claude-sonett-6"),)
    found(check_aliases(machine(load=lambda: bad, models=lambda *_: offered)), Status.OK)

    def unasked(*_: object) -> tuple[Model, ...]:
        raise NotSignedIn("no")

    found(check_aliases(machine(load=lambda: bad, models=unasked)), Status.FAILED)


def service(home: Path, program: Path, version: str | None = None, **environ: str) -> Callable[[], ServiceRecord]:
    return lambda: ServiceRecord(home / "claude-max.service", True, True, environ, program=program, version=version)


def test_a_service_whose_program_is_gone(machine: MakeMachine, home: Path) -> None:
    finding = found(check_service(machine(service=service(home, home / "gone/claude-max"))), Status.FAILED)
    assert "which does not exist" in finding.summary
    assert finding.fix == ("claude-max install-agent", "claude-max uninstall-agent")


def test_a_service_of_another_version(machine: MakeMachine, home: Path) -> None:
    program = stand_in(home / "old", "claude-max 0.0.1", name="claude-max")
    finding = found(check_service(machine(service=service(home, program, "0.0.1"))), Status.WARNING)
    assert "The service runs claude-max 0.0.1" in finding.summary
    assert finding.fix == ("claude-max install-agent",)


def test_a_service_with_old_names(machine: MakeMachine, home: Path) -> None:
    whole = machine(service=service(home, home / "bin/claude", CLAUDE_MAX_WARM="1"))
    finding = found(check_service(whole), Status.WARNING)
    assert "CLAUDE_MAX_WARM is now called CLAUDE_MAX_WARM_WORKERS" in finding.summary
    assert finding.fix == ("claude-max doctor --fix",)


@pytest.mark.parametrize(
    ("installed", "fix"),
    [(True, "claude-max service restart"), (False, "claude-max stop; claude-max start   # or Ctrl-C where it runs")],
)
def test_an_older_server_is_replaced_by_the_command_that_can(
    machine: MakeMachine, home: Path, installed: bool, fix: str
) -> None:
    health = {"version": "0.0.1", "cli_version": "2.1.330", "signed_in": True, "ready": True}
    record = service(home, home / "bin/claude") if installed else (lambda: None)
    whole = machine(service=record, listener=lambda _: Listener(Kind.OURS, health=health))
    assert found(check_port(whole), Status.WARNING).fix == (fix,)


def test_a_login_that_was_lost_meanwhile(machine: MakeMachine) -> None:
    from importlib.metadata import version

    health = {"version": version("claude-max-toolkit"), "cli_version": "2.1.330", "signed_in": False}
    finding = found(check_port(machine(listener=lambda _: Listener(Kind.OURS, health=health))), Status.WARNING)
    assert "expired or was removed while it was running" in finding.detail
    assert finding.fix[0] == "claude-max login"


def test_a_report_holds_nothing_private(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    monkeypatch.setattr("socket.gethostname", lambda: "engine")
    text = f"{home}/x of ada on engine: sk-ant-oat01-secret, ada@example.org, http://me:pw@proxy:1/, canada"
    assert redacted(text) == "~/x of USER on HOST: sk-…, …@…, http://…@proxy:1/, canada"
