"""The contract check: the tested CLI, an older real one, and the tested one with a filter in between."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness.command import claude_max
from harness.filtered_cli import filtered, vouched
from harness.proxy import running_proxy, scripted

from claude_max.proxy.engine.probe.contract import CAPABILITIES, ContractResult, examine
from claude_max.proxy.engine.probe.locate import locate
from claude_max.proxy.engine.wire.command import SETTINGS

OLD = "@anthropic-ai/claude-code@2.1.197"


def check(program: Path, *names: str) -> ContractResult:
    """What is found of a CLI: of all capabilities, or of these alone, which takes less time."""
    return asyncio.run(examine(program, os.environ["PATH"], names or tuple(CAPABILITIES)))


def test_the_tested_cli_does_everything() -> None:
    record = check(locate(None, {}).path)
    assert dict(record.fails) == {}
    assert record.holds == CAPABILITIES.keys()
    assert record.unsafe is None
    assert record.cache_ttl == "1h"
    assert {each.max_tokens for each in record.defaults.values()} == {128_000}
    assert {each.thinking["type"] for each in record.defaults.values() if each.thinking} == {"adaptive"}


# For each capability a fault, and the reason that is found. One CLI has them all: none of them touches another's.
MINOR: dict[str, tuple[dict[str, Any], str]] = {
    "rewind": ({"swallow": ["rewind_conversation"]}, "The conversation does not fit the model's context window"),
    "system": ({"strip": ["system_prompt"]}, "a new system prompt did not arrive"),
    "lines": ({"strip": ["shouldQuery"]}, "a history arrived as "),
    "silence": ({"rename": {'"ANTHROPIC_BASE_URL": null': '"IGNORED": null'}}, "a message reached the service"),
    "peers": ({"arguments": ["--settings", SETTINGS]}, "The Claude Code CLI began a turn of its own"),
    "tools": ({"swallow": ["mcp_set_servers"]}, "the CLI did not ask for the tools"),
}


@pytest.fixture(scope="module")
def minor(tmp_path_factory: pytest.TempPathFactory) -> ContractResult:
    """What is found of a CLI that has all faults of MINOR, half of them steps that it confirms and does not take."""
    spoil: dict[str, Any] = {}
    for fault, _ in MINOR.values():
        for way, what in fault.items():
            spoil[way] = {**spoil.get(way, {}), **what} if isinstance(what, dict) else [*spoil.get(way, []), *what]
    return check(filtered(tmp_path_factory.mktemp("minor"), **spoil), "answers", "exact", *MINOR)


@pytest.mark.parametrize("lost", MINOR)
def test_a_capability_that_is_not_needed_is_found_to_be_missing(minor: ContractResult, lost: str) -> None:
    assert minor.fails[lost].startswith(MINOR[lost][1])
    assert minor.holds == {"answers", "exact"}
    assert minor.unsafe is None


# A fault, what is lost by it, and the composition that is left, None where the CLI must not be used.
SPOILT: dict[str, tuple[dict[str, Any], str, str | None]] = {
    "settings confirmed and not set": ({"swallow": ["apply_flag_settings"]}, "answers", None),
    "a body that is ignored": ({"rename": {"CLAUDE_CODE_EXTRA_BODY": "IGNORED_BY_POLICY"}}, "limits", None),
    "prompts that are commands": ({"strip": ["client_composed"]}, "verbatim", None),
    "the user's settings": ({"arguments": ["--setting-sources="]}, "isolation", None),
    "messages in the body that are ignored": ({"rename": {'\\"messages\\"': '\\"ignored\\"'}}, "exact", "lines"),
    "no lifecycle lines": ({"mute": ["command_lifecycle"]}, "lines", "exact"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_what_a_cli_does_not_do_is_found(tmp_path: Path, name: str) -> None:
    spoil, lost, left = SPOILT[name]
    record = check(filtered(tmp_path, **spoil), "answers", lost, *([left] if left else []))
    assert lost in record.fails
    if left is None:
        assert record.unsafe is not None
        assert record.unsafe.startswith(f"{lost}: ")
    else:
        assert left in record.holds
        assert record.unsafe is None


def test_an_unsafe_cli_is_not_served(tmp_path: Path, home: Path) -> None:
    """The check ends with its first question, which does not arrive as it was sent."""
    program = filtered(tmp_path, rename={"plain question": "another question"})
    done = claude_max(home, "serve", "--port", "0", "--claude-path", str(program))
    assert done.code == 3
    assert "answers: the prompt did not arrive as it was sent" in done.err
    assert "claude update" in done.err


def test_another_cli_serves_where_the_one_on_path_must_not(tmp_path: Path, home: Path) -> None:
    """That of the [cli] extra; the banner and /health say so."""
    program = filtered(tmp_path, strip=["client_composed"])
    environ = {**vouched(program, "verbatim"), "PATH": f"{program.parent}:{os.environ['PATH']}"}
    with scripted() as api, running_proxy(home, api=api, environ=environ) as proxy:
        assert any("is not used" in line and "verbatim" in line for line in proxy.log)
        health = proxy.http.get("/health").json()
        assert (health["ready"], health["cli_source"]) == (True, "the [cli] extra")
        assert str(program) in health["cli_notice"]
        answer = proxy.client.chat.completions.create(model="sonnet", messages=[{"role": "user", "content": "/cost"}])
        assert "/cost" in (answer.choices[0].message.content or "")


def test_without_rewind_each_conversation_has_a_worker_of_its_own(tmp_path: Path, home: Path) -> None:
    """Slower, never wrong, where there are more conversations than workers too."""
    program = filtered(tmp_path, swallow=["rewind_conversation"])
    arguments, environ = ("--claude-path", str(program), "--workers", "1"), vouched(program, "rewind")
    with scripted() as api, running_proxy(home, *arguments, api=api, environ=environ) as proxy:
        for conversation in (["question 0", "and 0"], ["question 1"]):
            messages: Any = []
            for text in conversation:
                messages.append({"role": "user", "content": text})
                answer = proxy.client.chat.completions.create(model="sonnet", messages=messages)
                assert (answer.choices[0].message.content or "").endswith(text)
                messages.append({"role": "assistant", "content": answer.choices[0].message.content})
                asked = str(api.api.bodies()[-1])
                assert [each for each in ("question 0", "question 1") if each in asked] == conversation[:1]


def test_an_older_real_cli(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> None:
    """2.1.197 reads files named in prompts, and confirms what it does not do; `locate` would refuse it by its age."""
    if shutil.which("npm") is None:
        assert "CI" not in os.environ, "CI needs npm"
        pytest.skip("npm is not installed")
    cache = getattr(pytestconfig, "cache", None)
    folder = cache.mkdir("old-cli") if cache else tmp_path_factory.mktemp("old-cli")
    program = folder / "node_modules" / ".bin" / "claude"
    if not program.exists():
        quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
        done = subprocess.run(
            ["npm", "install", *quiet, "--prefix", folder, OLD], capture_output=True, timeout=100, check=False
        )
        if done.returncode != 0 and "CI" not in os.environ:
            pytest.skip("the npm registry is out of reach")
        assert done.returncode == 0, done.stderr
    record = check(program, "answers", "verbatim", "exact", "lines", "errors")
    assert record.fails.keys() == {"verbatim", "exact", "lines"}
    assert record.holds == {"answers", "errors"}
    assert record.unsafe is not None
