"""`serve` with exactly the variables of a compose file, and the Dockerfile's health check beside it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness.asking import CHAT
from harness.proxy import RunningProxy, running_proxy, scripted
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# What a person sets; the names are those of open-webui.yaml.
GIVEN = {"CLAUDE_MAX_API_KEY": "a long random word", "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-test"}
BODY: Any = {"model": "sonnet", "messages": [{"role": "user", "content": "Hello!"}]}


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The proxy of open-webui.yaml, with the address that the image listens on."""
    file = ROOT / "templates" / "compose" / "open-webui.yaml"
    service = YAML(typ="safe").load(file.read_text(encoding="utf-8"))["services"]["claude-max"]
    (host,) = re.findall(r"CLAUDE_MAX_HOST=(\S+)", DOCKERFILE)
    environ = {name: GIVEN.get(name, value) for name, value in service["environment"].items()}
    with (
        scripted() as api,
        running_proxy(
            tmp_path_factory.mktemp("home"), api=api, environ={**environ, "CLAUDE_MAX_HOST": host}, ready=None
        ) as running,
    ):
        yield running


def health_check(port: str) -> int:
    """The exit code of the Dockerfile's command, asking that port."""
    (command,) = re.findall(r"^HEALTHCHECK .*? CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    words = json.loads(command)
    assert words[0] == "/opt/claude-max/bin/python"
    asked = [sys.executable, *(word.replace(":3456/", f":{port}/") for word in words[1:])]
    return subprocess.run(asked, capture_output=True, timeout=20, check=False).returncode


def test_it_answers_with_its_key_by_its_name(composed: RunningProxy) -> None:
    key = {"Authorization": f"Bearer {GIVEN['CLAUDE_MAX_API_KEY']}"}
    by_name = {"Host": "claude-max:3456"}
    assert composed.http.post(CHAT, json=BODY, headers={**key, **by_name}).status_code == 200
    assert composed.http.post(CHAT, json=BODY, headers=by_name).status_code == 401
    assert composed.http.post(CHAT, json=BODY, headers={**key, "Host": "another:3456"}).status_code == 403


def test_the_health_check_holds_while_it_runs(composed: RunningProxy) -> None:
    assert health_check(composed.url.rpartition(":")[2]) == 0
    assert health_check("1") != 0


def test_the_health_check_fails_where_nobody_is_signed_in(home: Path) -> None:
    with running_proxy(home, environ={"CLAUDE_CODE_OAUTH_TOKEN": ""}, ready=False) as signed_out:
        assert health_check(signed_out.url.rpartition(":")[2]) != 0
