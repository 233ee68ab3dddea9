"""A machine on which all is well, to break one part of at a time."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from harness.command import stand_in

from claude_max.proxy.config import Settings
from claude_max.proxy.doctor import Machine
from claude_max.proxy.port_check import Kind, Listener

MakeMachine = Callable[..., Machine]


@pytest.fixture
def settings() -> Settings:
    """The defaults."""
    return Settings.model_construct()


@pytest.fixture
def machine(home: Path, settings: Settings) -> MakeMachine:
    """Makes a machine; keywords replace its parts. The CLI is a stand-in that knows its version."""
    program = stand_in(home / "bin")

    def make(**parts: Any) -> Machine:
        whole = Machine(
            environ={"PATH": f"{program.parent}:/usr/bin:/bin", "HOME": str(home)},
            config_path=home / "config.toml",
            folders={"cache": home},
            load=lambda: settings,
            login=lambda program, environ: {"loggedIn": True, "authMethod": "claude.ai", "subscriptionType": "max"},
            listener=lambda settings: Listener(Kind.FREE),
            available_memory=lambda: 64 * 2**30,
        )
        return replace(whole, **parts)

    return make
