"""The conversation at a terminal: reads a line, runs it, and repeats.

Nothing typed is lost: a question that was not answered, and a command that could not be run, return to the next prompt.
"""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

from ..output import Exit, out, print_error
from . import attach, commands, prompt, store
from .client import ENDINGS, Ended, Failure, Piece, Said, Thought
from .commands import COMMANDS, KEYS, Do, Say, Unusable, Wrong, effort, file_name, parse
from .connect import Connection
from .session import Exchange, Question, Session, names
from .view import note, quiet_keys, view


class Chat:
    """One conversation. `run` returns when the user leaves."""

    def __init__(self, connection: Connection, session: Session, *, raw: bool, keep: bool = True) -> None:
        self._connection = connection
        self._client = connection.client
        self._session = session
        self._raw = raw
        self._models: list[str] = []
        self._keep = keep and not connection.scripted
        self._prompt = prompt.Prompt(lambda: self._models, keep=keep)
        self._answering: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Asks and answers."""
        where, model = self._connection.where, self._session.model
        note(f"claude-max chat: {where}, model {model}. /help lists commands, Ctrl-D quits.")
        if self._connection.scripted:
            note("Demo: every answer is scripted. No model is asked, no account is used.")
        if self._session.exchanges:
            last = self._session.exchanges[-1].question.text
            note(
                f"Continuing a conversation of {len(self._session.exchanges)} answers; your last question: {last[:200]}"
            )
        typed = ""
        with self._interrupts():
            while True:
                learning = asyncio.create_task(self._learn_models())
                try:
                    line = await self._prompt.ask(typed, len(self._session.attached))
                except KeyboardInterrupt:
                    note("Ctrl-D or /exit leaves.")
                    typed = ""
                    continue
                except EOFError:
                    return
                finally:
                    learning.cancel()
                match parse(line):
                    case Say(text):
                        typed = await self._ask(self._session.question(text))
                    case Wrong(why):
                        print_error(why, Exit.USAGE)
                        typed = line
                    case Do("exit"):
                        return
                    case Do() as command:
                        typed = await self._do(command, line)
                    case None:
                        typed = ""

    # Asking

    async def _ask(self, question: Question) -> str:
        """Sends the question, shows and records the answer. Returns the next prompt's text: the question, if
        unanswered.
        """
        got, begun = _Got(), time.monotonic()
        self._answering = asyncio.create_task(
            self._show(self._client.stream(self._session.body(question, stream=True)), got)
        )
        await asyncio.wait({self._answering})
        task, self._answering = self._answering, None
        stopped = task.cancelled()
        if not stopped and (error := task.exception()) is not None:
            if not isinstance(error, Failure):
                raise error
            print_error(str(error), error.exit)
            return question.text
        if stopped and not got.text.strip():
            note("Stopped before an answer came.")
            return question.text
        model = got.ended.model if got.ended else self._session.model
        self._session.record(Exchange(question, got.text, model, stopped), got.ended.usage if got.ended else None)
        if self._keep:
            store.save(self._session)
        if stopped:
            note("Stopped. The partial answer is kept; /undo removes it.")
        elif got.ended and got.ended.reason in ENDINGS:
            note(ENDINGS[got.ended.reason])
        if got.ended:
            note(footer(got.ended, time.monotonic() - begun))
        return ""

    async def _show(self, pieces: AsyncGenerator[Piece], got: "_Got") -> None:
        screen = view(out, raw=self._raw)
        try:
            with quiet_keys(screen):
                async with contextlib.aclosing(pieces):
                    async for piece in pieces:
                        got.take(piece)
                        match piece:
                            case Said(text):
                                screen.say(text)
                            case Thought(text):
                                screen.think(text)
        finally:
            screen.close()

    @contextlib.contextmanager
    def _interrupts(self) -> Iterator[None]:
        """Ctrl-C stops the current answer, if any, and never the program."""
        loop = asyncio.get_running_loop()

        def stop() -> None:
            if self._answering is not None:
                self._answering.cancel()

        before = signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(stop))
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    async def _learn_models(self) -> None:
        with contextlib.suppress(Failure):
            self._models = await self._client.models()

    # Commands: each returns the text of the next prompt

    async def _do(self, command: Do, line: str) -> str:
        session, argument = self._session, command.argument
        try:
            match command.name:
                case "model":
                    await self._model(argument)
                case "system":
                    session.system = {"none": "", "": session.system}.get(argument, argument)
                    note(f"System prompt: {session.system}" if session.system else "No system prompt is set.")
                case "effort":
                    session.effort = effort(argument) if argument else session.effort
                    note(f"Effort: {session.effort or 'none (no thinking)'}.")
                case "image" | "file":
                    session.attached.append(getattr(attach, command.name)(file_name(argument)))
                    note(f"Attached to your next question: {names(session.attached)}.")
                case "clear":
                    session.clear()
                    note("A new conversation.")
                case "undo":
                    return self._undo()
                case "save" | commands.FORCED:
                    self._save(file_name(argument), replace=command.name == commands.FORCED)
                case "usage":
                    note(str(session.tokens))
                case _:
                    help()
        except (Unusable, Failure) as error:
            print_error(str(error), Exit.USAGE)
            return line
        return ""

    async def _model(self, name: str) -> None:
        if name:
            await self._client.check_model(name)
            self._session.model = name
        else:
            note(f"Available: {', '.join(await self._client.models())}, and any full claude-… id.")
        note(f"Model: {self._session.model}.")

    def _undo(self) -> str:
        question = self._session.undo()
        if question is None:
            note("Nothing to undo.")
            return ""
        note("Undone.")
        return question.text

    def _save(self, name: str, *, replace: bool) -> None:
        if not self._session.exchanges:
            raise Unusable("No conversation to save yet.")
        path = Path(name)
        try:
            path = path.expanduser()
            replaced = replace and path.exists()
            # A new file is readable by this user only, whatever the umask.
            with open(path, "w" if replace else "x", encoding="utf-8", opener=_private) as file:
                file.write(self._session.transcript())
        except FileExistsError:
            raise Unusable(f"{name} exists. /save! {name} replaces it.") from None
        except (OSError, ValueError, RuntimeError) as error:
            raise Unusable(f"{name} cannot be written: {getattr(error, 'strerror', None) or error}.") from None
        note(f"Saved to {path.absolute()}{', replacing the old file' if replaced else ''}.")


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _Got:
    """The part of an answer received so far."""

    def __init__(self) -> None:
        self.text = ""
        self.ended: Ended | None = None

    def take(self, piece: Piece) -> None:
        if isinstance(piece, Said):
            self.text += piece.text
        elif isinstance(piece, Ended):
            self.ended = piece


def footer(ended: Ended, seconds: float) -> str:
    """The model, the duration and the tokens, in one line."""
    usage = ended.usage or {}
    tokens = f" · {usage.get('prompt_tokens') or 0:,} tokens in, {usage.get('completion_tokens') or 0:,} out"
    return f"{ended.model} · {seconds:.1f} s{tokens if usage else ''}"


def help() -> None:
    """Shows the commands and the keys."""
    for name, known in COMMANDS.items():
        note(f"/{name} {known.argument}".rstrip() + f"  {known.help}")
    for line in (*KEYS, f"Your input history is kept in {prompt.history_path()}."):
        note(line)
