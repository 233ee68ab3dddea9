"""Options that several commands share. Imports nothing heavy: it is loaded at every start."""

from typing import Annotated

import typer

HELP = {"help_option_names": ["-h", "--help"]}

Json = Annotated[bool, typer.Option("--json", help="Print JSON, also for errors.")]
Demo = Annotated[bool, typer.Option("--demo", help="No account needed: scripted answers, through the real CLI.")]
