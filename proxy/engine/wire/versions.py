"""Versions of the Claude Code CLI. Pure."""

import re

Version = tuple[int, int, int]

# From this version on `client_composed` keeps a prompt from reading local files.
MINIMUM: Version = (2, 1, 248)
# The version that this project's tests run on.
TESTED: Version = (2, 1, 332)


def version_of(text: str) -> Version | None:
    """The version in what `claude --version` prints ("2.1.332 (Claude Code)"), None where there is none."""
    found = re.match(r"\s*(\d+)\.(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def dotted(version: Version) -> str:
    """ "2.1.332" from (2, 1, 332)."""
    return ".".join(str(part) for part in version)
