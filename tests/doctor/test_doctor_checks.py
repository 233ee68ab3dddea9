"""Running the checks: order, names, a check that crashes, and the one that spends tokens."""

from collections.abc import Callable

from claude_max.cli.doctor import Diagnosis
from claude_max.cli.output import Exit
from claude_max.proxy.config import Settings
from claude_max.proxy.doctor import CHECKS, LIVE, Finding, Machine, Status, describe, examine
from claude_max.proxy.port_check import Kind, Listener

MakeMachine = Callable[..., Machine]


def test_a_check_that_crashes_reports_itself(machine: MakeMachine) -> None:
    def check_of_nothing(machine: Machine) -> Finding | None:
        """Crashes."""
        raise RuntimeError("not today")

    [finding, after] = examine(machine(), [check_of_nothing, CHECKS[0]])
    assert (finding.name, finding.status) == ("of-nothing", Status.FAILED)
    assert "RuntimeError: not today" in finding.summary
    assert after.name == "python"


def test_names_are_those_of_the_findings(machine: MakeMachine) -> None:
    whole = machine(service=lambda: None)
    for check in (*CHECKS, LIVE):
        name, about = describe(check)
        assert about.endswith(".")
        for finding in examine(whole, [check]):
            assert finding.name == name


def test_live_needs_a_proxy(machine: MakeMachine) -> None:
    finding = LIVE(machine())
    assert finding is not None
    assert (finding.status, finding.fix) == (Status.FAILED, ("claude-max serve",))


def test_live_tells_why_it_failed(machine: MakeMachine) -> None:
    """Somebody took the port between the two questions."""
    settings = Settings.model_construct(port=1)
    finding = LIVE(machine(load=lambda: settings, listener=lambda _: Listener(Kind.OURS)))
    assert finding is not None
    assert finding.status is Status.FAILED
    assert "ConnectError" in finding.summary


def test_exit_codes() -> None:
    def code(**statuses: Status) -> Exit:
        return Diagnosis(tuple(Finding(name, status, "") for name, status in statuses.items())).exit

    assert code(cli=Status.OK, memory=Status.WARNING) is Exit.FINE
    assert code(folders=Status.FAILED) is Exit.FAILED
    assert code(port=Status.FAILED) is Exit.PORT_TAKEN
    assert code(port=Status.FAILED, config=Status.FAILED) is Exit.USAGE
    assert code(port=Status.FAILED, login=Status.FAILED) is Exit.NEEDS_LOGIN
    assert code(login=Status.FAILED, cli=Status.FAILED) is Exit.NO_CLI
    assert code() is Exit.FINE
