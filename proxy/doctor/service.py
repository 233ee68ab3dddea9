"""The checks of the service that starts at login: it is running, and `claude` works in its environment.

A service has a different environment than a terminal. That is the most frequent reason why it fails although `serve` by
hand does not, so the checks are repeated with the service's environment.
"""

from importlib.metadata import version

from .. import renamed
from ..engine.probe.locate import locate
from ..errors import CliUnavailable
from .claude import login_finding
from .finding import Finding, Status, failed, ok, warning
from .machine import Machine, ServiceRecord


def check_service(machine: Machine) -> Finding | None:
    """The service that starts at login is installed, loaded and running."""
    if machine.service is None:
        return None
    record = machine.service()
    if record is None:
        return ok("service", "Not installed; `claude-max install-agent` makes the proxy start at login")
    if old := renamed.variables(record.environ):
        names = "; ".join(renamed.now_called(*each) for each in old.items())
        detail = "It keeps running, but a service file should only contain current names."
        return warning("service", f"{record.unit} uses an old name: {names}", detail, renamed.FIX)
    if found := _program(record):
        return found
    if not record.loaded:
        detail = "The service manager does not know it, so it does not start."
        return failed("service", f"{record.unit} is there, but not loaded", detail, "claude-max install-agent")
    if not record.running:
        detail = "It stopped or could not start; its log says why."
        fix = ("claude-max service logs", "claude-max service restart")
        return failed("service", f"{record.unit} is loaded, but not running", detail, *fix)
    return ok("service", f"{record.unit} is loaded and running")


def _program(record: ServiceRecord) -> Finding | None:
    """Problems of the claude-max that the service file names, if any."""
    if record.program is None:
        return None
    install = "claude-max install-agent"
    if not record.program.exists():
        summary = f"The service runs {record.program}, which does not exist"
        detail = "It was moved or removed. Install the service again, or remove it."
        return failed("service", summary, detail, install, "claude-max uninstall-agent")
    installed = version("claude-max-toolkit")
    if record.version not in (None, installed):
        summary = f"The service runs claude-max {record.version} ({record.program}); this is {installed}"
        return warning(
            "service", summary, "Two versions are installed. This command makes the service run this one.", install
        )
    return None


def check_service_environment(machine: Machine) -> Finding | None:
    """`claude` is found and signed in, in the service's own environment."""
    record = machine.service() if machine.service is not None else None
    if record is None:
        return None
    name = "service-environment"
    explicit = record.claude_path
    try:
        cli = locate(explicit, record.environ)
    except CliUnavailable as error:
        return failed(name, error.message, "The service's PATH is not your terminal's.", "claude-max install-agent")
    login = login_finding(name, machine, cli, machine.cli_environ(record.environ))
    if login.status is Status.FAILED:
        return failed(name, f"In the service: {login.summary}", login.detail, *login.fix, "claude-max service restart")
    here = machine.cli
    if not isinstance(here, CliUnavailable) and here.path.resolve() != cli.path.resolve():
        summary = f"The service runs {cli.path} ({cli.version_text}), not {here.path} ({here.version_text})"
        return warning(name, summary, "Install it again to use the same one as a terminal.", "claude-max install-agent")
    return ok(name, f"In the service: {cli.path}. {login.summary}")
