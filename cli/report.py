"""`claude-max doctor --report`: versions, settings and findings as Markdown for an issue, without anything private.

Redacted are the home folder, the names of user and machine, keys and tokens, addresses of people, passwords in URLs.
"""

import getpass
import os
import platform
import re
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.text import Text

from claude_max.proxy.config import ConfigError, Settings, load
from claude_max.proxy.doctor import Finding

from .config import is_secret
from .output import Result

_SECRETS = (
    (re.compile(r"sk-[A-Za-z0-9_-]{6,}"), "sk-…"),
    (re.compile(r"(?<=://)[^/\s@]+@"), "…@"),
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), "…@…"),
)


@dataclass(frozen=True, slots=True)
class Report(Result):
    """The whole text, redacted."""

    text: str

    def view(self) -> Sequence[Text]:
        """The text to paste."""
        return (Text(self.text),)


def report(findings: Sequence[Finding]) -> Report:
    """The report of these findings."""
    lines = [
        "### claude-max doctor report",
        "",
        f"- claude-max {version('claude-max-toolkit')}, Python {platform.python_version()}",
        f"- {platform.system()} {platform.release()} {platform.machine()}, {sys.platform}",
        f"- settings: {', '.join(_settings()) or 'all defaults'}",
        "",
        "| check | status | finding |",
        "|---|---|---|",
    ]
    for finding in findings:
        said = " ".join(f"{finding.summary}. {finding.detail}".split()).replace("|", "\\|")
        lines.append(f"| {finding.name} | {finding.status} | {said} |")
    return Report(redacted("\n".join(lines)))


def redacted(text: str) -> str:
    """`text` with private names and values redacted."""
    try:
        names = {getpass.getuser(): "USER", socket.gethostname(): "HOST"}
    except (OSError, KeyError):
        names = {socket.gethostname(): "HOST"}
    for home in {str(Path.home()), os.environ.get("HOME") or str(Path.home())}:
        if len(home) > 1:
            text = text.replace(home, "~")
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    for name, instead in names.items():
        if name:
            text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", instead, text)
    return text


def _settings() -> list[str]:
    """Settings that are not the default; only the name if the value is private."""
    try:
        settings = load()
    except ConfigError:
        return ["not valid"]
    found = []
    for name, field in Settings.model_fields.items():
        value: Any = getattr(settings, name)
        if value != field.default:
            private = is_secret(name) or name in ("allowed_hosts", "cors_origins", "host", "claude_path")
            found.append(f"{name} (set)" if private else f"{name} = {value}")
    return found
