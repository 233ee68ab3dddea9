"""`connect`, `disconnect`, `launch` and `env`: what the command line says.

Imports nothing heavy: the command tree loads this file at every start.
"""

from typing import Annotated

import typer

from .. import values
from ..help import Command
from ..options import Demo, Json

Name = Annotated[
    str, typer.Argument(metavar="NAME", autocompletion=values.clients, help="Name of a client in the list.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be written; change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Write without asking.")]
Model = Annotated[
    str | None,
    typer.Option("--model", "-m", metavar="NAME", autocompletion=values.models, help="Model to use; default: sonnet."),
]


def add_to(app: typer.Typer, *, run: str, set_up: str) -> None:
    """Adds the commands to the command tree, in two of its panels."""
    passed_on = {"ignore_unknown_options": True}
    app.command("connect", cls=Command, rich_help_panel=set_up)(connect)
    app.command("disconnect", cls=Command, rich_help_panel=set_up)(disconnect)
    app.command("launch", cls=Command, rich_help_panel=run, context_settings=passed_on)(launch)
    app.command("env", cls=Command, rich_help_panel=run)(env)


def connect(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", autocompletion=values.clients, help="Name of the client; without it, list all."),
    ] = None,
    model: Model = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Set up a client (an editor, an agent, a chat program) to use this proxy, in its own configuration file."""
    from ..output import Result, render
    from . import actions, here

    def run() -> Result:
        settings, _ = here.proxy()
        target = here.target(settings, model)
        if name is None:
            return actions.listed(here.surroundings(), here.store(), target)
        return actions.connect(
            name,
            here.surroundings(),
            here.store(),
            target,
            dry_run=dry_run,
            yes=yes,
            json=json,
            secret=settings.api_key is not None,
        )

    render(run, json=json)


def disconnect(name: Name, dry_run: DryRun = False, yes: Yes = False, json: Json = False) -> None:
    """Undo what `connect` wrote into a client's configuration, and nothing else."""
    from ..output import render
    from . import actions, here

    render(
        lambda: actions.disconnect(name, here.surroundings(), here.store(), dry_run=dry_run, yes=yes, json=json),
        json=json,
    )


def launch(
    name: Name,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="ARGS", help="Arguments for the client, after --.")
    ] = None,
    model: Model = None,
    demo: Demo = False,
) -> None:
    """Run a client against this proxy without changing its files; starts a proxy if none is running."""
    from .launch import launch as run

    run(name, arguments or (), model=model, demo=demo)


def env(
    shell: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", autocompletion=values.shells, help="bash, zsh, fish or powershell; default: your shell."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Print the variables that point OpenAI clients to this proxy: eval "$(claude-max env)"."""
    from ..output import render
    from . import here
    from .exports import exports

    render(lambda: exports(here.target(here.proxy()[0], None), shell), json=json)
