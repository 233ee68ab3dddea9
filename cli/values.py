"""Shell completion for the values of options.

It runs at each Tab, so nothing heavy is imported here. Tests compare the lists with their sources.
"""

from collections.abc import Sequence

FAMILIES = ("opus", "sonnet", "haiku")
LOG_LEVELS = ("debug", "info", "warning", "error")
CHECKS = (
    *("python", "cli", "shadows", "managed", "login", "start", "environment", "network", "config", "aliases", "port"),
    *("contract", "folders"),
    *("service", "service-environment", "memory", "clients", "live"),
)


STORED = ("ledger", "responses", "chat", "log", "contracts", "update")


def stored(incomplete: str) -> list[str]:
    """For `purge`."""
    return _begun((*STORED, "all"), incomplete)


GROUPS = ("model", "client", "day", "dialect")
APIS = (
    "chat_completions",
    "completions",
    "responses",
    "responses_compact",
    "messages",
    "ollama_chat",
    "ollama_generate",
)


def apis(incomplete: str) -> list[str]:
    """For `explain --api`."""
    return _begun(APIS, incomplete)


def groups(incomplete: str) -> list[str]:
    """For `usage --by`."""
    return _begun(GROUPS, incomplete)


def log_levels(incomplete: str) -> list[str]:
    """For `--log-level`."""
    return _begun(LOG_LEVELS, incomplete)


def log_formats(incomplete: str) -> list[str]:
    """For `--log-format`."""
    return _begun(("auto", "text", "json"), incomplete)


def checks(incomplete: str) -> list[str]:
    """For `--check`."""
    return _begun(CHECKS, incomplete)


def settings(incomplete: str) -> list[str]:
    """For `config set` and `config unset`. Loads the settings, a tenth of a second: a list here would go stale."""
    from claude_max.proxy.config import Settings

    return _begun(tuple(Settings.model_fields), incomplete)


def efforts(incomplete: str) -> list[str]:
    """For `--effort`."""
    from .chat.commands import LEVELS

    return _begun(LEVELS, incomplete)


def clients(incomplete: str) -> list[str]:
    """For `connect`, `disconnect` and `launch`. Loads the recipes: a list here would go stale."""
    from .connect.catalogue import catalogue

    return _begun(tuple(catalogue()), incomplete)


def shells(incomplete: str) -> list[str]:
    """For `env --shell`."""
    return _begun(("bash", "zsh", "fish", "powershell"), incomplete)


def models(incomplete: str) -> list[str]:
    """For `--model`: the names that are always accepted. Only the CLI knows the others, and asking it takes a
    second.
    """
    return _begun(("default", *FAMILIES, *(f"claude-{family}-4" for family in FAMILIES)), incomplete)


def _begun(values: Sequence[str], incomplete: str) -> list[str]:
    return [value for value in values if value.startswith(incomplete)]
