"""What is built or started elsewhere: compose files, the Dockerfile, the formula, the workflows."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from claude_max.proxy.config import PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "templates" / "compose"
FILES = ("open-webui.yaml", "litellm.yaml")
OURS = "claude-max"


def loaded(file: Path) -> Any:
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FILES)
def test_compose_files_open_nothing_to_other_machines(name: str) -> None:
    for service in loaded(COMPOSE / name)["services"].values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))


@pytest.mark.parametrize("name", FILES)
def test_each_proxy_has_a_key_a_login_and_the_name_it_is_called_by(name: str) -> None:
    services = loaded(COMPOSE / name)["services"]
    ours = {each: service for each, service in services.items() if service["image"] == OURS}
    (front,) = (service for service in services.values() if service["image"] != OURS)
    called = re.findall(r"http://([\w-]+):3456/v1", " ".join(map(str, front["environment"].values())))
    assert set(called) == set(ours) == set(front["depends_on"])
    for host, service in ours.items():
        environ = service["environment"]
        assert json.loads(environ["CLAUDE_MAX_ALLOWED_HOSTS"]) == [host]
        # A missing variable ends `docker compose up` with these words.
        assert re.fullmatch(r"\$\{CLAUDE_MAX_API_KEY:\?.+\}", environ["CLAUDE_MAX_API_KEY"])
        assert re.fullmatch(r"\$\{CLAUDE_CODE_OAUTH_TOKEN(_\d)?:\?.+\}", environ["CLAUDE_CODE_OAUTH_TOKEN"])
        settings = {each.removeprefix(PREFIX).lower() for each in environ if each.startswith(PREFIX)}
        assert settings <= set(Settings.model_fields)
        assert (COMPOSE / service["build"] / "Dockerfile").is_file()
        assert service["init"] is True


def test_what_compose_mounts_is_there() -> None:
    for name in FILES:
        for service in loaded(COMPOSE / name)["services"].values():
            mounted = [volume.split(":")[0] for volume in service.get("volumes", []) if volume.startswith(".")]
            assert all((COMPOSE / each).is_file() for each in mounted)


def test_the_team_has_each_model_on_each_endpoint() -> None:
    team = loaded(COMPOSE / "team.yaml")
    listed = sorted((each["model_name"], each["litellm_params"]["api_base"]) for each in team["model_list"])
    urls = ("os.environ/FIRST_URL", "os.environ/SECOND_URL")
    assert listed == sorted((model, url) for model in ("sonnet", "haiku") for url in urls)
    assert all(each["litellm_params"]["model"] == f"openai/{each['model_name']}" for each in team["model_list"])
    assert len({each["model_info"]["id"] for each in team["model_list"]}) == 4


def test_the_image_holds_what_the_wheel_is_built_of() -> None:
    """What hatchling needs is copied, and .dockerignore lets it in."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = [word for line in re.findall(r"^COPY ([^-].*)$", text, re.MULTILINE) for word in line.split()[:-1]]
    let_in = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert set(copied) == set(let_in)
    assert {"cli", "proxy", "templates", "completions", "pyproject.toml", "README.md", "LICENSE"} == set(copied)
    assert text.index("USER claude") < text.index("CMD ")


def test_the_formula_is_filled_in(tmp_path: Path) -> None:
    sdist = tmp_path / "claude_max_toolkit-1.2.3.tar.gz"
    sdist.write_bytes(b"whatever")
    done = subprocess.run(["bash", ROOT / ".ci/formula", sdist], capture_output=True, text=True, check=True)
    assert "/claude_max_toolkit-1.2.3.tar.gz" in done.stdout
    assert hashlib.sha256(b"whatever").hexdigest() in done.stdout
    assert not re.search(r"@[A-Z]+@", done.stdout)
    assert done.stdout.startswith("class ClaudeMax < Formula\n")
    named = re.findall(r'"(completions/[^"]+)"', done.stdout)
    assert len(named) == 3
    assert all((ROOT / each).is_file() for each in named)
    if shutil.which("ruby"):
        subprocess.run(["ruby", "-c"], input=done.stdout, capture_output=True, text=True, check=True)


@pytest.mark.parametrize("file", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda file: file.name)
def test_workflows_may_only_read_and_end(file: Path) -> None:
    flow = loaded(file)
    assert flow["permissions"] == {"contents": "read"}
    for job in flow["jobs"].values():
        assert job["timeout-minutes"]
        for step in job["steps"]:
            # A shell line with what an event says in it is a way in.
            assert "github.event" not in step.get("run", "")
