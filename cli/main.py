"""The command tree. Each command is a thin wrapper; the work is in its own module, imported when it runs."""

from typing import Annotated

import typer

app = typer.Typer(
    name="claude-max",
    help="Your Claude Code login as an OpenAI-compatible endpoint on your own machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"claude-max {version('claude-max-toolkit')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Your Claude Code login as an OpenAI-compatible endpoint on your own machine."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1 and ::1]")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.  [default: 3456]")
    ] = None,
    claude_path: Annotated[str | None, typer.Option(metavar="FILE", help="The claude program to run.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.  [default: info]")] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds a model may send nothing before a turn fails.  [default: 300]")
    ] = None,
    warm: Annotated[int | None, typer.Option(min=0, help="Claude processes kept ready.  [default: 2]")] = None,
    max_workers: Annotated[int | None, typer.Option(min=1, help="Claude processes at most.  [default: 8]")] = None,
    drain: Annotated[
        float | None, typer.Option(min=0, help="Seconds that answers get at shutdown.  [default: 4]")
    ] = None,
    allowed_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Another Host name that requests may use (repeatable).")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="No account needed: scripted answers, through the real CLI.")
    ] = False,
) -> None:
    """Answer OpenAI clients at http://localhost:3456/v1, in the foreground."""
    from .serve import serve as run_server

    run_server(
        demo=demo,
        host=host,
        port=port,
        claude_path=claude_path,
        log_level=log_level,
        timeout=timeout,
        warm=warm,
        max_workers=max_workers,
        drain=drain,
        allowed_hosts=allowed_host or None,
    )


def run() -> None:
    """The entry point of the `claude-max` command."""
    app()
