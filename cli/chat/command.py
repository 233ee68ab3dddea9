"""The command line of `claude-max chat`: reads it, and chooses a conversation or a single question.

The only file here that reads stdin, catches signals and ends the program.
"""

import asyncio
import signal
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from claude_max.proxy.config import ConfigError, Settings, load

from ..output import Exit, fail
from ..signals import BY_SIGNAL, call_when_terminated
from . import attach, commands, store
from .client import Failure, Unfit
from .commands import Unusable
from .connect import connected
from .session import Attachment, Session

if TYPE_CHECKING:
    from .schema import Schema


@dataclass(frozen=True, slots=True)
class Options:
    """The command line, read."""

    text: str
    session: Session
    schema: "Schema | None"
    json: bool
    raw: bool
    demo: bool


def chat(
    question: str | None,
    *,
    model: str,
    system: str,
    effort: str,
    images: Sequence[str],
    files: Sequence[str],
    schema: str | None,
    json: bool,
    raw: bool,
    demo: bool,
    resume: bool = False,
) -> None:
    """Answers one question, or starts a conversation if there is no question and a terminal. Exits as Exit says."""
    try:
        settings = load()
        level = commands.effort(effort)
        # Only one of them can read stdin; the rest would find it empty.
        if sum(each == attach.STDIN for each in (question, schema, *images, *files)) > 1:
            raise Unusable('Only one option can read stdin ("-").')
        taken = attach.STDIN in (schema, *images, *files)
        attached: list[Attachment] = [*map(attach.image, images), *map(attach.file, files)]
        session = Session(model, system, level, attached=attached)
        found = None if schema is None else _schema(schema)
        if resume:
            store.load(session)
        context = "" if taken or (sys.stdin.isatty() and question != attach.STDIN) else piped()
        text = asked(None if question == attach.STDIN else question, context)
        if not text and (json or schema is not None or not sys.stdin.isatty()):
            raise Unusable('No question given: `claude-max chat "…"`, or text on stdin.')
    except (Unusable, ConfigError) as error:
        fail(str(error), Exit.USAGE, json=json)
    options = Options(text, session, found, json, raw, demo)
    try:
        run(_main(options, settings))
    except Unfit as error:
        # The answer is already on stdout.
        fail(str(error), error.exit)
    except Failure as error:
        fail(str(error), error.exit, json=json, api=error)


def _schema(name: str) -> "Schema":
    # The validator is slow to load, and few questions have a schema.
    from .schema import schema

    return schema(name)


async def _main(options: Options, settings: Settings) -> None:
    async with connected(settings, demo=options.demo) as connection:
        if not options.text:
            from .interactive import Chat

            await Chat(connection, options.session, raw=options.raw, keep=settings.history).run()
            return
        from .oneshot import answer, completion

        question = options.session.question(options.text)
        if options.json:
            await completion(connection.client, options.session, question, options.schema)
        else:
            await answer(connection.client, options.session, question, options.schema, raw=options.raw)
        if settings.history and not connection.scripted:
            store.save(options.session)


def asked(question: str | None, context: str) -> str:
    """The user message: piped input first, then the question. Blank ones are left out."""
    return "\n\n".join(text for text in (context.strip("\n"), question or "") if text.strip())


def piped() -> str:
    """All of stdin. Raises Unusable when it is not UTF-8 text."""
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable("stdin is not UTF-8 text. Use --image or --file for an image or a PDF.") from None
    return text.replace("\r\n", "\n")


def run(work: Coroutine[Any, Any, None]) -> None:
    """Runs `work`; a signal that would end the program cancels it first, so no claude process is left behind."""
    received: list[int] = []

    async def main() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def stop(number: int) -> None:
            # Once: a second time would cancel what cleans up.
            if not received:
                task.cancel()
            received.append(number)

        call_when_terminated(loop, stop)
        await work

    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        _ended(signal.SIGINT)
    except asyncio.CancelledError:
        _ended(received[0] if received else signal.SIGTERM)


def _ended(number: int) -> NoReturn:
    raise typer.Exit(BY_SIGNAL + number) from None
