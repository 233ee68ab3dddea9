"""The command tree. Each command is a thin wrapper; the work is in its own module, imported when it runs."""

import sys
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from . import values
from .connect import commands as connect
from .help import Command, Group
from .options import HELP, Demo, Json
from .service import commands as service
from .signals import loading, undo_when_terminated

RUN, SET_UP, INSPECT = "Run", "Set up", "Inspect"

app = typer.Typer(
    name="claude-max",
    cls=Group,
    help="Your Claude Code login as an OpenAI-compatible endpoint on your own machine.",
    no_args_is_help=True,
    epilog="Exit codes: 0 fine, 1 failed, 2 wrong arguments or settings, 3 no usable claude, "
    "4 claude is not signed in, 5 the port is in use, 6 the proxy requires another key.",
    pretty_exceptions_enable=False,
    context_settings=HELP,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        from .update_check import notice

        typer.echo(f"claude-max {version('claude-max-toolkit')}")
        # Not on stdout, which programs read.
        if (newer := notice()) is not None:
            typer.echo(newer, err=True)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Your Claude Code login as an OpenAI-compatible endpoint on your own machine."""


@app.command(cls=Command, rich_help_panel=RUN)
def serve(
    host: Annotated[str | None, typer.Option(metavar="ADDRESS", help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="PORT", help="Port to listen on; 0 picks a free one.")
    ] = None,
    also_listen: Annotated[
        list[int] | None,
        typer.Option(metavar="PORT", help="Another port to listen on, such as ollama's 11434 (repeatable)."),
    ] = None,
    claude_path: Annotated[str | None, typer.Option(metavar="FILE", help="The claude program to run.")] = None,
    log_level: Annotated[
        str | None,
        typer.Option(metavar="LEVEL", autocompletion=values.log_levels, help="debug, info, warning or error."),
    ] = None,
    log_format: Annotated[
        str | None,
        typer.Option(metavar="FORM", autocompletion=values.log_formats, help="text, json, or auto."),
    ] = None,
    log_content: Annotated[bool, typer.Option("--log-content", help="Also log prompts and answers.")] = False,
    timeout: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Seconds a model may send nothing before a turn fails.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, metavar="N", help="Maximum number of claude processes.")] = None,
    warm_workers: Annotated[int | None, typer.Option(min=0, metavar="N", help="Claude processes kept ready.")] = None,
    drain_timeout: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="Seconds that running answers get at shutdown.")
    ] = None,
    allowed_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Another Host name that requests may use (repeatable).")
    ] = None,
    cors_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", help="A web origin that may call, such as http://localhost:* (repeatable)."),
    ] = None,
    demo: Demo = False,
    max_workers: Annotated[str | None, typer.Option(hidden=True)] = None,
    warm: Annotated[str | None, typer.Option(hidden=True)] = None,
    drain: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Answer OpenAI clients at http://localhost:3456/v1, in the foreground."""
    with loading():
        from .serve import serve as run_server

    run_server(
        demo=demo,
        host=host,
        port=port,
        also_listen=also_listen or None,
        claude_path=claude_path,
        log_level=log_level,
        log_format=log_format,
        log_content=log_content or None,
        timeout=timeout,
        workers=workers,
        warm_workers=warm_workers,
        drain_timeout=drain_timeout,
        allowed_hosts=allowed_host or None,
        cors_origins=cors_origin or None,
        # Old names: `serve` refuses them and names the new ones.
        max_workers=max_workers,
        warm=warm,
        drain=drain,
    )


@app.command(
    cls=Command, rich_help_panel=RUN, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
def start(context: typer.Context, json: Json = False) -> None:
    """Start the proxy in the background. Takes the options of `claude-max serve`."""
    from .background import start as start_server

    start_server(context.args, json=json)


@app.command(cls=Command, rich_help_panel=RUN)
def stop(json: Json = False) -> None:
    """Stop the proxy that `claude-max start` started."""
    from .background import stop as stop_server

    stop_server(json=json)


@app.command(cls=Command, rich_help_panel=RUN)
def chat(
    question: Annotated[
        str | None,
        typer.Argument(help="Question; without one, a conversation. Text on stdin comes first; - is stdin."),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="NAME", autocompletion=values.models, help="Model to use.")
    ] = "default",
    system: Annotated[str, typer.Option("--system", "-s", metavar="TEXT", help="The system prompt.")] = "",
    effort: Annotated[
        str,
        typer.Option(
            metavar="LEVEL", autocompletion=values.efforts, help="none (no thinking), low, medium, high, xhigh or max."
        ),
    ] = "none",
    image: Annotated[
        list[str] | None, typer.Option("--image", metavar="FILE", help="Image to attach to the question (repeatable).")
    ] = None,
    file: Annotated[
        list[str] | None,
        typer.Option("--file", metavar="FILE", help="Text or PDF file to attach to the question (repeatable)."),
    ] = None,
    schema: Annotated[
        str | None, typer.Option(metavar="FILE|JSON", help="A JSON Schema that the answer must satisfy.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--continue", "-c", help="Continue the last conversation, with its model and system prompt.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the whole completion object.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Print Markdown unrendered.")] = False,
    demo: Demo = False,
) -> None:
    """Talk to Claude: a conversation, or one question and its answer."""
    from .chat.command import chat as run_chat

    run_chat(
        question,
        model=model,
        system=system,
        effort=effort,
        images=image or (),
        files=file or (),
        schema=schema,
        json=json,
        raw=raw,
        demo=demo,
        resume=resume,
    )


connect.add_to(app, run=RUN, set_up=SET_UP)


@app.command(cls=Command, rich_help_panel=SET_UP)
def login(
    token: Annotated[
        bool, typer.Option("--token", help="Create a long-lived token, for a service or a machine without a browser.")
    ] = False,
) -> None:
    """Sign in to Claude Code with `claude auth login`, even if `claude` is not on PATH."""
    from .login import login as sign_in

    sign_in(token=token)


service.add_to(app, panel=SET_UP)

config = typer.Typer(cls=Group, no_args_is_help=True, context_settings=HELP)
app.add_typer(config, name="config", help="Show and change the settings.", rich_help_panel=SET_UP)


@config.command("path", cls=Command)
def config_path(json: Json = False) -> None:
    """Print where the configuration file is, or would be."""
    from .config import path

    path(json=json)


@config.command("init", cls=Command)
def config_init(json: Json = False) -> None:
    """Write a configuration file that lists every setting, commented out."""
    from .config_edit import init

    init(json=json)


@config.command("edit", cls=Command)
def config_edit() -> None:
    """Open the configuration file in your editor, and check it afterwards."""
    from .config_edit import edit

    edit()


SettingName = Annotated[
    str, typer.Argument(metavar="NAME", autocompletion=values.settings, help="A setting, or one alias: aliases.NAME.")
]


@config.command("set", cls=Command)
def config_set(
    name: SettingName,
    value: Annotated[str, typer.Argument(metavar="VALUE", help='The value; "-" reads it from stdin.')],
    json: Json = False,
) -> None:
    """Set one setting in the configuration file; comments are kept."""
    from .config_edit import set_value

    set_value(name, value, json=json)


@config.command("unset", cls=Command)
def config_unset(name: SettingName, json: Json = False) -> None:
    """Remove one setting from the configuration file; its default applies again."""
    from .config_edit import unset

    unset(name, json=json)


@config.command("validate", cls=Command)
def config_validate(json: Json = False) -> None:
    """Check the configuration file and the CLAUDE_MAX_* variables."""
    from .config import validate

    validate(json=json)


@config.command("show", cls=Command)
def config_show(json: Json = False) -> None:
    """Show every setting with its value and where it comes from."""
    from .config import show

    show(json=json)


@app.command(cls=Command, rich_help_panel=INSPECT)
def status(
    json: Json = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep the output up to date until Ctrl-C.")] = False,
    web: Annotated[bool, typer.Option("--web", help="Open the server's page in a browser.")] = False,
) -> None:
    """Show which server is running and what it is doing. Exit code 0 if a request would be answered."""
    from .status import status as show

    show(json=json, watch=watch, web=web)


@app.command(cls=Command, rich_help_panel=INSPECT)
def logs(
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, metavar="N", help="Number of lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Follow new lines.")] = False,
) -> None:
    """Print the log of the background server or of the service."""
    from .logs import logs as show

    show(lines=lines, follow=follow)


@app.command(cls=Command, rich_help_panel=INSPECT)
def doctor(
    json: Json = False,
    list_checks: Annotated[bool, typer.Option("--list-checks", help="List the available checks, and exit.")] = False,
    check: Annotated[
        list[str] | None,
        typer.Option("--check", metavar="NAME", autocompletion=values.checks, help="Run only this check (repeatable)."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Also send one tiny request through the running proxy; spends a few tokens.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Print a report for an issue, without anything private.")
    ] = False,
    fix: Annotated[
        bool,
        typer.Option("--fix", help="First rewrite old names in the configuration file and the installed service."),
    ] = False,
) -> None:
    """Find out what is wrong, and the command that fixes it. Spends no tokens without --live."""
    from .doctor import doctor as examine

    examine(json=json, list_checks=list_checks, only=check or (), live=live, fix=fix, report=report)


@app.command(cls=Command, rich_help_panel=INSPECT)
def check(
    path: Annotated[
        str | None,
        typer.Argument(metavar="PATH", help="Path of a claude program; default: the one that `serve` would run."),
    ] = None,
    newest: Annotated[
        bool, typer.Option("--newest", help="Download the newest release, check it, and delete it.")
    ] = False,
    json: Json = False,
) -> None:
    """Check whether a Claude Code CLI does what claude-max relies on. No account, no tokens."""
    from .check import check as examine

    examine(path, newest=newest, json=json)


@app.command(cls=Command, rich_help_panel=INSPECT)
def models(json: Json = False) -> None:
    """Show the models that this login offers, and the names that clients may use."""
    from .models import models as show

    show(json=json)


@app.command(cls=Command, rich_help_panel=INSPECT)
def usage(
    by: Annotated[
        str | None,
        typer.Option(metavar="WHAT", autocompletion=values.groups, help="Group by model, client, day or dialect."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Start of the period: 36h, 7d, 2w or a date (default 30 days).")
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Print the sums as CSV.")] = False,
    json: Json = False,
) -> None:
    """Show how much of your plan's limits is used, and what your requests would cost at list price."""
    from .usage import usage as show

    show(json=json, by=by, since=since, csv=csv)


@app.command(cls=Command, rich_help_panel=INSPECT)
def explain(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A request body as JSON; - is stdin.")],
    api: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", autocompletion=values.apis, help="API of the request; default: guessed from its fields."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show what Claude Code would send for a request, and where each byte comes from. No account, no tokens."""
    from .explain.command import explain as show

    show(file, api=api, json=json)


@app.command(cls=Command, rich_help_panel=INSPECT)
def purge(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME", autocompletion=values.stored, help="What to remove, or all; without a name, only show it."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Show what is stored on this machine, or remove it."""
    from .stored import purge as remove

    remove(names or (), json=json)


@app.command(cls=Command, rich_help_panel=INSPECT)
def version() -> None:
    """Show the version."""
    _version(True)


@app.command("help", cls=Command, rich_help_panel=INSPECT)
def help_of(
    context: typer.Context, words: Annotated[list[str] | None, typer.Argument(metavar="COMMAND")] = None
) -> None:
    """Show the help of a command."""
    from .output import Exit, fail

    assert context.parent is not None
    found: Any = context.parent.command
    inside: Any = context.parent
    for word in words or ():
        each = found.get_command(inside, word) if isinstance(found, Group) else None
        if each is None:
            fail(f"Unknown command {' '.join(words or ())!r}. `claude-max help` lists the commands.", Exit.USAGE)
        inside = typer.Context(each, info_name=word, parent=inside)
        found = each
    typer.echo(found.get_help(inside))


def run() -> None:
    """The entry point of the `claude-max` command."""
    if {"--install-completion", "--show-completion"} & set(sys.argv):
        from .completion import patch_zsh

        patch_zsh()
    command = typer.main.get_command(app)
    undo_when_terminated()
    if "--json" not in sys.argv:
        command()
    try:
        # With --json, wrong arguments are an error object too.
        sys.exit(command(standalone_mode=False))
    except TyperException as error:
        from .output import print_error

        print_error(error.format_message(), error.exit_code, json=True)
        sys.exit(error.exit_code)
