"""`install-agent`, `uninstall-agent` and `agent status|logs|restart`: the commands' words; the work is in `service/`.

Imports nothing heavy: the command tree loads this file at every start.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from .options import HELP, Json

if TYPE_CHECKING:
    from .output import Result
    from .service.manager import Manager
    from .service.steps import Machine

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be written and run, and change nothing.")]

agent = typer.Typer(no_args_is_help=True, help="The service that install-agent installed.", context_settings=HELP)


def add_to(app: typer.Typer) -> None:
    """Adds the service commands to the command tree."""
    app.command("install-agent")(install_agent)
    app.command("uninstall-agent")(uninstall_agent)
    app.add_typer(agent, name="agent")


def install_agent(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the service; else the configured one, else 3456.")
    ] = None,
    claude_path: Annotated[
        str | None, typer.Option(metavar="FILE", help="The claude program the service runs.")
    ] = None,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Have the proxy start by itself at login: a LaunchAgent on macOS, a systemd user unit on Linux."""
    from .service import actions

    _render(
        lambda manager, machine: actions.install(manager, machine, port=port, claude_path=claude_path, dry_run=dry_run),
        json=json,
        doing="Installing the service",
        dry_run=dry_run,
    )


def uninstall_agent(dry_run: DryRun = False, json: Json = False) -> None:
    """End the service and take its file away."""
    from .service import actions

    _render(lambda manager, machine: actions.uninstall(manager, machine, dry_run=dry_run), json=json, dry_run=dry_run)


@agent.command()
def status(json: Json = False) -> None:
    """Is it installed, loaded, running, and does it answer? Exit code 1 when it does not."""
    from .service import actions

    _render(lambda manager, _: actions.status(manager), json=json)


@agent.command()
def restart(json: Json = False) -> None:
    """Start the service anew, and wait until it answers."""
    from .service import actions

    _render(actions.restart, json=json, doing="Restarting the service")


@agent.command()
def logs(
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as new ones come.")] = False,
) -> None:
    """Print what the service logged last."""
    from .output import stop
    from .service import actions
    from .service.choose import choose
    from .service.spec import ServiceError
    from .service.steps import Machine

    machine = Machine()
    try:
        raise typer.Exit(actions.logs(choose(machine), machine, lines=lines, follow=follow))
    except ServiceError as error:
        stop(error.message, error.code)


def _render(
    command: "Callable[[Manager, Machine], Result]", *, json: bool, doing: str = "", dry_run: bool = False
) -> None:
    from .output import Exit, render, stop
    from .service.spec import ServiceError
    from .service.steps import Machine

    def run() -> "Result":
        machine = Machine()
        try:
            return command(_manager(machine, dry_run), machine)
        except ServiceError as error:
            stop(error.message, error.code, json=json)
        except OSError as error:
            stop(f"{error.filename}: {error.strerror}.", Exit.FAILED, json=json)

    render(run, json=json, doing=doing)


def _manager(machine: "Machine", dry_run: bool) -> "Manager":
    from .output import Exit, complain
    from .service.choose import choose, unasked
    from .service.spec import ServiceError

    try:
        return choose(machine)
    except ServiceError as error:
        # What would be written can be shown all the same.
        if dry_run and (there := unasked(machine)) is not None:
            complain(error.message, Exit.FAILED)
            return there
        raise
