"""All settings: built-in defaults, then a TOML file, then `CLAUDE_MAX_*` variables, then flags; later ones win.

One frozen Settings comes out. A mistake anywhere is one line that names the setting and where it stands.
"""

import difflib
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from platformdirs import user_config_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

PREFIX = "CLAUDE_MAX_"
# Each of them means both loopback addresses.
LOCALHOST = ("127.0.0.1", "localhost")
# What a claude process takes, in MB: at its start, and after 200 turns with tools (Claude Code 2.1.330).
WORKER_MB = (155, 339)
# Scheme and authority: `vscode-webview://…` and `chrome-extension://…` are origins, too.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s*]+")


class ConfigError(ValueError):
    """A setting that cannot be used; the message is one line for the person who wrote it.

    `variable` is the one that it was given in, None for a file or a flag.
    """

    def __init__(self, message: str, variable: str | None = None) -> None:
        super().__init__(message)
        self.variable = variable


class Settings(BaseSettings):
    """What the proxy runs with. Times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)
    # Where variables are looked up. pydantic-settings asks the class for its sources, so for the settings of another
    # process `load` makes a subclass.
    environ: ClassVar[Mapping[str, str]] = os.environ

    host: str = Field("127.0.0.1", description="Address to listen on; beyond loopback an API key is required.")
    port: int = Field(3456, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    claude_path: str | None = Field(None, description="The claude program to run; else PATH and the usual places.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="How much is logged.")
    log_content: bool = Field(False, description="Also log prompts and answers.")
    composition: Literal["auto", "exact", "lines"] = Field(
        "auto", description="How requests reach the model: whole and exact, line by line, or what the CLI allows."
    )
    timeout: float = Field(300, gt=0, description="Seconds a model may send nothing before a turn fails.")
    start_timeout: float = Field(30, gt=0, description="Seconds a new claude process may take until it answers.")
    keepalive: float = Field(15, gt=0, description="Seconds of silence in a stream before a comment keeps it open.")
    max_workers: int = Field(8, ge=1, le=64, description="Claude processes at most ({}-{} MB each).".format(*WORKER_MB))
    warm: int = Field(2, ge=0, le=64, description="Claude processes kept ready.")
    queue: int = Field(64, ge=0, description="Requests that may wait for a worker before others get a 429.")
    drain: float = Field(4, ge=0, description="Seconds that answers in flight get when the server stops.")
    head_limit: int = Field(64 * 1024, ge=1024, description="Bytes of a request's head at most.")
    head_timeout: float = Field(20, gt=0, description="Seconds until a request's head must be whole.")
    body_limit: int = Field(32 * 1024 * 1024, ge=1024, description="Bytes of a request body at most.")
    json_depth: int = Field(100, ge=4, le=200, description="Levels of a request's JSON at most; of a schema, 64.")
    body_timeout: float = Field(60, gt=0, description="Seconds until a request's body must be whole.")
    write_timeout: float = Field(60, gt=0, description="Seconds a client may leave its answer unread.")
    max_requests: int = Field(256, ge=1, description="Requests in flight before others get a 429.")
    api_key: SecretStr | None = Field(None, description="Key that clients must send; without one any key is accepted.")
    allowed_hosts: list[str] = Field([], description="Host names that requests may use, besides this machine's.")
    cors_origins: list[str] = Field([], description="Web origins that may call from a browser.")
    allow_anthropic_api_key: bool = Field(
        False, description="Let the CLI use ANTHROPIC_API_KEY (or _AUTH_TOKEN), billed apart from the subscription."
    )
    aliases: dict[str, str] = Field({}, description='Names of your own for models, such as gpt-4o = "sonnet".')

    @field_validator("api_key")
    @classmethod
    def _no_empty_key(cls, key: SecretStr | None) -> SecretStr | None:
        """Without the blanks around it, which no client can send. An empty key is none: it would open every door."""
        bare = "" if key is None else key.get_secret_value().strip()
        return SecretStr(bare) if bare else None

    @field_validator("cors_origins")
    @classmethod
    def _whole_origins(cls, origins: list[str]) -> list[str]:
        """As browsers send them. `*` would let every page that is visited use the subscription."""
        bare = [origin.rstrip("/").lower() for origin in origins]
        for origin in bare:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no web origin such as http://localhost:8080")
        return bare

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags over environment over file; no `.env`, which belongs to other programs."""
        variables = EnvSettingsSource(settings_cls)
        variables.env_vars = {name.lower(): value for name, value in cls.environ.items()}
        return init_settings, variables, TomlConfigSettingsSource(settings_cls, config_path(cls.environ))


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def without_password(url: str) -> str:
    """An address that can be shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that cannot be read"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def open_to_all(settings: Settings) -> str | None:
    """Why the proxy must not start: others can reach the address, and no key keeps them out. None where it may."""
    if is_loopback(settings.host) or settings.api_key is not None:
        return None
    return f"{settings.host} can be reached from other machines, so a key is required: set CLAUDE_MAX_API_KEY."


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """The TOML file: `CLAUDE_MAX_CONFIG`, or `config.toml` in the platform's configuration folder."""
    named = environ.get(f"{PREFIX}CONFIG")
    return Path(named) if named else _folder(environ) / "config.toml"


def _folder(environ: Mapping[str, str]) -> Path:
    """As platformdirs has it, which asks this process's own variables only."""
    if environ is os.environ or sys.platform != "linux":
        return user_config_path("claude-max")
    configured = Path(environ.get("XDG_CONFIG_HOME") or "")
    # A relative one does not count.
    folder = configured if configured.is_absolute() else Path(environ.get("HOME") or Path.home()) / ".config"
    return folder / "claude-max"


def unknown(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The `CLAUDE_MAX_*` variables that mean nothing, each with a line that says so and names the nearest one."""
    known = [*(name.upper() for name in Settings.model_fields), "CONFIG"]
    found = {}
    for name in environ:
        own = name.upper().removeprefix(PREFIX)
        if name.upper().startswith(PREFIX) and own not in known:
            near = [f"; is it {PREFIX}{each}?" for each in difflib.get_close_matches(own, known, n=1)]
            found[name] = f"{name} has no effect: there is no such setting{''.join(near) or '.'}"
    return found


def load(environ: Mapping[str, str] = os.environ, **flags: Any) -> Settings:
    """The settings in force; a flag that is None was not given. Raises ConfigError.

    `environ` holds the variables: this process's own, or another's whose settings are asked for.
    """
    file = config_path(environ)
    if f"{PREFIX}CONFIG" in environ and not file.exists():
        # The key that keeps others out may stand there.
        raise ConfigError(f"{file}, which {PREFIX}CONFIG names, is not there", f"{PREFIX}CONFIG")
    if file.is_dir():
        raise ConfigError(f"{file} is a folder")
    there: type[Settings] = Settings
    if environ is not os.environ:
        there = type("Settings", (Settings,), {"environ": environ})
    try:
        return there(**{name: value for name, value in flags.items() if value is not None})
    except UnicodeDecodeError:
        raise ConfigError(f"{config_path(environ)} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{config_path(environ)} is not valid TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"{config_path(environ)} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        why = "there is no such setting" if first["type"] == "extra_forbidden" else first["msg"]
        raise _mistake(name, why, environ, flags) from None
    except SettingsError as error:
        name = (re.findall(r'"(\w+)"', str(error)) or [""])[0]
        raise _mistake(name, 'must be JSON, such as ["a", "b"]', environ, flags) from None


def _mistake(name: str, why: str, environ: Mapping[str, str], flags: dict[str, Any]) -> ConfigError:
    """The error of a setting, or of a part of it (`aliases.gpt-4o`), with where it stands."""
    setting = name.split(".")[0]
    variable = _variable(setting, environ, flags)
    if flags.get(setting) is not None:
        place = f"given as --{setting.replace('_', '-')}"
    else:
        place = f"given as {variable}" if variable else f"in {config_path(environ)}"
    return ConfigError(f"{name}: {why} ({place})", variable)


def _variable(name: str, environ: Mapping[str, str], flags: dict[str, Any]) -> str | None:
    """The variable that a setting comes from; names of variables count in any case."""
    wanted = f"{PREFIX}{name}".lower()
    return None if flags.get(name) is not None else next((each for each in environ if each.lower() == wanted), None)
