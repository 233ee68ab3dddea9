"""The line editor: multi-line input, a persistent history, completion of commands and their arguments.

Only editing; `commands` parses the lines.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from platformdirs import user_state_path
from prompt_toolkit import PromptSession, search
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.filters import is_searching
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output, create_output

from . import commands
from .commands import COMMANDS, LEVELS

MARK = "> "


class Prompt:
    """Reads lines. `models` returns the names to complete after /model; with `keep` the history is stored on disk."""

    def __init__(
        self,
        models: Callable[[], Sequence[str]],
        history: History | None = None,
        input: Input | None = None,
        output: Output | None = None,
        *,
        keep: bool = True,
    ) -> None:
        self._session: PromptSession[str] = PromptSession(
            multiline=True,
            enable_suspend=True,
            prompt_continuation=lambda width, *_: " " * width,
            history=history or (lasting_history() if keep else InMemoryHistory()),
            completer=Commands(models),
            complete_while_typing=True,
            reserve_space_for_menu=4,
            key_bindings=bindings(),
            input=input,
            # Answers may be redirected to a file; the prompt must not be.
            output=output or create_output(always_prefer_tty=True),
        )

    async def ask(self, default: str = "", attached: int = 0) -> str:
        """A line or several, beginning with `default`. Raises KeyboardInterrupt on Ctrl-C with nothing typed, EOFError
        on Ctrl-D.
        """
        shown = f"[{attached} attached] {MARK}" if attached else MARK
        return await self._session.prompt_async(FormattedText([("bold", shown)]), default=default)


def bindings() -> KeyBindings:
    """Enter sends; a backslash before it, or Alt, inserts a new line.

    Ctrl-C clears the line and keeps it in history. During a Ctrl-R search prompt_toolkit's own keys apply: Enter takes
    the line, Ctrl-C and Ctrl-G leave the search.
    """
    keys = KeyBindings()

    @keys.add("enter", filter=is_searching)
    def _take_found(event: KeyPressEvent) -> None:
        search.accept_search()
        event.current_buffer.cursor_position = len(event.current_buffer.text)

    @keys.add("enter", filter=~is_searching)
    def _send(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None
        elif buffer.document.current_line_before_cursor.endswith("\\") and buffer.document.is_cursor_at_the_end_of_line:
            buffer.delete_before_cursor()
            buffer.insert_text("\n")
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter", filter=~is_searching)
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-c", filter=~is_searching)
    def _empty(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if not buffer.text:
            event.app.exit(exception=KeyboardInterrupt, style="class:aborting")
            return
        buffer.append_to_history()
        buffer.reset()

    return keys


def lasting_history() -> History:
    """This user's history file, private to the user; in memory if there cannot be a file."""
    path = history_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(path)


def history_path() -> Path:
    """The path of the history file."""
    return user_state_path("claude-max") / "chat_history"


class Commands(Completer):
    """Completes commands, and their models, levels and paths."""

    def __init__(self, models: Callable[[], Sequence[str]]) -> None:
        self._models = models
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """Completions at the cursor; none inside a message."""
        before = document.text_before_cursor
        if not before.startswith("/") or "\n" in before:
            return
        name, blank, argument = before[1:].partition(" ")
        if not blank:
            for each, known in COMMANDS.items():
                if each.startswith(name):
                    yield Completion(
                        each, -len(name), display=f"/{each} {known.argument}".rstrip(), display_meta=known.help
                    )
            return
        match name:
            case "image" | "file" | "save" | commands.FORCED:
                yield from self._paths.get_completions(Document(argument), complete_event)
            case "model" | "effort":
                words = LEVELS if name == "effort" else self._models()
                yield from (Completion(word, -len(argument)) for word in words if word.startswith(argument))
