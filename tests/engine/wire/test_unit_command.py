"""How the CLI is started: what of the user's environment stays, what goes, and what is always the same."""

import json

import pytest

from claude_max.proxy.engine.wire.command import ADDED, ARGUMENTS, SERVER, environment
from claude_max.proxy.engine.wire.versions import dotted, version_of

STAYS = {
    "HOME": "/home/me", "PATH": "/bin", "LANG": "C", "TZ": "UTC", "HTTPS_PROXY": "http://p", "https_proxy": "http://p",
    "NODE_EXTRA_CA_CERTS": "/ca.pem", "CLAUDE_CONFIG_DIR": "/c", "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-x",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:1", "XDG_CONFIG_HOME": "/x", "USERPROFILE": "C:\\me", "TMPDIR": "/t",
}  # fmt: skip
GOES = {
    "CLAUDECODE": "1", "CLAUDE_CODE_ENTRYPOINT": "cli", "CLAUDE_CODE_EXTRA_BODY": "{}", "ANTHROPIC_MODEL": "opus",
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "9", "CLAUDE_CODE_USE_BEDROCK": "1", "NODE_OPTIONS": "--require=/evil.js",
    "MAX_THINKING_TOKENS": "9", "ANTHROPIC_CUSTOM_HEADERS": "x: y", "LD_PRELOAD": "/evil.so", "CLAUDE_MAX_API_KEY": "k",
    "OPENAI_API_KEY": "k", "BASH_ENV": "/evil",
}  # fmt: skip
KEYS = {"ANTHROPIC_API_KEY": "sk-ant-api03-x", "ANTHROPIC_AUTH_TOKEN": "x"}


def test_only_what_the_cli_needs_is_passed_on() -> None:
    assert environment({**STAYS, **GOES, **KEYS}) == {**STAYS, **ADDED}


def test_a_key_is_passed_on_only_when_it_is_allowed() -> None:
    assert environment({**STAYS, **GOES, **KEYS}, allow_api_key=True) == {**STAYS, **KEYS, **ADDED}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLAUDE_CODE_MAX_RETRIES", "0"),
        ("DISABLE_AUTO_COMPACT", "1"),
        ("CLAUDE_CODE_DISABLE_ATTACHMENTS", "1"),
        ("ENABLE_TOOL_SEARCH", "false"),
        ("CLAUDE_AGENT_SDK_MCP_NO_PREFIX", "1"),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ],
)
def test_the_users_own_value_never_wins(name: str, value: str) -> None:
    assert environment({name: "theirs"})[name] == value
    assert environment({name: "theirs"}, allow_api_key=True)[name] == value


def after(flag: str) -> str:
    return ARGUMENTS[ARGUMENTS.index(flag) + 1]


def test_the_arguments_are_the_measured_ones_and_hold_nothing_of_a_callers() -> None:
    assert after("--tools") == ""
    assert "--setting-sources=" in ARGUMENTS
    assert {"--strict-mcp-config", "--no-session-persistence", "--include-partial-messages"} <= set(ARGUMENTS)
    assert after("--input-format") == after("--output-format") == "stream-json"
    place = ARGUMENTS.index("--allowedTools")
    assert ARGUMENTS[place + 1 :] == (f"mcp__{SERVER}",)
    assert after("--max-turns") == "1"
    forbidden = ("--dangerously", "--permission", "--bare", "--system-prompt", "--append", "--model", "--mcp-config")
    assert not [argument for argument in ARGUMENTS if argument.startswith(forbidden)]


def test_another_session_of_the_same_user_may_not_write_into_a_worker() -> None:
    assert json.loads(after("--settings"))["crossSessionInbound"] == "refuse"


def test_until_its_settings_say_otherwise_a_process_asks_for_one_token() -> None:
    assert environment({"CLAUDE_CODE_MAX_OUTPUT_TOKENS": "9"})["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "1"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.1.330 (Claude Code)\n", (2, 1, 330)), ("  10.0.1", (10, 0, 1)), ("2.1.330-beta", (2, 1, 330)),
        ("2.1", None), ("", None), ("Claude Code 2.1.330", None), ("v2.1.330", None),
    ],
)  # fmt: skip
def test_versions(text: str, version: tuple[int, int, int] | None) -> None:
    assert version_of(text) == version


def test_a_version_in_words() -> None:
    assert dotted((2, 1, 330)) == "2.1.330"
