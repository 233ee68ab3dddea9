"""Old names of settings and flags, and their new names.

Using an old name is an error that names the new one. `claude-max doctor --fix` rewrites files that contain one. Pure.
"""

import re
from collections.abc import Iterable, Mapping

PREFIX = "CLAUDE_MAX_"
SETTINGS: Mapping[str, str] = {
    "max_workers": "workers",
    "max_requests": "requests_limit",
    "warm": "warm_workers",
    "queue": "queue_size",
    "drain": "drain_timeout",
    "keepalive": "keepalive_interval",
}
# Flags of `serve`.
FLAGS: Mapping[str, str] = {"--max-workers": "--workers", "--warm": "--warm-workers", "--drain": "--drain-timeout"}
FIX = "claude-max doctor --fix"


def now_called(old: str, new: str) -> str:
    """The sentence for a name that is no longer used."""
    return f"{old} is now called {new}"


def variables(names: Iterable[str]) -> dict[str, str]:
    """The variables among `names` whose name is an old one, each with its new name. Case does not matter."""
    found = {}
    for name in names:
        new = SETTINGS.get(name.upper().removeprefix(PREFIX).lower()) if name.upper().startswith(PREFIX) else None
        if new is not None:
            found[name] = f"{PREFIX}{new.upper()}"
    return found


def with_new_names(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with old variables under their new names; a new name that is set wins."""
    old = variables(environ)
    kept = {name: value for name, value in environ.items() if name not in old}
    return {**{new: environ[name] for name, new in old.items()}, **kept}


def service_file(content: bytes) -> bytes:
    """A unit, property list or file of variables with every old variable and flag under its new name."""
    for old, new in SETTINGS.items():
        content = re.sub(rf"\b{PREFIX}{old.upper()}\b".encode(), f"{PREFIX}{new.upper()}".encode(), content)
    for old, new in FLAGS.items():
        content = re.sub(rf"(?<![\w-]){old}(?![\w-])".encode(), new.encode(), content)
    return content


def config_file(text: str) -> str:
    """A configuration file with every old setting under its new name; comments and layout stay."""
    lines, in_table = text.splitlines(keepends=True), False
    for at, line in enumerate(lines):
        in_table = in_table or line.lstrip().startswith("[")
        found = re.match(r"(\s*)(\w+)(\s*=)", line)
        if found is not None and not in_table and found[2] in SETTINGS:
            lines[at] = f"{found[1]}{SETTINGS[found[2]]}{line[found.start(3) :]}"
    return "".join(lines)
