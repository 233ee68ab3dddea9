"""A server that runs goes on while its package is upgraded, and after it was removed: everything is loaded by then."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from harness.asking import CHAT, directive
from harness.command import claude_max
from harness.machine import eventually
from harness.proxy import RunningProxy, running_proxy, scripted

ROOT = Path(__file__).parents[2]
BODY: Any = {"model": "sonnet", "stream": False}
NEW = "9.9.9"
# `uv run` names itself, which need not be on PATH.
UV = os.environ.get("UV", "uv")
# One of each dialect, none of which has been asked before.
REQUESTS: dict[str, dict[str, Any]] = {
    CHAT: {"messages": [{"role": "user", "content": directive(text="fine")}]},
    "/v1/responses": {"input": directive(text="fine")},
    "/v1/messages": {"max_tokens": 1000, "messages": [{"role": "user", "content": directive(text="fine")}]},
    "/api/chat": {"messages": [{"role": "user", "content": directive(text="fine")}]},
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs `uv pip …` in an environment of its own, whose `claude-max` the harness starts."""
    folder = tmp_path / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, folder], check=True, timeout=60)
    (here,) = folder.glob("lib/python*/site-packages")
    # What it depends on is the tests' own; the package itself is not, which comes first.
    found = [path for path in sys.path if path.endswith("site-packages")]
    (here / "dependencies.pth").write_text("\n".join(found))
    monkeypatch.setattr("harness.forked.installed", lambda *_: str(folder / "bin" / "claude-max"))
    monkeypatch.setattr("harness.forked.FRESH", True)

    def run(*words: str) -> None:
        subprocess.run(
            [UV, "pip", *words, "--quiet", "--no-config", "--python", folder / "bin" / "python"],
            check=True,
            timeout=60,
        )

    return run


def built(folder: Path) -> Path:
    """A wheel of this tree."""
    subprocess.run(
        [UV, "build", "--quiet", "--wheel", "--python", sys.executable, "--out-dir", folder, ROOT],
        check=True,
        timeout=100,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def renamed(wheel: Path) -> Path:
    """The same as another version."""
    old = wheel.name.split("-")[1]
    new = wheel.with_name(wheel.name.replace(old, NEW, 1))
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(new, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if ".dist-info/" in entry.filename:
                content = content.replace(f"-{old}.".encode(), f"-{NEW}.".encode())
                content = content.replace(f"Version: {old}".encode(), f"Version: {NEW}".encode())
            target.writestr(entry.filename.replace(f"-{old}.", f"-{NEW}.", 1), content)
    return new


def all_answer(running: RunningProxy) -> None:
    """Every dialect, with a new claude process for the first of them."""
    for process in running.claudes():
        process.kill()
    for path, body in REQUESTS.items():
        answer = running.http.post(path, json={**BODY, **body})
        assert answer.status_code == 200, answer.text
        assert "fine" in answer.text


def test_a_server_outlives_its_package(installed: Callable[..., None], tmp_path: Path, home: Path) -> None:
    old = built(tmp_path / "dist")
    installed("install", "--no-deps", str(old))
    with scripted() as api, running_proxy(home, api=api) as running:
        running_version = running.http.get("/health").json()["version"]
        installed("install", "--no-deps", str(renamed(old)))
        assert claude_max(home, "--version").out == f"claude-max {NEW}\n"
        all_answer(running)
        assert running.http.get("/health").json()["version"] == running_version != NEW
        port = {"CLAUDE_MAX_PORT": running.url.rpartition(":")[2]}
        found = claude_max(home, "doctor", "--check", "port", "--json", environ=port).json["findings"][0]
        assert f"claude-max {running_version} answers at" in found["summary"]
        assert f"{NEW} is installed; restart to run it." in found["detail"]

        installed("uninstall", "claude-max-toolkit")
        assert not (tmp_path / "venv/bin/claude-max").exists()
        all_answer(running)
        assert eventually(lambda: running.http.get("/health").json()["ready"], 20)
