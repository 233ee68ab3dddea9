"""The checks of the `claude` program: which one, its version, its login, its contract check."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from ..engine.probe.locate import BUNDLED, INSTALL_COMMANDS, NAMED, ON_PATH, Cli, candidates, check
from ..engine.wire.versions import TESTED, dotted
from ..errors import CliCrashed, CliTooOld, CliUnavailable
from .finding import Finding, failed, ok, warning
from .machine import Machine

# The CLI itself warns about an expiring login at about this time.
SOON_DAYS = 7


def check_python(machine: Machine) -> Finding | None:
    """Python and this package."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    return ok("python", f"Python {python}, claude-max {version('claude-max-toolkit')} in {sys.prefix}")


def check_cli(machine: Machine) -> Finding | None:
    """The Claude Code CLI is found, runs, and is new enough."""
    cli = machine.cli
    if isinstance(cli, CliUnavailable):
        old = isinstance(cli, CliTooOld)
        fix: tuple[str, ...] = ("claude update", *INSTALL_COMMANDS) if old else INSTALL_COMMANDS
        if (path := machine.settings.claude_path) is not None:
            # No other program is used instead, however many are installed.
            by_variable = "CLAUDE_MAX_CLAUDE_PATH" in machine.environ
            otherwise = "unset CLAUDE_MAX_CLAUDE_PATH" if by_variable else "claude-max config unset claude_path"
            fix = (f"{shlex.quote(str(path))} update", otherwise) if old else (otherwise,)
        return failed("cli", cli.message, "Without it, no request can be answered.", *fix)
    summary = f"Claude Code {cli.version_text} at {cli.path} ({cli.source})"
    if cli.version < TESTED:
        detail = f"It is new enough, but older than {dotted(TESTED)}, which claude-max is tested with."
        return warning(
            "cli", summary, detail, *((f"{_typed(cli, machine.environ)} update",) if cli.source == ON_PATH else ())
        )
    return ok("cli", summary, "" if cli.version == TESTED else f"claude-max is tested with {dotted(TESTED)}.")


def check_shadows(machine: Machine) -> Finding | None:
    """No other `claude` on PATH could be taken for the one in use."""
    if isinstance(machine.cli, CliUnavailable):
        return None
    used = machine.cli.path.resolve()
    others = [path for path, source in candidates(machine.environ) if source == ON_PATH and path.resolve() != used]
    if not others:
        return ok("shadows", "No other claude is on PATH")
    listed = ", ".join(f"{path} ({_version(path)})" for path in others)
    detail = (
        f"claude-max runs {machine.cli.path}, a terminal runs {shutil.which('claude', path=_path(machine.environ))}. "
        "A service with another PATH may run yet another one; set claude_path, or remove the others."
    )
    named = f"export CLAUDE_MAX_CLAUDE_PATH={shlex.quote(str(machine.cli.path))}"
    return warning("shadows", f"Also on PATH: {listed}", detail, named)


def check_managed(machine: Machine) -> Finding | None:
    """No managed settings of an administrator change what claude does."""
    for file in machine.managed:
        if not file.exists():
            continue
        try:
            names = ", ".join(json.loads(file.read_text("utf-8"))) or "nothing"
        except (OSError, ValueError, TypeError):
            names = "something that cannot be read"
        detail = "They override what claude-max sets, including flags; only an administrator can change them."
        return warning(
            "managed", f"Managed settings apply: {file} sets {names}", detail, f"cat {shlex.quote(str(file))}"
        )
    return ok("managed", "No managed settings apply")


def check_login(machine: Machine) -> Finding | None:
    """The CLI is signed in, as the proxy runs it; no token is spent."""
    if isinstance(machine.cli, CliUnavailable):
        return None
    return login_finding("login", machine, machine.cli, machine.cli_environ())


def login_finding(name: str, machine: Machine, cli: Cli, environ: Mapping[str, str]) -> Finding:
    """Whether `cli` is signed in when it runs with `environ`."""
    claude = _typed(cli, machine.environ)
    try:
        said = machine.login(cli.path, environ)
    except CliCrashed as error:
        return failed(name, error.message, "Whether it is signed in is not known.", f"{claude} auth status")
    sign_in = ("claude-max login", "claude-max login --token   # for a machine without a browser or a keychain")
    if not said["loggedIn"]:
        return failed(name, "Claude Code is not signed in", "Every request would end with a 401.", *sign_in)
    plan = said.get("planTier") or said.get("subscriptionType")
    if plan:
        summary = f"Signed in, plan {plan}"
    elif said.get("authMethod") == "oauth_token":
        summary = "Signed in with CLAUDE_CODE_OAUTH_TOKEN"
    else:
        summary = f"Signed in ({said.get('authMethod')})"
    if said.get("apiKeySource"):
        detail = "Requests are billed to the key, not to a subscription."
        return warning(name, f"{summary}, by {said['apiKeySource']}", detail, f"unset {said['apiKeySource']}")
    ends = _moment(said.get("loginExpiresAt"))
    if ends is None:
        return ok(name, summary)
    left = ends - datetime.now(UTC)
    when = f"{ends.astimezone():%Y-%m-%d %H:%M}"
    if left.total_seconds() <= 0:
        return failed(name, f"{summary}, but the login ended {when}", "Requests may end with a 401.", sign_in[0])
    if left.days < SOON_DAYS:
        return warning(name, f"{summary}, until {when}", "Then requests end with a 401.", sign_in[0])
    return ok(name, f"{summary}, until {when}")


def check_contract(machine: Machine) -> Finding | None:
    """This CLI behaves like the tested version."""
    if machine.contract is None or isinstance(machine.cli, CliUnavailable):
        return None
    record = machine.contract(machine.cli)
    which = f"Claude Code {machine.cli.version_text}"
    if not record.fails:
        return ok("contract", f"{which} behaves as measured ({len(record.holds)} capabilities)")
    claude = _typed(machine.cli, machine.environ)
    if record.unsafe is not None:
        others = (source for path, source in candidates(machine.environ) if path != machine.cli.path)
        is_replaced = machine.cli.source != NAMED and BUNDLED in others
        instead = f"`serve` uses {BUNDLED} instead, where that passes." if is_replaced else "`serve` refuses it."
        return failed("contract", f"{which} must not be used: {record.unsafe}", instead, f"{claude} update")
    detail = "claude-max runs without the capabilities that fail; answers may be slower."
    return warning(
        "contract", f"{which} does not pass the whole contract check: {record.lacks}", detail, f"{claude} update"
    )


def _typed(cli: Cli, environ: Mapping[str, str]) -> str:
    """The command for this program: its name if a terminal would run it, else its path."""
    found = shutil.which("claude", path=_path(environ))
    same = found is not None and Path(found).resolve() == cli.path.resolve()
    return "claude" if same else shlex.quote(str(cli.path))


def _path(environ: Mapping[str, str]) -> str:
    return environ.get("PATH", os.defpath)


def _version(path: Path) -> str:
    try:
        return check(path, ON_PATH).version_text
    except CliTooOld:
        return "too old to be used"
    except CliUnavailable:
        return "broken: it does not run"


def _moment(text: object) -> datetime | None:
    """An ISO 8601 time, None where there is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
