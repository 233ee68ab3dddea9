"""The command line of `service status|logs|restart|install|uninstall`, `install-agent` and `uninstall-agent`.

Imports nothing heavy: the command tree loads this file at every start.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from ..help import Command, Group
from ..options import HELP, Json

if TYPE_CHECKING:
    from ..output import Result
    from .manager import Manager
    from .steps import Machine

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be written and run; change nothing.")]

service = typer.Typer(cls=Group, no_args_is_help=True, context_settings=HELP)


def add_to(app: typer.Typer, *, panel: str) -> None:
    """Adds the service commands to the command tree."""
    app.command("install-agent", cls=Command, rich_help_panel=panel)(install_agent)
    app.command("uninstall-agent", cls=Command, rich_help_panel=panel)(uninstall_agent)
    app.add_typer(
        service, name="service", help="Run the proxy as a service that starts at login.", rich_help_panel=panel
    )
    app.command("agent", hidden=True, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(
        _agent
    )
    service.command("install", cls=Command)(install_agent)
    service.command("uninstall", cls=Command)(uninstall_agent)


def install_agent(
    port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, metavar="PORT", help="Port of the service; default: the configured port, or 3456."
        ),
    ] = None,
    claude_path: Annotated[
        str | None, typer.Option(metavar="FILE", help="The claude program the service runs.")
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Start the proxy at login: a LaunchAgent on macOS, a systemd user unit on Linux."""
    from . import actions

    _render(
        lambda manager, machine: actions.install(manager, machine, port=port, claude_path=claude_path, dry_run=dry_run),
        json=json,
        doing="Installing the service",
        dry_run=dry_run,
    )


def uninstall_agent(dry_run: DryRun = False, json: Json = False) -> None:
    """Stop the service and remove its file."""
    from . import actions

    _render(lambda manager, machine: actions.uninstall(manager, machine, dry_run=dry_run), json=json, dry_run=dry_run)


@service.command(cls=Command)
def status(json: Json = False) -> None:
    """Show whether the service is installed, loaded, running and answering; exit code 1 if not."""
    from . import actions

    _render(lambda manager, _: actions.status(manager), json=json)


@service.command(cls=Command)
def restart(json: Json = False) -> None:
    """Restart the service, and wait until it answers."""
    from . import actions

    _render(actions.restart, json=json, doing="Restarting the service")


@service.command(cls=Command)
def logs(
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, metavar="N", help="Number of lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow new lines.")] = False,
) -> None:
    """Print the last lines of the service's log."""
    from ..output import fail
    from . import actions
    from .choose import choose
    from .spec import ServiceError
    from .steps import Machine

    machine = Machine()
    try:
        raise typer.Exit(actions.logs(choose(machine), machine, lines=lines, follow=follow))
    except ServiceError as error:
        fail(error.message, error.code)


def _agent(context: typer.Context) -> None:
    """The old name of `service`."""
    from ..output import Exit, fail

    words = " ".join(("claude-max service", *context.args[:1]))
    fail(f"`claude-max agent` is now called `claude-max service`: run `{words}`.", Exit.USAGE)


def _render(
    command: "Callable[[Manager, Machine], Result]", *, json: bool, doing: str = "", dry_run: bool = False
) -> None:
    from ..output import Exit, fail, render
    from .spec import ServiceError
    from .steps import Machine

    def run() -> "Result":
        machine = Machine()
        try:
            return command(_manager(machine, dry_run), machine)
        except ServiceError as error:
            fail(error.message, error.code, json=json)
        except OSError as error:
            fail(f"{error.filename}: {error.strerror}.", Exit.FAILED, json=json)

    render(run, json=json, doing=doing)


def _manager(machine: "Machine", dry_run: bool) -> "Manager":
    from ..output import Exit, print_error
    from .choose import choose, unasked
    from .spec import ServiceError

    try:
        return choose(machine)
    except ServiceError as error:
        # A dry run can still show what would be written.
        if dry_run and (there := unasked(machine)) is not None:
            print_error(error.message, Exit.FAILED)
            return there
        raise
