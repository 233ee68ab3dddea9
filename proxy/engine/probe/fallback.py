"""Chooses another CLI if the one that was found must not be used. May run contract checks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ...errors import CliUnavailable
from .contract import ContractResult
from .locate import BUNDLED, Cli, candidates, check


@dataclass(frozen=True, slots=True)
class UsableCli:
    """A CLI that passed the contract check. `notice` says in one sentence why it is not the one found first."""

    cli: Cli
    contract: ContractResult
    notice: str = ""


async def usable(
    cli: Cli, verify: Callable[[Cli], Awaitable[ContractResult]], environ: Mapping[str, str], *, is_explicit: bool
) -> UsableCli:
    """`cli` where it passes, else the one of the [cli] extra where that passes.

    One that the user named (`is_explicit`) is never replaced. Raises the CliUnavailable of `cli` where neither passes.
    """
    try:
        return UsableCli(cli, await verify(cli))
    except CliUnavailable as error:
        if is_explicit:
            raise
        for path, source in candidates(environ):
            if source != BUNDLED or path == cli.path:
                continue
            try:
                other = check(path, source)
                contract = await verify(other)
            except CliUnavailable:
                break
            notice = f"{cli.path} is not used. {error.message} Claude Code {other.version_text} of {source} serves."
            return UsableCli(other, contract, notice)
        raise
