"""`claude-max launch`: runs a client against the proxy without changing its files.

The client gets its settings from variables, arguments, or copies of its files in a folder that is removed afterwards.
If no proxy is running, one is started for as long as the client runs.
"""

import asyncio
import contextlib
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import typer

from claude_max.proxy.config import ConfigError, Settings
from claude_max.proxy.errors import CliUnavailable
from claude_max.proxy.text_files import replace_text

from ..output import Exit, fail
from ..signals import BY_SIGNAL
from . import here
from .catalogue import catalogue, recipe_of
from .change import applied
from .fill import filled
from .formats.json_scan import Unreadable
from .formats.steps import Unfit
from .places import Refused, Surroundings, target_of, text_of
from .recipe import Recipe, Target

# Agents request titles in parallel, and some run several agents at once.
WORKERS = 4


def launch(name: str, arguments: Sequence[str], *, model: str | None, demo: bool) -> NoReturn:
    """Runs a client to its end, and exits with its exit code."""
    try:
        recipe = recipe_of(name)
        program = _program(recipe)
        settings, answers = here.proxy()
        if answers and not demo:
            code = asyncio.run(_run(recipe, program, arguments, here.target(settings, model)))
        else:
            code = asyncio.run(_with_proxy(recipe, program, arguments, settings, model, demo=demo))
    except ConfigError as error:
        fail(str(error), Exit.USAGE)
    except CliUnavailable as error:
        fail(error.message, Exit.NO_CLI)
    except OSError as error:
        fail(f"{error.filename or name}: {error.strerror}", Exit.FAILED)
    raise typer.Exit(code if code >= 0 else BY_SIGNAL - code)


def _program(recipe: Recipe) -> str:
    if recipe.launch is None:
        able = ", ".join(each.name for each in catalogue().values() if each.launch is not None)
        raise ConfigError(
            f"{recipe.title} cannot be launched with separate settings: `claude-max connect {recipe.name}` says how "
            f"it is set up. Those that can: {able}."
        )
    found = next((path for name in recipe.programs if (path := shutil.which(name))), None)
    if found is None:
        raise ConfigError(f"{recipe.title} is not on PATH: install `{recipe.programs[0]}`, then launch it again.")
    return found


async def _with_proxy(
    recipe: Recipe, program: str, arguments: Sequence[str], settings: Settings, model: str | None, *, demo: bool
) -> int:
    # Importing the whole proxy takes half a second, which is not needed if one is running.
    from ..embedded import embedded

    async with embedded(settings, demo=demo, workers=WORKERS) as proxy:
        return await _run(recipe, program, arguments, Target(proxy.url, proxy.key, model or here.MODEL))


async def _run(recipe: Recipe, program: str, arguments: Sequence[str], target: Target) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="claude-max-launch-", ignore_cleanup_errors=True) as folder,
        _its_own_ctrl_c(),
    ):
        words, environ = prepared(recipe, target, here.surroundings(), Path(folder))
        # In this terminal, with its stdin, stdout and stderr.
        process = await asyncio.create_subprocess_exec(program, *words, *arguments, env=environ)
        try:
            return await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise


def prepared(
    recipe: Recipe, target: Target, surroundings: Surroundings, folder: Path
) -> tuple[list[str], Mapping[str, str]]:
    """The arguments and the environment, with copies of files written to `folder`. Raises ConfigError."""
    assert recipe.launch is not None
    for file, name in zip(recipe.files, recipe.launch.copies, strict=False):
        path = surroundings.where(file)
        try:
            text, _ = applied(file, text_of(target_of(path)) or "", target)
        except (Refused, Unreadable, Unfit) as error:
            raise ConfigError(f"{path} cannot be used: {error}") from None
        replace_text(folder / name, text)
    more = {"folder": str(folder)}
    environ = {name: value for name, value in surroundings.environ.items() if name not in recipe.launch.unset}
    environ |= {name: str(filled(value, target, **more)) for name, value in recipe.launch.environ.items()}
    return [str(filled(word, target, **more)) for word in recipe.launch.arguments], environ


@contextlib.contextmanager
def _its_own_ctrl_c() -> Iterator[None]:
    """Leaves Ctrl-C to the client: many ask for confirmation, or only stop their answer."""
    old = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)
