"""Linux, with a stand-in for systemctl: which commands are run, in which order, and what is read from its answers."""

from pathlib import Path

import pytest
from harness.stand_ins import StandIns

from claude_max.cli.service.choose import choose
from claude_max.cli.service.legacy_npm import legacy_services
from claude_max.cli.service.manager import State
from claude_max.cli.service.spec import Service, ServiceError
from claude_max.cli.service.steps import Machine, shown
from claude_max.cli.service.systemd import Systemd

UNIT = "claude-max.service"


def says(**properties: str) -> tuple[int, str]:
    known = {"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": "", "MainPID": "0"}
    known |= {"ExecMainCode": "0", "ExecMainStatus": "0", "ExecMainExitTimestampMonotonic": "0"} | properties
    return 0, "".join(f"{name}={value}\n" for name, value in known.items())


ABSENT = says()
RUNNING = says(LoadState="loaded", ActiveState="active", UnitFileState="enabled", MainPID="4711")
FAILED = says(
    LoadState="loaded",
    ActiveState="failed",
    UnitFileState="enabled",
    ExecMainCode="1",
    ExecMainStatus="5",
    ExecMainExitTimestampMonotonic="9",
)
KILLED = says(ExecMainCode="2", ExecMainStatus="15", ExecMainExitTimestampMonotonic="9")


def unit(stand_ins: StandIns, answer: tuple[int, str], content: bytes | None = None) -> Systemd:
    stand_ins.answer({"systemctl --user show claude-max.service": [answer]})
    service = Systemd(stand_ins.machine())
    if content is not None:
        service.file.parent.mkdir(parents=True)
        service.file.write_bytes(content)
    return service


def changes(stand_ins: StandIns) -> list[str]:
    return [call.removeprefix("systemctl --user ") for call in stand_ins.changes("show")]


def test_a_first_install(stand_ins: StandIns) -> None:
    service = unit(stand_ins, ABSENT)
    stand_ins.machine().perform(service.install(b"new"))
    assert changes(stand_ins) == ["daemon-reload", f"enable --now {UNIT}"]
    assert service.file == stand_ins.home / ".config/systemd/user/claude-max.service"
    assert service.file.read_bytes() == b"new"


def test_a_second_install_changes_nothing(stand_ins: StandIns) -> None:
    assert unit(stand_ins, RUNNING, b"same").install(b"same") == []


def test_a_changed_file_is_loaded_and_the_service_restarted(stand_ins: StandIns) -> None:
    service = unit(stand_ins, RUNNING, b"old")
    stand_ins.machine().perform(service.install(b"new"))
    assert changes(stand_ins) == ["daemon-reload", f"enable --now {UNIT}", f"restart {UNIT}"]
    assert service.file.read_bytes() == b"new"


def test_one_that_gave_up_may_start_again(stand_ins: StandIns) -> None:
    service = unit(stand_ins, FAILED, b"same")
    stand_ins.machine().perform(service.install(b"same"))
    assert changes(stand_ins) == [f"reset-failed {UNIT}", f"enable --now {UNIT}"]


def test_uninstall(stand_ins: StandIns) -> None:
    service = unit(stand_ins, RUNNING, b"same")
    stand_ins.machine().perform(service.uninstall())
    assert changes(stand_ins) == [f"disable --now {UNIT}", "daemon-reload"]
    assert not service.file.exists()
    assert service.uninstall() == []


def test_restart(stand_ins: StandIns) -> None:
    assert [shown(step) for step in unit(stand_ins, RUNNING).restart()] == [
        "systemctl --user daemon-reload",
        f"systemctl --user restart {UNIT}",
    ]
    assert [shown(step).split()[2] for step in unit(stand_ins, FAILED).restart()] == [
        "daemon-reload",
        "reset-failed",
        "restart",
    ]


def test_a_failing_command_ends_it_with_what_it_said(stand_ins: StandIns) -> None:
    service = unit(stand_ins, ABSENT)
    stand_ins.answer({"systemctl --user show": [ABSENT], "systemctl --user daemon-reload": [(1, "No\nspace")]})
    with pytest.raises(ServiceError, match=r"`systemctl --user daemon-reload` failed with exit code 1: No space"):
        stand_ins.machine().perform(service.install(b"new"))
    assert changes(stand_ins) == ["daemon-reload"]


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (ABSENT, State(installed=False, loaded=False, running=False)),
        (RUNNING, State(installed=False, loaded=True, running=True, pid=4711)),
        (FAILED, State(installed=False, loaded=True, running=False, last_exit=5)),
        (KILLED, State(installed=False, loaded=False, running=False, last_exit=128 + 15)),
    ],
)
def test_what_systemctl_shows_is_read(stand_ins: StandIns, answer: tuple[int, str], state: State) -> None:
    assert unit(stand_ins, answer).state() == state


def test_the_environment_of_one_that_does_not_run(stand_ins: StandIns) -> None:
    secrets = stand_ins.home / "service.env"
    secrets.write_text('# mine\nCLAUDE_CODE_OAUTH_TOKEN=token\nQUOTED="a \\"b\\""\n\nSINGLE=\'c d\'\n')
    manager = "HOME=/home/ada\nLANG=C\nODD=$'a \"b\\' $c'\n"
    own = f"""Environment=LANG=de_DE.UTF-8 "PATH=/a b:/bin"
EnvironmentFiles={secrets} (ignore_errors=yes)
EnvironmentFiles=/not/there (ignore_errors=yes)
"""
    stand_ins.answer({"systemctl --user show-environment": [(0, manager)], "systemctl --user show": [(0, own)]})
    assert Systemd(stand_ins.machine()).environment() == {
        "HOME": "/home/ada",
        "LANG": "de_DE.UTF-8",
        "ODD": "a \"b' $c",
        "PATH": "/a b:/bin",
        "CLAUDE_CODE_OAUTH_TOKEN": "token",
        "QUOTED": 'a "b"',
        "SINGLE": "c d",
    }


def test_the_installed_file_is_read_back(stand_ins: StandIns) -> None:
    service = unit(stand_ins, RUNNING)
    with pytest.raises(ServiceError, match="install-agent"):
        service.command()
    words = ("/a b/claude-max", "serve", "--claude-path", "/$x/%h")
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(service.render(Service(words, {"PATH": "/bin"})))
    assert service.command() == words
    service.file.write_text("[Service]\n")
    with pytest.raises(ServiceError, match="has no ExecStart"):
        service.command()


def test_the_configuration_folder_may_be_elsewhere(tmp_path: Path) -> None:
    service = Systemd(Machine(environ={"HOME": str(tmp_path), "XDG_CONFIG_HOME": "/etc/ada"}))
    assert (service.file, service.secrets) == (
        Path("/etc/ada/systemd/user/claude-max.service"),
        Path("/etc/ada/claude-max/service.env"),
    )


def test_the_npm_packages_own_unit_is_found(tmp_path: Path) -> None:
    file = tmp_path / "claude-max-api.service"
    file.write_text("[Service]\nExecStart=/usr/bin/node /lib/standalone.js\nEnvironment=PORT=3456\n")
    (tmp_path / "claude-max.service").write_text("[Service]\nExecStart=/bin/claude-max serve\n")
    [found] = legacy_services(tmp_path, 3456)
    assert found.undo == f"systemctl --user disable --now claude-max-api.service; rm {file}"


def test_this_machine_has_a_manager_or_says_what_to_do(stand_ins: StandIns, monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose(stand_ins.machine(), "linux").name == "systemd"
    assert choose(stand_ins.machine(), "darwin").name == "launchd"
    with pytest.raises(ServiceError, match=r"Windows.*claude-max serve"):
        choose(stand_ins.machine(), "win32")
    stand_ins.answer({"systemctl": [(1, "Failed to connect to bus: No medium found\n")]})
    with pytest.raises(ServiceError, match=r"No medium found; XDG_RUNTIME_DIR is not set.*claude-max serve"):
        choose(stand_ins.machine(), "linux")
    with pytest.raises(ServiceError, match=r"has no systemd.*claude-max serve"):
        choose(Machine(environ={"HOME": "/", "PATH": "/nowhere"}), "linux")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(ServiceError, match="without sudo"):
        choose(Machine(environ={**stand_ins.environ, "SUDO_USER": "ada"}), "linux")
