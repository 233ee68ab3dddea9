"""macOS, with a stand-in for launchctl: which commands are run, in which order, and what is read from its answers."""

import plistlib
from pathlib import Path

import pytest
from harness.stand_ins import NOT_LOADED, StandIns

from claude_max.cli.service.launchd import Launchd
from claude_max.cli.service.legacy_npm import legacy_services
from claude_max.cli.service.manager import State
from claude_max.cli.service.spec import Service, ServiceError
from claude_max.cli.service.steps import Machine, shown

TARGET = "gui/501/com.claude-max.proxy"
# As macOS 15 prints it, shortened: what a service contains is indented further.
RUNNING = (
    0,
    f"""{TARGET} = {{
\tactive count = 1
\tstate = running

\tprogram = /x
\tdefault environment = {{
\t\tpid = 9
\t}}
\tpid = 4711
\tlast exit code = (never exited)
}}
""",
)
KILLED = (0, f"{TARGET} = {{\n\tstate = not running\n\tlast terminating signal = Terminated: 15\n}}\n")
ENDED = (0, f"{TARGET} = {{\n\tstate = not running\n\tlast exit code = 5\n}}\n")


def agent(stand_ins: StandIns, *answers: tuple[int, str]) -> Launchd:
    stand_ins.forget()
    stand_ins.answer({"launchctl print": list(answers)})
    return Launchd(stand_ins.machine(), 501)


def content(port: str = "1") -> bytes:
    ada = Machine(environ={"HOME": "/Users/ada"})
    return Launchd(ada, 501).render(Service(("/bin/claude-max", "serve", "--port", port), {}))


def test_a_first_install(stand_ins: StandIns) -> None:
    service = agent(stand_ins, NOT_LOADED)
    stand_ins.machine().perform(service.install(content()))
    assert stand_ins.calls == [
        f"launchctl print {TARGET}",
        f"launchctl enable {TARGET}",
        f"launchctl bootstrap gui/501 {service.file}",
    ]
    assert service.file.read_bytes() == content()
    assert service.file == stand_ins.home / "Library/LaunchAgents/com.claude-max.proxy.plist"
    assert service.log.parent.is_dir()


def test_a_second_install_changes_nothing(stand_ins: StandIns) -> None:
    service = agent(stand_ins, RUNNING)
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(content())
    assert service.install(content()) == []


def test_a_changed_file_is_booted_out_first_and_waited_for(stand_ins: StandIns) -> None:
    service = agent(stand_ins, RUNNING, RUNNING, RUNNING, NOT_LOADED)
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(content("1"))
    machine = stand_ins.machine()
    machine.perform(service.install(content("2")))
    asked = f"launchctl print {TARGET}"
    assert stand_ins.calls == [
        asked,
        f"launchctl bootout {TARGET}",
        *[asked] * 3,
        f"launchctl enable {TARGET}",
        f"launchctl bootstrap gui/501 {service.file}",
    ]
    assert service.file.read_bytes() == content("2")
    assert stand_ins.paused == [0.2, 0.2]


def test_one_that_does_not_end_is_not_waited_for_for_ever(stand_ins: StandIns) -> None:
    service = agent(stand_ins, RUNNING)
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(content())
    with pytest.raises(ServiceError, match="did not end within 30 s"):
        stand_ins.machine().perform(service.uninstall())
    assert service.file.exists()


@pytest.mark.parametrize("said", [(36, "Operation now in progress"), (3, "No such process"), (113, "Could not find")])
def test_a_job_that_is_going_while_it_is_booted_out(stand_ins: StandIns, said: tuple[int, str]) -> None:
    """Whether it is gone is asked afterwards, so nothing is left half done."""
    service = agent(stand_ins, RUNNING, RUNNING, NOT_LOADED)
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(content())
    stand_ins.answer({"launchctl print": [RUNNING, RUNNING, NOT_LOADED], "launchctl bootout": [said]})
    stand_ins.machine().perform(service.uninstall())
    assert not service.file.exists()


def test_bootstrap_is_tried_again_while_the_old_job_is_going(stand_ins: StandIns) -> None:
    service = agent(stand_ins, NOT_LOADED)
    busy = (5, "Bootstrap failed: 5: Input/output error")
    stand_ins.answer({"launchctl print": [NOT_LOADED], "launchctl bootstrap": [busy, (37, "already"), (0, "")]})
    stand_ins.machine().perform(service.install(content()))
    assert [call.split()[1] for call in stand_ins.changes("print")] == ["enable", *["bootstrap"] * 3]


def test_another_failure_of_bootstrap_is_told_at_once(stand_ins: StandIns) -> None:
    service = agent(stand_ins, NOT_LOADED)
    stand_ins.answer({"launchctl print": [NOT_LOADED], "launchctl bootstrap": [(125, "Domain does not support\nit")]})
    with pytest.raises(
        ServiceError, match=r"bootstrap gui/501 .* failed with exit code 125: Domain does not support it"
    ):
        stand_ins.machine().perform(service.install(content()))


def test_installed_but_ended_is_kicked(stand_ins: StandIns) -> None:
    service = agent(stand_ins, ENDED)
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(content())
    assert [shown(step) for step in service.install(content())] == [f"launchctl kickstart {TARGET}"]


def test_uninstall(stand_ins: StandIns) -> None:
    service = agent(stand_ins, RUNNING, NOT_LOADED)
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(content())
    stand_ins.machine().perform(service.uninstall())
    assert stand_ins.changes("print") == [f"launchctl bootout {TARGET}"]
    assert not service.file.exists()
    assert service.uninstall() == []


def test_restart(stand_ins: StandIns) -> None:
    service = agent(stand_ins, RUNNING, NOT_LOADED)
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(content())
    assert [shown(step) for step in service.restart()] == [f"launchctl kickstart -k {TARGET}"]
    assert [shown(step).split()[1] for step in service.restart()] == ["enable", "bootstrap"]


def test_what_launchctl_prints_is_read(stand_ins: StandIns) -> None:
    service = agent(stand_ins, RUNNING, ENDED, KILLED, NOT_LOADED)
    assert service.state() == State(installed=False, loaded=True, running=True, pid=4711)
    assert service.state() == State(installed=False, loaded=True, running=False, last_exit=5)
    assert service.state() == State(installed=False, loaded=True, running=False, last_exit=128 + 15)
    assert service.state() == State(installed=False, loaded=False, running=False)


def test_a_start_is_waited_for_as_long_as_launchd_may_put_it_off() -> None:
    assert plistlib.loads(content())["ThrottleInterval"] == Launchd.put_off


def test_logs_are_the_files_last_lines(stand_ins: StandIns) -> None:
    service = agent(stand_ins, RUNNING)
    assert service.logs(7, follow=True) == ("tail", "-n", "7", "-F", str(service.log))


def test_the_keychain_needs_the_users_name(stand_ins: StandIns) -> None:
    assert agent(stand_ins, RUNNING).told == {"USER": "ada", "LOGNAME": "ada"}


def test_the_installed_file_is_read_back(stand_ins: StandIns) -> None:
    service = agent(stand_ins, RUNNING)
    with pytest.raises(ServiceError, match="install-agent"):
        service.command()
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(service.render(Service(("/a b/claude-max", "serve"), {"PATH": "/a b", "LANG": "C"})))
    assert service.command() == ("/a b/claude-max", "serve")
    assert service.environment() == {
        "HOME": str(stand_ins.home),
        "USER": "ada",
        "LOGNAME": "ada",
        "PATH": "/a b",
        "LANG": "C",
    }


def test_the_npm_packages_own_agent_is_found_by_its_port(tmp_path: Path) -> None:
    def agent_file(name: str, **said: object) -> None:
        (tmp_path / f"{name}.plist").write_bytes(plistlib.dumps({"Label": name, **said}))

    agent_file("com.claude-max-api", ProgramArguments=["/opt/homebrew/bin/claude-max-api"])
    agent_file("other-port", ProgramArguments=["node", "/lib/claude-max-api-proxy/standalone.js", "4000"])
    agent_file("com.claude-max.proxy", ProgramArguments=["/bin/claude-max", "serve"])
    (tmp_path / "broken.plist").write_text("no plist; claude-max-api")
    [found] = legacy_services(tmp_path, 3456)
    assert found.file.name == "com.claude-max-api.plist"
    assert found.undo == f'launchctl bootout "gui/$(id -u)/com.claude-max-api"; rm {found.file}'
    assert [legacy.file.name for legacy in legacy_services(tmp_path, 4000)] == ["other-port.plist"]
