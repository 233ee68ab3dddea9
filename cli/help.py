"""The format of `--help`: options with their values, no column of types, commands in groups.

Fits 40 columns. The command tree loads this file at every start, so rich is imported only when help is shown.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# In a narrower terminal each description is below its option.
NARROW = 60
WIDTH = 80
Row = tuple[str, str]


class Command(TyperCommand):
    """A command whose help is printed by `show`."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Prints the help, as typer's own does: `formatter` stays empty."""
        show(self, ctx)


class Group(TyperGroup):
    """A group of commands whose help is printed by `show`."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Prints the help, as typer's own does: `formatter` stays empty."""
        show(self, ctx)


def show(command: TyperCommand | TyperGroup, ctx: Any) -> None:
    """Prints the help of one command, as wide as the terminal, or 80 columns."""
    import os
    import sys

    from rich.console import Console
    from rich.segment import SegmentLines

    from .output import trimmed

    bounded = "COLUMNS" in os.environ or sys.stdout.isatty()
    console = Console(width=None if bounded else WIDTH, highlight=False)
    for part in _parts(command, ctx, console):
        rows = [trimmed(row) for row in console.render_lines(part, pad=False)]
        console.print(SegmentLines(rows, new_lines=True), end="")


def _parts(command: TyperCommand | TyperGroup, ctx: Any, console: "Console") -> "Iterator[RenderableType]":
    from rich.text import Text

    yield Text.assemble(("Usage: ", "bold"), command.get_usage(ctx).removeprefix("Usage: "))
    if command.help:
        yield Text(f"\n{' '.join(command.help.split())}")
    for title, rows in _sections(command, ctx):
        yield Text(f"\n{title}", "bold")
        yield from _rows(rows, console.width)
    if command.epilog:
        yield Text(f"\n{command.epilog}")


def _sections(command: TyperCommand | TyperGroup, ctx: Any) -> Iterator[tuple[str, list[Row]]]:
    shown = [param for param in command.get_params(ctx) if not getattr(param, "hidden", False)]
    arguments = [_argument(param) for param in shown if isinstance(param, TyperArgument)]
    options = [_option(param, ctx) for param in shown if isinstance(param, TyperOption)]
    if arguments:
        yield "Arguments", arguments
    if isinstance(command, TyperGroup):
        groups: dict[str, list[Row]] = {}
        for name in command.list_commands(ctx):
            each: Any = command.get_command(ctx, name)
            if not each.hidden:
                panel = each.rich_help_panel if isinstance(each.rich_help_panel, str) else "Commands"
                groups.setdefault(panel, []).append((name, (each.short_help or each.help or "").split("\n\n")[0]))
        yield from groups.items()
    yield "Options", options


def _argument(param: TyperArgument) -> Row:
    name = (param.metavar or param.name or "").upper()
    return (name if param.required else f"[{name}]", param.help or "")


def _option(param: TyperOption, ctx: Any) -> Row:
    names = ", ".join(sorted(param.opts, key=len, reverse=True))
    value = "" if param.is_flag else f" {param.metavar or (param.name or '').upper()}"
    default = param._extract_default_help_str(ctx=ctx) if param.show_default else None  # noqa: SLF001 - has no other way
    shown = f" [default: {default}]" if default not in (None, "", False) and not param.is_flag else ""
    return f"{names}{value}", f"{param.help or ''}{shown}"


def _rows(rows: Sequence[Row], width: int) -> "Iterator[RenderableType]":
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    if width < NARROW:
        for name, text in rows:
            yield Text(f"  {name}", "bold", overflow="fold")
            yield Padding(Text(" ".join(text.split())), (0, 0, 0, 4))
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, text in rows:
        table.add_row(f"  {name}", Text(" ".join(text.split())))
    yield table
