"""What the commands print can be read on a light terminal and on a dark one."""

from pathlib import Path

import pytest
from harness.command import claude_max
from harness.terminal import swallowed

# Colours without a terminal, as rich knows them.
COLOURS = {"TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "0", "TERM": "xterm-256color", "COLUMNS": "80"}
BODY = '{"model": "sonnet", "messages": [{"role": "user", "content": "hi"}]}'


@pytest.mark.parametrize(
    "words",
    [
        *(("--help",), ("serve", "--help"), ("doctor",), ("connect",), ("connect", "codex", "--dry-run")),
        *(("config", "show"), ("models",), ("explain", "body.json"), ("install-agent", "--dry-run")),
    ],
    ids=" ".join,
)
def test_no_colour_is_swallowed(home: Path, words: tuple[str, ...]) -> None:
    # A closed port: without a network the CLI waits 20 s for the real service.
    nobody = "http://127.0.0.1:9"
    environ = {"ANTHROPIC_BASE_URL": nobody, "CLAUDE_MAX_ALIASES": '{"lost": "nowhere"}', "CLAUDE_MAX_PORT": "4321"}
    (home / "body.json").write_text(BODY)
    shown = claude_max(home, *words, environ={**COLOURS, **environ}, cwd=home)
    text = shown.out + shown.err
    assert "\x1b[" in text
    assert swallowed(text) == set()
