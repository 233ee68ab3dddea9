"""What the service files say: whole files against golden ones, awkward paths, and nothing secret."""

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_max.cli.service.launchd import Launchd
from claude_max.cli.service.quoting import command_line, unquoted, words_of
from claude_max.cli.service.spec import Service, ServiceError
from claude_max.cli.service.steps import Machine
from claude_max.cli.service.systemd import Systemd

GOLDEN = Path(__file__).parent / "golden"
ADA = Machine(environ={"HOME": "/home/ada", "USER": "ada", "LOGNAME": "ada", "PATH": "/bin"})
PLAIN = Service(
    ("/home/ada/.local/bin/claude-max", "serve", "--port", "4000"),
    {"PATH": "/home/ada/.local/bin:/usr/bin", "LANG": "de_DE.UTF-8", "CLAUDE_CONFIG_DIR": "/home/ada/claude"},
)
AWKWARD = Service(
    (
        """/home/a & b/<"it's">/100%h $HOME\\claude-max""",
        "serve",
        "--claude-path",
        """/opt/$X ${Y} %h "q" 'a'/claude""",
    ),
    {"PATH": """/home/a & b/<"it's">:/usr/bin""", "LANG": "C", "CLAUDE_CONFIG_DIR": "/tmp/50% $HOME \\ ü"},
)


def test_the_property_list_is_the_golden_one() -> None:
    rendered = plistlib.loads(Launchd(ADA, 501).render(PLAIN))
    assert rendered == plistlib.loads((GOLDEN / "com.claude-max.proxy.plist").read_bytes())


def test_the_unit_is_the_golden_one() -> None:
    assert Systemd(ADA).render(PLAIN).decode() == (GOLDEN / "claude-max.service").read_text()


def test_a_property_list_holds_awkward_paths_as_they_are() -> None:
    rendered = plistlib.loads(Launchd(ADA, 501).render(AWKWARD))
    assert rendered["ProgramArguments"] == list(AWKWARD.command)
    assert rendered["EnvironmentVariables"] == dict(AWKWARD.environment)


@pytest.mark.parametrize("service", [PLAIN, AWKWARD], ids=["plain", "awkward"])
def test_systemd_finds_nothing_wrong_with_the_unit(service: Service, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt-get install systemd)")
    program = tmp_path / "claude-max"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    command = (str(program), *service.command[1:]) if service is PLAIN else service.command
    unit = tmp_path / "claude-max.service"
    unit.write_bytes(Systemd(ADA).render(Service(command, service.environment)))
    done = subprocess.run(
        [analyze, "verify", "--user", "--man=no", unit],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)},
        timeout=30,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


words = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"]))


@given(st.lists(words, min_size=1, max_size=4))
def test_words_come_back_from_a_command_line(command: list[str]) -> None:
    assert words_of(command_line(command)) == tuple(command)


def test_what_systemctl_shows_is_read_with_its_quotes() -> None:
    shown = r"""
        "A=x \"y\" \\ %h \$HOME 'q'" B=b"""
    assert unquoted(shown) == ["""A=x "y" \\ %h $HOME 'q'""", "B=b"]


@pytest.mark.parametrize("value", ["a\nb", "a\0b", "a\x7f", "a\udcff"])
def test_what_a_file_cannot_hold_is_refused(value: str) -> None:
    with pytest.raises(ServiceError, match="control characters"):
        Service(("/bin/claude-max", value), {})
