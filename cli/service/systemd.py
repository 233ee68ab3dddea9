"""Linux: a unit of the user's own systemd (`systemctl --user`). systemd 240 and later; tried on 252."""

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from ..signals import BY_SIGNAL
from .manager import ANEW, State
from .quoting import assignments, command_line, setting, unquoted, words_of
from .spec import Service, ServiceError
from .steps import Machine, Remove, Run, Step, Write

UNIT = "claude-max.service"
SYSTEMCTL = ("systemctl", "--user")
ASKED = (
    *("LoadState", "ActiveState", "UnitFileState", "MainPID"),
    *("ExecMainCode", "ExecMainStatus", "ExecMainExitTimestampMonotonic"),
)
# CLD_EXITED of waitid(2): the process exited, and the status is not a signal.
EXITED = "1"
LINGERING = Path("/var/lib/systemd/linger")


class Systemd:
    """The service in the user's systemd."""

    name = "systemd"
    language = "C.UTF-8"
    put_off = 0.0
    # systemd sets HOME, USER, LOGNAME and SHELL itself.
    told: Mapping[str, str] = {}

    def __init__(self, machine: Machine) -> None:
        home = Path(machine.environ["HOME"])
        folder = Path(machine.environ.get("XDG_CONFIG_HOME") or home / ".config")
        self._machine = machine
        self.file = folder / "systemd/user" / UNIT
        self.secrets: Path | None = folder / "claude-max/service.env"
        self.search: tuple[str, ...] = (str(home / ".local/bin"), "/usr/local/bin", "/usr/bin", "/bin")

    def files(self) -> list[Path]:
        """The unit, its drop-ins, and the file of secrets."""
        drop_ins = sorted(self.file.with_name(f"{UNIT}.d").glob("*.conf"))
        secrets = [self.secrets] if self.secrets is not None else []
        return [file for file in (self.file, *drop_ins, *secrets) if file.is_file()]

    def render(self, service: Service) -> bytes:
        """The unit, every word of it quoted as systemd reads it."""
        template = files("claude_max.templates").joinpath(UNIT).read_text(encoding="utf-8")
        return template.format(
            exec_start=command_line(service.command),
            environment=assignments(service.environment.items()),
            secrets=setting(str(self.secrets)),
        ).encode()

    def state(self) -> State:
        """As `systemctl show` says."""
        said = self._show(*ASKED)
        pid = int(said["MainPID"] or 0) or None
        ended = said["ExecMainExitTimestampMonotonic"] not in ("", "0")
        last = int(said["ExecMainStatus"] or 0) + (0 if said["ExecMainCode"] == EXITED else BY_SIGNAL)
        return State(
            installed=self.file.is_file(),
            loaded=said["LoadState"] == "loaded" and said["UnitFileState"] == "enabled",
            running=said["ActiveState"] == "active",
            pid=pid,
            last_exit=last if ended else None,
        )

    def install(self, content: bytes) -> list[Step]:
        """`enable --now` starts a stopped service; a running one keeps the old unit until a restart."""
        state, active = self.state(), self._show("ActiveState")["ActiveState"]
        same = state.installed and self.file.read_bytes() == content
        if same and state.loaded and state.running:
            return []
        steps: list[Step] = [] if same else [Write(self.file, content), Run((*SYSTEMCTL, "daemon-reload"))]
        if active == "failed":
            # Otherwise systemd may refuse: started too often.
            steps.append(Run((*SYSTEMCTL, "reset-failed", UNIT)))
        steps.append(Run((*SYSTEMCTL, "enable", "--now", UNIT)))
        if not same and active not in ("", "inactive", "failed"):
            steps.append(Run((*SYSTEMCTL, "restart", UNIT)))
        return steps

    def uninstall(self) -> list[Step]:
        """The user's own drop-ins and the file with secrets stay."""
        if not self.file.is_file():
            return []
        return [
            Run((*SYSTEMCTL, "disable", "--now", UNIT)),
            Remove(self.file),
            Run((*SYSTEMCTL, "daemon-reload")),
        ]

    def restart(self) -> list[Step]:
        """A new process, with the unit as it is on disk now."""
        steps: list[Step] = [Run((*SYSTEMCTL, "daemon-reload")), Run((*SYSTEMCTL, "restart", UNIT))]
        if self._show("ActiveState")["ActiveState"] == "failed":
            steps.insert(1, Run((*SYSTEMCTL, "reset-failed", UNIT)))
        return steps

    def logs(self, lines: int, *, follow: bool) -> tuple[str, ...]:
        """From the journal: unlike `--user -u` this also works if the system has one journal for all users."""
        follows = ("--follow",) if follow else ()
        return ("journalctl", "--user-unit", UNIT, "-n", str(lines), "--no-pager", *follows)

    def command(self) -> tuple[str, ...]:
        """ExecStart, read back from the file that `render` wrote."""
        try:
            found = re.search(r"^ExecStart=(.+)$", self.file.read_text(encoding="utf-8"), re.MULTILINE)
        except (OSError, ValueError) as error:
            raise ServiceError(f"{self.file} cannot be read ({error}). {ANEW}") from None
        if found is None:
            raise ServiceError(f"{self.file} has no ExecStart. {ANEW}")
        return words_of(found[1])

    def environment(self) -> dict[str, str]:
        """The manager's own, then what unit and drop-ins set, then their files of variables."""
        manager = self._machine.ask([*SYSTEMCTL, "show-environment"]).stdout
        # Values with anything unusual are written as $'...'.
        plain = [re.sub(r"=\$'(.*)'$", lambda found: "=" + re.sub(r"\\(.)", r"\1", found[1]), line)
                 for line in manager.splitlines()]  # fmt: skip
        said = self._show("Environment", "EnvironmentFiles")
        pairs = [*plain, *unquoted(said["Environment"])]
        for line in said["EnvironmentFiles"].splitlines():
            pairs += _variables(Path(re.sub(r" \(ignore_errors=\w+\)$", "", line)))
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    def hints(self) -> list[str]:
        """Without lingering the user's systemd starts at login and ends with the last session."""
        user = self._machine.environ.get("USER") or self._machine.environ.get("LOGNAME") or ""
        if user and (LINGERING / user).exists():
            return []
        return ["It runs while you are logged in. To start it at boot: loginctl enable-linger"]

    def _show(self, *names: str) -> dict[str, str]:
        said = self._machine.ask([*SYSTEMCTL, "show", UNIT, *(f"--property={name}" for name in names)])
        if said.returncode != 0:
            raise ServiceError(f"systemd did not answer: {said.stderr.strip()}")
        found = dict.fromkeys(names, "")
        for line in said.stdout.splitlines():
            name, _, value = line.partition("=")
            # A list property is printed once per item.
            found[name] = f"{found[name]}\n{value}" if found.get(name) else value
        return found


def _variables(path: Path) -> list[str]:
    """The assignments of a file for EnvironmentFile=; none when it is not there."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    pairs = (line.strip().partition("=") for line in lines if line.strip() and line.strip()[0] not in "#;")
    return [f"{name.rstrip()}={''.join(unquoted(value)) if value[:1] == chr(34) else value.strip(chr(39))}"
            for name, _, value in pairs]  # fmt: skip
