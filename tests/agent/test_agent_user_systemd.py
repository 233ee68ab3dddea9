"""End to end: the installed command, a real user systemd, the real CLI, a scripted service behind it."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from harness.forked import installed
from harness.machine import eventually, free_port
from harness.proxy import scripted, wait_until_ready
from harness.user_systemd import Unavailable, UserSystemd, user_systemd

from claude_max.cli.service.quoting import unquoted
from claude_max.cli.service.spec import Service
from claude_max.cli.service.steps import Machine
from claude_max.cli.service.systemd import Systemd
from claude_max.proxy.engine.probe.locate import locate

TOKEN = "sk-ant-oat01-in-a-file"


@pytest.fixture
def systemd(home: Path, tmp_path: Path) -> Iterator[UserSystemd]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "USER": "nobody-in-particular",
        # Else a checkout below /tmp would, rightly, be refused as passing.
        "TMPDIR": str(tmp_path),
        "CLAUDE_CODE_OAUTH_TOKEN": TOKEN,
        "CLAUDE_MAX_WARM_WORKERS": "0",
    }
    try:
        with user_systemd(tmp_path, environ) as running:
            yield running
    except Unavailable as reason:
        pytest.skip(f"no user systemd: {reason}")


def result(done: "subprocess.CompletedProcess[str]", code: int = 0) -> dict[str, object]:
    assert done.returncode == code, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def restarted(systemd: UserSystemd, port: str, old: object) -> dict[str, object]:
    """The status, as `service status` says it, once another process than `old` answers."""
    show = ("systemctl", "--user", "show", "claude-max.service", "--property=MainPID", "--value")

    def is_new() -> bool:
        return systemd.run(*show).stdout.strip() not in ("0", str(old))

    eventually(is_new, 15, said=lambda: systemd.run("systemctl", "--user", "status", "claude-max.service").stdout)
    wait_until_ready(f"http://127.0.0.1:{port}", None)
    status = result(systemd.run(installed(), "service", "status", "--json"))
    assert status["pid"] != old
    return status


def test_install_kill_restart_uninstall(systemd: UserSystemd, home: Path) -> None:
    claude_max, port = installed(), str(free_port())
    unit = home / ".config/systemd/user/claude-max.service"
    shown = result(systemd.run(claude_max, "install-agent", "--port", port, "--dry-run", "--json"))
    assert shown["outcome"] == "dry-run"
    assert not unit.exists()
    with scripted() as api:
        # As the note about the token says: in a file of the user's own, and the address in a drop-in.
        secrets = home / ".config/claude-max/service.env"
        secrets.parent.mkdir(parents=True)
        secrets.write_text(f"CLAUDE_CODE_OAUTH_TOKEN={TOKEN}\n")
        secrets.chmod(0o600)
        drop_in = Path(f"{unit}.d/here.conf")
        drop_in.parent.mkdir(parents=True)
        drop_in.write_text(f"[Service]\nEnvironment=ANTHROPIC_BASE_URL={api.url}\n")

        made = result(systemd.run(claude_max, "install-agent", "--port", port, "--json"))
        assert (made["outcome"], made["signed_in"]) == ("installed", True)
        assert made["url"] == f"http://127.0.0.1:{port}/v1"
        assert unit.read_text() == shown["content"]
        assert TOKEN not in unit.read_text()
        assert any("enable-linger" in note for note in made["notes"])  # type: ignore[attr-defined]

        again = result(systemd.run(claude_max, "install-agent", "--port", port, "--json"))
        assert (again["outcome"], again["commands"]) == ("unchanged", [])

        before = result(systemd.run(claude_max, "service", "status", "--json"))
        assert [before[name] for name in ("installed", "loaded", "running", "healthy", "signed_in")] == [True] * 5
        assert answered(port).endswith("You said: hello")
        # `chat` in another terminal finds it at its port: there is no other, and no claude to start one with.
        elsewhere = ("env", f"CLAUDE_MAX_PORT={free_port()}", "CLAUDE_MAX_CLAUDE_PATH=/nonexistent")
        chat = systemd.run(*elsewhere, claude_max, "chat", "hello")
        assert chat.stdout.endswith("You said: hello\n"), chat.stderr

        asked = result(systemd.run(*elsewhere[:2], claude_max, "status", "--json"))
        assert asked["ok"] is True
        assert [(each["how"], each["pid"]) for each in asked["servers"]] == [("service", before["pid"])]  # type: ignore[attr-defined]

        assert systemd.run("kill", f"-{signal.SIGKILL}", str(before["pid"])).returncode == 0
        after = restarted(systemd, port, before["pid"])
        assert answered(port).endswith("You said: hello")

        assert result(systemd.run(claude_max, "service", "restart", "--json"))["signed_in"] is True
        assert restarted(systemd, port, after["pid"])["running"] is True

        # The doctor looks with the service's own environment: this shell's login does not help it.
        doctor = (claude_max, "doctor", "--check", "service-environment", "--json")
        assert systemd.run(*doctor).returncode == 0
        drop_in.write_text(f"{drop_in.read_text()}UnsetEnvironment=CLAUDE_CODE_OAUTH_TOKEN\n")
        assert systemd.run("systemctl", "--user", "daemon-reload").returncode == 0
        assert systemd.run("systemctl", "--user", "restart", "claude-max.service").returncode == 0
        signed_out = systemd.run(*doctor)
        assert signed_out.returncode != 0
        assert "not signed in" in signed_out.stdout

        gone = result(systemd.run(claude_max, "uninstall-agent", "--json"))
        assert gone["outcome"] == "uninstalled"
        assert not unit.exists()
        with pytest.raises(httpx2.ConnectError):
            answered(port)
    status = result(systemd.run("env", f"CLAUDE_MAX_PORT={port}", claude_max, "service", "status", "--json"), 1)
    assert [status[name] for name in ("installed", "loaded", "running", "healthy")] == [False] * 4
    assert result(systemd.run(claude_max, "uninstall-agent", "--json"))["outcome"] == "absent"


def test_a_service_is_found_with_its_own_settings_and_judged_by_its_own_path(
    systemd: UserSystemd, home: Path, tmp_path: Path
) -> None:
    """Its port came from a variable of the shell that installed it; its PATH is then spoilt in a drop-in."""
    claude_max, port = installed(), str(free_port())
    drop_ins = home / ".config/systemd/user/claude-max.service.d"
    drop_ins.mkdir(parents=True)
    # Nobody answers there, which it learns at once.
    (drop_ins / "nowhere.conf").write_text("[Service]\nEnvironment=ANTHROPIC_BASE_URL=http://127.0.0.1:9\n")
    claude = tmp_path / "bin" / "claude"
    claude.parent.mkdir()
    claude.write_text(f'#!/bin/sh\nexec "{locate(None, {}).path}" "$@"\n')
    claude.chmod(0o755)
    shell = ("env", f"PATH={claude.parent}:{systemd.environ['PATH']}")
    made = result(systemd.run(*shell, f"CLAUDE_MAX_PORT={port}", claude_max, "install-agent", "--json"))
    assert (made["outcome"], made["url"]) == ("installed", f"http://127.0.0.1:{port}/v1")

    status = result(systemd.run(*shell, claude_max, "service", "status", "--json"))
    assert (status["url"], status["healthy"]) == (f"http://127.0.0.1:{port}/v1", True)

    assert f"answers at http://127.0.0.1:{port}" in said(
        systemd.run(*shell, claude_max, "doctor", "--check", "port", "--json")
    )
    doctor = (*shell, claude_max, "doctor", "--check", "service-environment", "--json")
    assert said(systemd.run(*doctor)).startswith(f"In the service: {claude}. Signed in")
    drop_in = drop_ins / "here.conf"
    drop_in.write_text("[Service]\nEnvironment=PATH=/usr/bin:/bin\n")
    restart = ("sh", "-c", "systemctl --user daemon-reload && systemctl --user restart claude-max.service")
    assert systemd.run(*restart).returncode == 0
    assert said(systemd.run(*doctor)).startswith(f"The service runs {locate(None, {}).path} (")
    drop_in.write_text(f"{drop_in.read_text()}Environment=CLAUDE_MAX_CLAUDE_PATH={claude.parent}/gone\n")
    assert systemd.run(*restart).returncode == 0
    assert said(systemd.run(*doctor)).startswith(f"There is no Claude Code CLI at {claude.parent}/gone")
    assert result(systemd.run(*shell, claude_max, "uninstall-agent", "--json"))["outcome"] == "uninstalled"


def said(done: "subprocess.CompletedProcess[str]") -> str:
    """What the only finding is."""
    (finding,) = json.loads(done.stdout)["findings"]
    return str(finding["summary"])


def test_awkward_words_arrive_as_they_are(systemd: UserSystemd, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / """it's "50%h" $HOME \\ ü"""
    folder.mkdir()
    program = folder / "claude-max"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "$ODD" > "$HOME/said"\n')
    program.chmod(0o755)
    words = ("""/$X ${Y} $$ %h %% "q" 'a' \\n""", "", "-x")
    odd = """100% "$HOME" 'a' \\ b;c#d"""
    service = Systemd(Machine(environ=dict(systemd.environ)))
    service.file.parent.mkdir(parents=True)
    service.file.write_bytes(service.render(Service((str(program), *words), {"ODD": odd})))
    assert systemd.run("systemctl", "--user", "daemon-reload").returncode == 0
    done = systemd.run("systemctl", "--user", "start", "--wait", "claude-max.service")
    assert done.returncode == 0, done.stderr
    assert (home / "said").read_text() == "".join(f"{word}\n" for word in (*words, odd))
    assert service.command() == (str(program), *words)
    shown = systemd.run("systemctl", "--user", "show", "claude-max.service", "--property=Environment").stdout
    assert unquoted(shown.strip().removeprefix("Environment=")) == [f"ODD={odd}"]


def answered(port: str) -> str:
    said = httpx2.post(
        f"http://127.0.0.1:{port}/v1/chat/completions",
        json={"model": "sonnet", "messages": [{"role": "user", "content": "hello"}]},
        timeout=30,
    ).json()
    return str(said["choices"][0]["message"]["content"])
