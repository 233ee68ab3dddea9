"""All settings: built-in defaults, then a TOML file, then `CLAUDE_MAX_*` variables, then flags; later ones win.

The result is one frozen Settings. An error is one line that names the setting and its source.
"""

import difflib
import json
import os
import re
import sys
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from platformdirs import user_config_path
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from . import renamed
from .renamed import PREFIX as PREFIX
from .text_files import replace_text

# Each of them stands for both loopback addresses.
LOCALHOST = ("127.0.0.1", "localhost")
# What a claude process takes, in MB: at its start, and after 200 turns with tools (Claude Code 2.1.330).
WORKER_MB = (155, 339)
# OpenAI's usual names, for clients whose model cannot be changed; patterns, the first match is used.
OPENAI_NAMES: Mapping[str, str] = {
    "gpt-*-nano*": "haiku",
    "gpt-*-mini*": "haiku",
    "gpt-3.5*": "haiku",
    "o[134]-mini*": "haiku",
    "gpt-*": "sonnet",
    "chatgpt-*": "sonnet",
    "codex-*": "sonnet",
    "o[134]*": "sonnet",
}
# Scheme and authority: `vscode-webview://…` and `chrome-extension://…` are origins, too.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/\s*]+|https?://[^/\s*:]+:\*|(?!https?:)[a-z][a-z0-9+.-]*://\*")
# Sent by many unrelated pages.
_NAMELESS = ("null", "file://")


class ConfigError(ValueError):
    """An invalid setting; the message is one line for the user.

    `variable` is the variable that set it, None for a file or a flag. `fix` is the command that fixes it, if there is
    one.
    """

    def __init__(self, message: str, variable: str | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.variable = variable
        self.fix = fix


Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """The settings of the proxy. Times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)
    # pydantic-settings asks the class for its sources, so `load` makes a subclass: `environ` holds the
    # variables, `written` what the file says.
    environ: ClassVar[Mapping[str, str]] = {}
    written: ClassVar[Mapping[str, Any]] = {}

    host: str = Field("127.0.0.1", description="Address to listen on; beyond loopback an API key is required.")
    port: int = Field(3456, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    also_listen: list[Port] = Field(
        [],
        description="More ports to listen on, such as ollama's 11434 for clients that only use that one.",
        examples=[[11434]],
    )
    claude_path: str | None = Field(
        None,
        description="The claude program to run; default: searched on PATH and in the usual places.",
        examples=["/usr/local/bin/claude"],
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Minimum log level.")
    log_format: Literal["auto", "text", "json"] = Field(
        "auto", description="text, json, or auto: text on a terminal, JSON lines elsewhere."
    )
    log_content: bool = Field(False, description="Also log prompts and answers.")
    cache_ttl: Literal["5m", "1h"] = Field(
        "5m", description="Lifetime of the prompt cache marks that the proxy sets; an hour costs more to write."
    )
    composition: Literal["auto", "exact", "lines"] = Field(
        "auto",
        description="How requests reach the model: whole (exact), line by line (lines), or as the CLI supports (auto).",
    )
    timeout: float = Field(300, gt=0, description="Seconds without any output from the model before a turn fails.")
    start_timeout: float = Field(30, gt=0, description="Seconds a new claude process may take to start.")
    keepalive_interval: float = Field(
        15, gt=0, description="Seconds of silence in a stream before a keep-alive comment is sent."
    )
    workers: int = Field(
        8, ge=1, le=64, description="Maximum number of claude processes ({}-{} MB each).".format(*WORKER_MB)
    )
    warm_workers: int = Field(2, ge=0, le=64, description="Claude processes kept ready.")
    queue_size: int = Field(
        64, ge=0, description="Maximum number of requests that wait for a worker; others get a 429."
    )
    drain_timeout: float = Field(4, ge=0, description="Seconds that running answers get at shutdown.")
    head_limit: int = Field(64 * 1024, ge=1024, description="Maximum size of a request's head, in bytes.")
    head_timeout: float = Field(20, gt=0, description="Seconds in which a request's head must arrive.")
    body_limit: int = Field(32 * 1024 * 1024, ge=1024, description="Maximum size of a request body, in bytes.")
    json_depth: int = Field(200, ge=4, le=200, description="Maximum nesting of a request's JSON; of a schema, 64.")
    body_timeout: float = Field(60, gt=0, description="Seconds in which a request's body must arrive.")
    write_timeout: float = Field(
        60, gt=0, description="Seconds without progress before a client that does not read is disconnected."
    )
    strict: bool = Field(False, description="Refuse malformed requests that would otherwise be repaired.")
    requests_limit: int = Field(256, ge=1, description="Maximum number of requests in flight; others get a 429.")
    api_key: SecretStr | None = Field(
        None,
        description="Key that clients must send; without one any key is accepted.",
        examples=["a long random word"],
    )
    allowed_hosts: list[str] = Field(
        [], description="Host names that requests may use, besides this machine's.", examples=[["my.box"]]
    )
    cors_origins: list[str] = Field(
        [],
        description="Web origins that may call from a browser; `http://localhost:*` and `vscode-webview://*` too.",
        examples=[["http://localhost:8080"]],
    )
    allow_anthropic_api_key: bool = Field(
        False, description="Let the CLI use ANTHROPIC_API_KEY (or _AUTH_TOKEN), billed apart from the subscription."
    )
    history: bool = Field(True, description="Keep the input history of chat, and the last conversation for chat -c.")
    web_search: bool = Field(False, description="Let the service search the web where a client offers that tool.")
    responses_keep_days: float = Field(
        7, ge=0, description="Days that stored responses (/v1/responses) stay on disk; 0 stores none."
    )
    responses_keep_mb: int = Field(256, ge=0, description="Maximum size of all stored responses, in MB; 0 stores none.")
    ledger_keep_days: float = Field(
        90, ge=0, description="Days that the ledger keeps what requests used (no prompts, no answers); 0 keeps none."
    )
    overage: Literal["allow", "warn", "refuse"] = Field(
        "warn", description="What to do when requests are billed on top of the plan: allow, warn, or refuse (402)."
    )
    plan_price: float | None = Field(
        None, ge=0, description="Monthly price of your plan in US dollars, shown for comparison.", examples=[100]
    )
    update_check: bool = Field(
        False, description="Check the package index daily for a newer claude-max; `claude-max --version` reports it."
    )
    openai_names: bool = Field(
        False, description="Serve OpenAI's usual names (gpt-…, o3 …) with sonnet, the small ones with haiku."
    )
    # Last: in the file it is a table, which ends the settings before it.
    aliases: dict[str, str] = Field(
        {},
        description='Names of your own for models, such as gpt-4o = "sonnet" or "gpt-*" = "haiku".',
        examples=[{"gpt-4o": "sonnet"}],
    )

    @property
    def all_aliases(self) -> dict[str, str]:
        """The user's aliases, and behind them the ready ones."""
        return {**self.aliases, **{name: to for name, to in OPENAI_NAMES.items() if self.openai_names}}

    @field_validator("api_key")
    @classmethod
    def _no_empty_key(cls, key: SecretStr | None) -> SecretStr | None:
        """Strips blanks, which clients cannot send. An empty key counts as none, since every client would match it."""
        bare = "" if key is None else key.get_secret_value().strip()
        return SecretStr(bare) if bare else None

    @field_validator("cors_origins")
    @classmethod
    def _whole_origins(cls, origins: list[str], given: ValidationInfo) -> list[str]:
        """Origins as browsers send them.

        `*` is refused: it would let every web page use the subscription. A pattern is any port of one host
        (`http://localhost:*`), or any host of a scheme that web pages do not have (`vscode-webview://*`).
        """
        bare = [_bare_origin(origin) for origin in origins]
        for origin in bare:
            if origin in _NAMELESS and given.data.get("api_key") is None:
                raise ValueError(f"{origin!r} is sent by every page from a file, so a key is required: set api_key")
            if origin not in _NAMELESS and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not a web origin such as http://localhost:8080")
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
        # An empty variable is an unset one: `CLAUDE_MAX_PORT= claude-max serve` uses the default.
        variables.env_vars = {name.lower(): value for name, value in cls.environ.items() if value}
        return init_settings, variables, InitSettingsSource(settings_cls, dict(cls.written))


def _bare_origin(origin: str) -> str:
    """An origin as browsers send it: lower case, without a slash at its end."""
    bare = origin.strip().rstrip("/").lower()
    return f"{bare}//" if bare == "file:" else bare


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


def names_itself(url: str, settings: Settings) -> bool:
    """Whether `url`, the address of the service, is this server's own: each request would then loop forever."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return False
    host = parts.hostname or ""
    own = host == settings.host or is_loopback(host) or host in ("0.0.0.0", "::")  # noqa: S104 - what it is called
    return own and port in (settings.port, *settings.also_listen)


def open_to_all(settings: Settings) -> str | None:
    """Why the proxy must not start: others can reach the address, and no key is set. None if it may start."""
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
    # A relative one is ignored.
    folder = configured if configured.is_absolute() else Path(environ.get("HOME") or Path.home()) / ".config"
    return folder / "claude-max"


def unknown(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Unknown `CLAUDE_MAX_*` variables, each with a message that suggests the nearest name."""
    known = [*(name.upper() for name in Settings.model_fields), "CONFIG"]
    found = {}
    for name in environ:
        own = name.upper().removeprefix(PREFIX)
        if name.upper().startswith(PREFIX) and own not in known and name not in renamed.variables([name]):
            near = [f"; is it {PREFIX}{each}?" for each in difflib.get_close_matches(own, known, n=1)]
            found[name] = f"{name} has no effect: unknown setting{''.join(near) or '.'}"
    return found


def old_names(environ: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each old name in the variables and in the file. Raises ConfigError for a file that is not TOML."""
    file = config_path(environ)
    found = [renamed.now_called(old, new) for old, new in renamed.variables(environ).items()]
    return found + [f"{renamed.now_called(name, renamed.SETTINGS[name])} (in {file})" for name in written(file)
                    if name in renamed.SETTINGS]  # fmt: skip


def written(file: Path) -> dict[str, Any]:
    """The values of the configuration file; empty if there is none. Raises ConfigError."""
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except IsADirectoryError:
        raise ConfigError(f"{file} is a folder") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    try:
        return _values(text)
    except ValueError as error:
        raise ConfigError(f"{file} is not valid TOML: {error}") from None


def _values(text: str) -> dict[str, Any]:
    # Takes 20 ms, which most commands have no need for.
    import tomllib

    return tomllib.loads(text)


def rewrite_file(file: Path) -> None:
    """Renames old names in the configuration file. Raises ConfigError, and then changes nothing."""
    text = file.read_text("utf-8")
    wanted = {renamed.SETTINGS.get(name, name): value for name, value in written(file).items()}
    new = renamed.config_file(text)
    try:
        same = _values(new) == wanted
    except ValueError:
        same = False
    if not same:
        both = ", ".join(f"{old} → {renamed.SETTINGS[old]}" for old in written(file) if old in renamed.SETTINGS)
        raise ConfigError(f"{file} cannot be rewritten by itself; rename in an editor: {both}")
    replace_text(file, new)


def load(environ: Mapping[str, str] = os.environ, *, accept_old_names: bool = False, **flags: Any) -> Settings:
    """The effective settings; a flag that is None was not given.

    Raises ConfigError. `environ` has the variables of this process, or of another one. `accept_old_names` is for an
    installed service, which must keep running across an upgrade; elsewhere an old name is an error.
    """
    file = config_path(environ)
    if environ.get(f"{PREFIX}CONFIG") and not file.exists():
        # The file may contain the key that keeps others out.
        raise ConfigError(f"{file}, which {PREFIX}CONFIG names, does not exist", f"{PREFIX}CONFIG")
    if file.is_dir():
        raise ConfigError(f"{file} is a folder")
    values = written(file)
    if accept_old_names:
        environ = renamed.with_new_names(environ)
        values = {renamed.SETTINGS.get(name, name): value for name, value in values.items()}
    else:
        _refuse_old_names(environ, values, file)
    return _made(values, file, environ, flags)


def check_values(values: Mapping[str, Any], file: Path) -> None:
    """Raises ConfigError where a configuration file of these values could not be used."""
    _refuse_old_names({}, values, file)
    _made(values, file, {}, {})


def _made(values: Mapping[str, Any], file: Path, environ: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    made = type("Settings", (Settings,), {"environ": environ, "written": values})
    try:
        settings: Settings = made(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _mistake(first, values, file, environ, flags) from None
    except SettingsError as error:
        name = (re.findall(r'"(\w+)"', str(error)) or [""])[0]
        raise ConfigError(f"{name}: must be JSON{_example(name)}", _variable(name, environ, flags)) from None
    return settings


def _refuse_old_names(environ: Mapping[str, str], values: Mapping[str, Any], file: Path) -> None:
    for old, new in renamed.variables(environ).items():
        raise ConfigError(f"{renamed.now_called(old, new)}. Set {new} instead.", old, f"unset {old}")
    for name in values:
        if name in renamed.SETTINGS:
            what = renamed.now_called(name, renamed.SETTINGS[name])
            raise ConfigError(f"{what} (in {file}). `{renamed.FIX}` rewrites the file.", None, renamed.FIX)


def _mistake(
    error: Mapping[str, Any],
    values: Mapping[str, Any],
    file: Path,
    environ: Mapping[str, str],
    flags: Mapping[str, Any],
) -> ConfigError:
    """The error of a setting, or of a part of it (`aliases.gpt-4o`), with its source and what to write."""
    loc: tuple[int | str, ...] = error["loc"]
    setting, name = str(loc[0]), ".".join(str(part) for part in loc)
    variable = _variable(setting, environ, flags)
    why = str(error["msg"])
    if error["type"] == "extra_forbidden":
        why = unknown_setting(setting)
    elif setting == "aliases" and len(loc) > 1 and variable is None and (dotted := _dotted(values, loc)) is not None:
        why = f'a name with a dot needs quotes: "{dotted[0]}" = "{dotted[1]}"'
    elif error["type"] in ("list_type", "dict_type"):
        why += _example(setting) if variable else f", such as {setting} = {_toml(setting)}"
    if flags.get(setting) is not None:
        place = f"given as --{setting.replace('_', '-')}"
    else:
        place = f"given as {variable}" if variable else f"in {file}"
    return ConfigError(f"{name}: {why} ({place})", variable)


def unknown_setting(name: str) -> str:
    """The message for an unknown setting."""
    near = [f"; is it {each}?" for each in difflib.get_close_matches(name, Settings.model_fields, n=1)]
    return f"unknown setting{''.join(near)}"


def _dotted(values: Mapping[str, Any], loc: tuple[int | str, ...]) -> tuple[str, str] | None:
    """To TOML, `gpt-4.1 = "sonnet"` is a table "gpt-4": returns the intended name and its value."""
    found: Any = values
    for part in loc:
        found = found.get(part) if isinstance(found, dict) else None
    name = str(loc[-1])
    while isinstance(found, dict) and len(found) == 1:
        [(part, found)] = found.items()
        name += f".{part}"
    return (name, found) if isinstance(found, str) and "." in name else None


def _example(name: str) -> str:
    """The right JSON for a variable."""
    field = Settings.model_fields.get(name)
    examples = field.examples if field is not None else None
    return f": {PREFIX}{name.upper()}='{json.dumps(examples[0])}'" if examples else ""


def _toml(name: str) -> str:
    examples = Settings.model_fields[name].examples
    value: Any = examples[0] if examples else None
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {json.dumps(each)}' for key, each in value.items())} }}"
    return json.dumps(value)


def _variable(name: str, environ: Mapping[str, str], flags: Mapping[str, Any]) -> str | None:
    """The variable that a setting comes from; names of variables count in any case, and an empty one is unset."""
    wanted = f"{PREFIX}{name}".lower()
    found = (each for each in environ if each.lower() == wanted and environ[each])
    return None if flags.get(name) is not None else next(found, None)
