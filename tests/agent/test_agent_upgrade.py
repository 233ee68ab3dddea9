"""An installed tool with its service, upgraded and removed, under a real user systemd.

The tool is a wheel of this project in an environment of its own, with a link in `~/.local/bin`, as `uv tool` and pipx
lay it out; what the wheel needs is taken from the environment of the tests.
"""

import json
import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
from harness.forked import installed
from harness.machine import eventually, free_port
from harness.proxy import home_environment, scripted
from harness.user_systemd import Unavailable, UserSystemd, user_systemd

ROOT = Path(__file__).parents[2]
PARTS = ("pyproject.toml", "README.md", "LICENSE", "cli", "proxy", "templates", "completions", ".dev")
OLD, NEW = version("claude-max-toolkit"), "9.9.9"


@dataclass(frozen=True)
class Tool:
    """`claude-max` as an installed tool. `home` holds its environment and the link to it."""

    home: Path
    wheels: Path
    systemd: UserSystemd

    @property
    def link(self) -> Path:
        return self.home / ".local/bin/claude-max"

    @property
    def environment(self) -> Path:
        return self.home / ".local/share/uv/tools/claude-max-toolkit"

    def install(self, wanted: str) -> None:
        """Anew, as `uv tool install --reinstall` does."""
        shutil.rmtree(self.environment, ignore_errors=True)
        subprocess.run(["uv", "venv", "--quiet", self.environment], check=True)
        [wheel] = self.wheels.glob(f"*-{wanted}-*.whl")
        install = ["uv", "pip", "install", "--quiet", "--offline", "--no-deps"]
        subprocess.run([*install, "--python", self.environment, wheel], check=True)
        [packages] = self.environment.glob("lib/python*/site-packages")
        (packages / "tests.pth").write_text(sysconfig.get_path("purelib"))
        self.link.parent.mkdir(parents=True, exist_ok=True)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(self.environment / "bin/claude-max")

    def remove(self) -> None:
        """As `uv tool uninstall` does."""
        shutil.rmtree(self.environment)
        self.link.unlink()

    def run(self, *words: str, code: int = 0, program: str = "") -> dict[str, object]:
        done = self.systemd.run(program or self.link, *words, "--json")
        assert done.returncode == code, done.stdout + done.stderr
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found

    def finding(self, name: str, *, program: str = "") -> dict[str, object]:
        done = self.systemd.run(program or self.link, "doctor", "--check", name, "--json")
        [found] = json.loads(done.stdout)["findings"]
        assert isinstance(found, dict)
        return found


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This version, and a newer one."""
    if shutil.which("uv") is None:
        pytest.skip("uv is not installed")
    made = tmp_path_factory.mktemp("wheels")
    source = made / "source"
    source.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, source / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, source)
    for each in (OLD, NEW):
        project = source / "pyproject.toml"
        project.write_text(re.sub(r'(?m)^version = ".*"', f'version = "{each}"', project.read_text()))
        subprocess.run(["uv", "build", "--quiet", "--wheel", source, "--out-dir", made], check=True)
    return made


def _vouch(home: Path, cache: Path) -> None:
    """What this run found out about the CLI is known to both versions; examining it again would take seconds."""
    known = Path(home_environment(home)["XDG_CACHE_HOME"]) / "claude-max/contracts.json"
    records = json.loads(known.read_text()) if known.exists() else {}
    newer = {name.replace(f"|{OLD}", f"|{NEW}"): record for name, record in records.items()}
    (cache / "claude-max").mkdir(parents=True)
    (cache / "claude-max/contracts.json").write_text(json.dumps({**records, **newer}))


@pytest.fixture
def tool(home: Path, tmp_path: Path, wheels: Path) -> Iterator[Tool]:
    environ = {
        "PATH": f"{home}/.local/bin{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "USER": "nobody-in-particular",
        # Else an environment below /tmp would, rightly, be refused as passing.
        "TMPDIR": str(tmp_path / "temporary"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "CLAUDE_MAX_WARM_WORKERS": "0",
        "CLAUDE_MAX_PORT": str(free_port()),
    }
    (tmp_path / "temporary").mkdir()
    _vouch(home, tmp_path / "cache")
    try:
        with user_systemd(tmp_path, environ) as running:
            yield Tool(home, wheels, running)
    except Unavailable as reason:
        pytest.skip(f"no user systemd: {reason}")


def test_upgraded_and_removed_under_its_service(tool: Tool) -> None:
    unit = tool.home / ".config/systemd/user/claude-max.service"
    secrets = tool.home / ".config/claude-max/service.env"
    secrets.parent.mkdir(parents=True)
    secrets.write_text("CLAUDE_CODE_OAUTH_TOKEN=sk-ant-oat01-in-a-file\n")
    secrets.chmod(0o600)
    tool.install(OLD)
    with scripted() as api:
        drop_in = Path(f"{unit}.d/here.conf")
        drop_in.parent.mkdir(parents=True)
        drop_in.write_text(f"[Service]\nEnvironment=ANTHROPIC_BASE_URL={api.url}\n")
        tool.run("install-agent")
        before = tool.run("service", "status")
        assert before["version"] == OLD
        # The link stays where it is across an upgrade; the environment behind it does not.
        assert str(tool.link) in unit.read_text()
        assert str(tool.environment) not in unit.read_text()

        tool.install(NEW)
        running = tool.run("service", "status")
        assert (running["version"], running["pid"], running["healthy"]) == (OLD, before["pid"], True)
        stale = tool.finding("port")
        assert stale["status"] == "warning", stale
        assert stale["fix"] == ["claude-max service restart"]

        tool.run("service", "restart")
        after = eventually(lambda: tool.run("service", "status"), 20)
        assert (after["version"], after["healthy"], after["signed_in"]) == (NEW, True, True)
        assert tool.run("install-agent")["outcome"] == "unchanged"

        tool.remove()
        # Another claude-max, as from a clone.
        other = installed()
        gone = tool.finding("service", program=other)
        assert gone["status"] == "failed", gone
        assert str(tool.link) in f"{gone['summary']} {gone['detail']}"
        ended = tool.run("uninstall-agent", program=other)
        assert ended["outcome"] == "uninstalled"
        assert any(str(secrets) in str(note) for note in ended["notes"])  # type: ignore[attr-defined]
        assert not unit.exists()
        assert secrets.exists()
