"""The checks that need the network or a process: can the service be reached, does `claude` start.

No tokens are spent: a request without a login is sent, and a claude process is asked for its models.
"""

import asyncio
import subprocess
from collections.abc import Mapping
from pathlib import Path

import httpx2

from ..config import without_password
from ..engine.probe import queries
from ..errors import CliCrashed, CliUnavailable, NotSignedIn
from .finding import Finding, failed, ok, warning
from .machine import Machine

SERVICE = "https://api.anthropic.com"
REACH_SECONDS = 5.0
START_SECONDS = 10.0
LONGEST = 300


def check_start(machine: Machine) -> Finding | None:
    """A claude process starts and lists its models."""
    if isinstance(machine.cli, CliUnavailable) or machine.start is None:
        return None
    try:
        machine.start(machine.cli.path, machine.cli_environ())
    except NotSignedIn:
        return ok("start", "claude starts; it lists its models only when it is signed in")
    except CliCrashed as error:
        detail = "Every request starts or uses such a process. Run it by hand to see what it prints."
        return failed("start", f"claude does not start: {error.message}", detail, f"{machine.cli.path} -p hello")
    return ok("start", "claude starts and lists its models")


def check_network(machine: Machine) -> Finding | None:
    """The service can be reached; no request is sent to a model."""
    base = machine.environ.get("ANTHROPIC_BASE_URL") or SERVICE
    shown = without_password(base)
    if machine.reach is None:
        return ok("network", f"Whether {shown} can be reached is not known: no request was sent")
    why = machine.reach(base, machine.environ)
    if why is None:
        return ok("network", f"{shown} can be reached; no token was spent")
    proxy = next((name for name in ("HTTPS_PROXY", "https_proxy") if machine.environ.get(name)), None)
    detail = "Until it can be reached, every request fails." + (f" {proxy} is set." if proxy else "")
    return warning("network", f"{shown} cannot be reached: {why}", detail, f"curl -I {shown}")


def reach(url: str, environ: Mapping[str, str]) -> str | None:
    """Why no HTTP response comes from there; None if one comes. Uses the proxies that `environ` names."""
    proxy = environ.get("HTTPS_PROXY") or environ.get("https_proxy") if url.startswith("https") else None
    try:
        with httpx2.Client(timeout=REACH_SECONDS, trust_env=False, proxy=proxy) as http:
            http.head(url)
    except httpx2.TimeoutException:
        return f"no answer within {REACH_SECONDS:g} s"
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, OSError) as error:
        return str(error) or type(error).__name__
    return None


def start(program: Path, environ: Mapping[str, str]) -> None:
    """Starts a claude process and ends it. Raises CliCrashed, with what the CLI itself printed, and NotSignedIn."""
    try:
        asyncio.run(queries.cli_info(program, environ))
    except CliCrashed as error:
        said = _last_words(program, environ)
        raise CliCrashed(f"{error.message} It says: {said}" if said else error.message) from None


def _last_words(program: Path, environ: Mapping[str, str]) -> str:
    """The last line on stderr of a process with an empty stdin, which sends no request."""
    try:
        done = subprocess.run(
            [program, "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=START_SECONDS,
            env=dict(environ),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return lines[-1][:LONGEST] if lines else ""
