"""`claude-max check`: runs the contract check on a CLI: the one in use, one at a path, or the newest release.

No account, no tokens. The result is not remembered; `serve` runs its own check.
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from claude_max.proxy.config import load
from claude_max.proxy.engine.probe.contract import CAPABILITIES, ContractResult, examine
from claude_max.proxy.engine.probe.locate import NAMED, TOO_OLD, Cli, identify, locate
from claude_max.proxy.engine.wire.versions import MINIMUM, TESTED, dotted
from claude_max.proxy.errors import CliUnavailable

from .newest import PACKAGE, download
from .output import Exit, Result, fail, render


@dataclass(frozen=True, slots=True)
class Capability:
    """One capability: what was tried, whether it works, and what was observed if it does not."""

    name: str
    about: str
    holds: bool
    why: str | None


@dataclass(frozen=True, slots=True)
class Checked(Result):
    """The result for one CLI.

    `unsafe` says why `serve` would refuse it, None if it would not. `package` is the version of claude-agent-sdk that
    it came with, if it was downloaded.
    """

    version: str
    path: str
    source: str
    package: str | None
    tested: str
    unsafe: str | None
    capabilities: tuple[Capability, ...]

    @property
    def exit(self) -> Exit:
        """FINE if everything works, NO_CLI if `serve` would refuse it, else FAILED."""
        if self.unsafe is not None:
            return Exit.NO_CLI
        return Exit.FINE if all(each.holds for each in self.capabilities) else Exit.FAILED

    def data(self) -> dict[str, Any]:
        """The fields, and `ok`: everything works."""
        # Not `super()`: a dataclass with slots replaces the class that `super()` refers to.
        return {"ok": self.exit is Exit.FINE, **Result.data(self)}

    def view(self) -> Iterable[RenderableType]:
        """The CLI, one row per capability, and what the result means."""
        where = f"of {PACKAGE} {self.package}" if self.package else f"at {self.path}"
        yield Text.assemble((f"Claude Code {self.version}", "bold"), f" {where} ({self.source})")
        table = Table.grid(padding=(0, 1))
        for each in self.capabilities:
            mark = Text("✓", "green") if each.holds else Text("✗", "red")
            about = Text(each.about, "dim") if each.why is None else Text(each.why, "yellow")
            about.overflow = "fold"
            table.add_row(mark, Text(each.name, "bold"), about)
        yield table
        yield Text()
        yield self._summary()

    def _summary(self) -> Text:
        if self.unsafe is not None:
            return Text(f"`claude-max serve` would refuse it: {self.unsafe}", "bold red")
        lost = [each.name for each in self.capabilities if not each.holds]
        if lost:
            return Text(f"It can be used; claude-max runs without {', '.join(lost)}", "bold yellow")
        known = "" if self.version == self.tested else f" (claude-max is tested with {self.tested})"
        return Text(f"All {len(self.capabilities)} capabilities hold{known}", "bold green")


def check(path: str | None, *, newest: bool, json: bool) -> NoReturn:
    """Checks the CLI at `path`, else the newest release, else the one in use. Exits as Checked says."""
    if newest and path is not None:
        fail("Give a PATH or --newest, not both.", Exit.USAGE, json=json)
    if newest:
        render(_newest, json=json, doing=f"Downloading the newest {PACKAGE}, and checking its CLI…")
    render(lambda: _checked(_chosen(path)), json=json, doing="Checking…")


def _newest() -> Checked:
    with tempfile.TemporaryDirectory(prefix="claude-max-newest-", ignore_cleanup_errors=True) as folder:
        found = download(Path(folder))
        return _checked(identify(found.program, "the package index"), found.version)


def _chosen(path: str | None) -> Cli:
    """The CLI at a path, with a name on PATH, or the one that `serve` would use."""
    if path is None:
        return locate(load().claude_path, os.environ)
    return identify(Path(shutil.which(path) or path).expanduser(), NAMED)


def _checked(cli: Cli, package: str | None = None) -> Checked:
    try:
        # As an absolute path: the check runs it in another folder.
        result = asyncio.run(examine(cli.path.absolute(), os.environ.get("PATH", os.defpath)))
    except OSError as error:
        raise CliUnavailable(f"The contract check needs a temporary folder: {error.strerror or error}.") from None
    capabilities = tuple(
        Capability(name, about, name in result.holds, result.fails.get(name)) for name, about in CAPABILITIES.items()
    )
    return Checked(
        cli.version_text, str(cli.path), cli.source, package, dotted(TESTED), _unsafe(cli, result), capabilities
    )


def _unsafe(cli: Cli, result: ContractResult) -> str | None:
    return TOO_OLD if cli.version < MINIMUM else result.unsafe
