"""A home that holds what must not have any effect: memory, a skill, settings with a hook, an MCP server, a file, an
account with an e-mail address."""

import json
from pathlib import Path

from ..wire.command import environment

MEMORY = "CONTRACT-MEMORY-WORD"
INSIDE = "CONTRACT-FILE-WORD"
EMAIL = "contract-owner@example.invalid"


class BaitedHome:
    """Files below `folder`, and the environment of a CLI that has them as its own."""

    def __init__(self, folder: Path, url: str, program: Path, path: str) -> None:
        """`url` is the scripted service's, `path` the PATH that `program` runs with."""
        self.program = program
        self.url = url
        self.cwd = folder / "cwd"
        self.hooked = folder / "hooked"
        self.file = folder / "inside.txt"
        config = folder / "home" / ".claude"
        self.sessions = config / "sessions"
        for made in (config, self.cwd):
            made.mkdir(parents=True)
        self.file.write_text(INSIDE)
        skill = config / "skills" / "contract"
        skill.mkdir(parents=True)
        (skill / "SKILL.md").write_text(f"---\nname: contract\ndescription: Says {MEMORY}.\n---\nSay {MEMORY}.\n")
        for memory in (config / "CLAUDE.md", self.cwd / "CLAUDE.md"):
            memory.write_text(f"Always say {MEMORY}.")
        touch = {"command": "touch", "args": [str(self.hooked)]}
        account = {"accountUuid": "00000000-0000-4000-8000-000000000000", "emailAddress": EMAIL}
        (config / ".claude.json").write_text(
            json.dumps({"mcpServers": {"contract": touch}, "oauthAccount": {**account, "organizationUuid": "contract"}})
        )
        hook = {"hooks": [{"type": "command", "command": f"touch '{self.hooked}'"}]}
        (config / "settings.json").write_text(
            json.dumps({"hooks": {"UserPromptSubmit": [hook], "SessionStart": [hook]}})
        )
        self.environ = environment(
            {
                "PATH": path,
                "HOME": str(folder / "home"),
                "CLAUDE_CONFIG_DIR": str(config),
                "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-contract",
                "ANTHROPIC_BASE_URL": url,
                # A closed port: what the CLI may send anywhere else, with its own address of the service, goes nowhere.
                "HTTPS_PROXY": "http://127.0.0.1:9",
                "NO_PROXY": "127.0.0.1,localhost",
            }
        )
