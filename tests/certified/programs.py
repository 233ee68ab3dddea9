"""Which clients are certified, in which version, and how each is asked something without anybody at the keyboard."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def _write(name: str, path: str = "path", content: str = "content", **more: Any) -> Callable[[Path], Any]:
    """The call of a tool that writes a file."""
    return lambda work: {"name": name, "input": {path: str(work / "made.txt"), content: "made\n", **more}}


def _shell(name: str, command: str, **more: Any) -> Callable[[Path], Any]:
    """The call of a tool that runs a command."""
    return lambda work: {"name": name, "input": {command: "echo made > made.txt", **more}}


@dataclass(frozen=True)
class Program:
    """One client. `command` is the program and its arguments before the prompt, `behind` those after it; `call` is
    what the model calls to make a file, None where the client has no tools. `edit` is a text that makes one instead.

    `node` is for what needs a newer Node than the machine's, `beside` for packages that one needs and does not name.
    `files` are in the folder that it works in before `connect`; `prompt_file` is the one that the prompt goes to.
    `called` is the program's own version, where its package has another one. One that `remembers` writes what it was
    started with into its own file, when it starts for the first time.
    """

    name: str
    kind: str
    package: str
    version: str
    command: tuple[str, ...]
    call: Callable[[Path], Any] | None = None
    edit: str | None = None
    behind: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    extra: str = ""
    beside: tuple[str, ...] = ()
    on_stdin: bool = False
    node: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    prompt_file: str = ""
    remembers: bool = False
    files: Mapping[str, str] = field(default_factory=dict)
    called: str = ""
    note: str = ""


AIDER = "Here it is.\n\nmade.txt\n```\nmade\n```\n"
FUNCTION = "def make(text: str) -> str:\n    open('made.txt', 'w').write(text)\n    return 'done'\n"

PROGRAMS = (
    Program(
        "opencode", "npm", "opencode-ai", "1.18.33", ("opencode", "run"), _write("write", "filePath"), on_stdin=True
    ),
    Program(
        "kilo", "npm", "@kilocode/cli", "7.7.7", ("kilo", "run", "--auto"), _write("write", "filePath"), on_stdin=True
    ),
    Program(
        "codex",
        "npm",
        "@openai/codex",
        "0.171.0",
        ("codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"),
        _shell("exec_command", "cmd"),
    ),
    Program(
        "claude",
        "here",
        "claude",
        "",
        ("claude", "-p"),
        _write("Write", "file_path"),
        behind=("--allowedTools", "Write"),
        note="Its own requests carry no login, only the key that connect wrote.",
    ),
    Program(
        "qwen",
        "npm",
        "@qwen-code/qwen-code",
        "0.24.4",
        ("qwen", "--approval-mode", "yolo", "-p"),
        _write("write_file", "file_path"),
        node=True,
    ),
    Program(
        "continue",
        "npm",
        "@continuedev/cli",
        "1.5.47",
        ("cn", "--auto", "-p"),
        _write("Write", "filepath"),
        environ={"CONTINUE_TELEMETRY_ENABLED": "0"},
    ),
    Program(
        "cline",
        "npm",
        "cline",
        "3.0.65",
        ("cline", "--auto-approve", "true"),
        _write("editor", content="new_text"),
        node=True,
    ),
    Program("pi", "npm", "@earendil-works/pi-coding-agent", "1.5.2", ("pi", "-p"), _write("write"), node=True),
    Program(
        "openclaw",
        "npm",
        "openclaw",
        "2026.9.6",
        ("openclaw", "agent", "--local", "--agent", "main", "-m"),
        _write("write"),
        node=True,
    ),
    Program(
        "goose",
        "npm",
        "@aaif/goose-binary-linux-x64",
        "0.20.1",
        ("goose", "run", "--no-session", "--with-builtin", "developer", "-t"),
        _shell("shell", "command"),
        environ={"GOOSE_MODE": "auto", "GOOSE_DISABLE_KEYRING": "1", "OPENAI_API_KEY": "claude-max"},
        called="1.34.0",
    ),
    Program(
        "aider",
        "pypi",
        "aider-chat",
        "0.86.2",
        (
            "aider",
            "--yes-always",
            "--no-git",
            "--no-check-update",
            "--no-show-model-warnings",
            "--edit-format",
            "whole",
            "--message",
        ),
        edit=AIDER,
        note="It has no tools; it writes what stands in an answer's blocks.",
    ),
    Program(
        "llm",
        "pypi",
        "llm",
        "0.36",
        ("llm", "-m", "claude-max"),
        lambda work: {"name": "make", "input": {"text": "made\n"}},
        tools=("--functions", FUNCTION),
    ),
    Program(
        "shell-gpt", "pypi", "shell-gpt", "1.5.1", ("sgpt", "--no-cache", "--no-md"), beside=("click",), remembers=True
    ),
    Program(
        "promptfoo",
        "npm",
        "promptfoo",
        "0.123.1",
        ("promptfoo", "eval", "--no-cache", "--no-progress-bar", "--max-concurrency", "1"),
        files={"promptfooconfig.yaml": "# mine\nprompts:\n  - file://prompt.txt\n"},
        prompt_file="prompt.txt",
        node=True,
        environ={"PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1"},
    ),
)
# A server, with tests of its own.
LITELLM = Program("litellm", "pypi", "litellm", "1.108.0", ("litellm",), extra="[proxy]")
