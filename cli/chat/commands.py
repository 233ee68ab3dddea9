"""Slash commands such as `/model sonnet`: their table and parser.

Pure; `interactive` runs them. Text is only parsed as a command if it cannot be meant as a message. `/usr/bin is full`
is a message, and so is everything that begins with a space.
"""

import re
from dataclasses import dataclass

_COMMAND = re.compile(r"/([a-z]+!?)(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)

# Values of `reasoning_effort` in the chat completions API ("minimal" is "low" here); "none" turns thinking off.
LEVELS = ("none", "low", "medium", "high", "xhigh", "max")


class Unusable(ValueError):
    """An input that cannot be used, such as a file or a level; the message is one line for the user."""


@dataclass(frozen=True, slots=True)
class Known:
    """A command as /help and completion show it. `argument` is empty if it takes none, in brackets if it is
    optional.
    """

    argument: str
    help: str

    @property
    def needs(self) -> bool:
        """Whether its argument is required."""
        return bool(self.argument) and not self.argument.startswith("[")


COMMANDS: dict[str, Known] = {
    "model": Known("[NAME]", "switch to this model; without a name: list the models"),
    "system": Known("[TEXT]", 'set the system prompt; "none" removes it; without text: show it'),
    "effort": Known("[LEVEL]", f"how hard to think: {', '.join(LEVELS)}; none turns thinking off"),
    "image": Known("FILE", "attach an image to the next question"),
    "file": Known("FILE", "attach a text, PDF or image to the next question"),
    "clear": Known("", "clear the conversation and the attachments"),
    "undo": Known("", "undo the last question and its answer; the question returns to the prompt"),
    "save": Known("FILE", "write the conversation as Markdown; a file that exists needs /save! FILE"),
    "usage": Known("", "show the tokens used in this conversation"),
    "help": Known("", "show this"),
    "exit": Known("", "leave; so do exit, quit and Ctrl-D"),
}
ALIASES = {"quit": "exit"}
# Common ways to leave other programs, not meant as messages.
LEAVING = ("exit", "quit")
# The only command with a second form, which overwrites.
FORCED = "save!"

KEYS = (
    "Enter sends. Alt+Enter, or a backslash before Enter, starts a new line; pasted lines stay together.",
    "Ctrl-R searches the history; Enter takes the line, Ctrl-C leaves the search.",
    "Ctrl-C stops an answer: the part received stays in the conversation, marked as stopped.",
    "A question that failed, or was stopped before an answer came, returns to the prompt.",
    "To send a message that begins with a slash, put a space before it.",
)


@dataclass(frozen=True, slots=True)
class Say:
    """A message for the model."""

    text: str


@dataclass(frozen=True, slots=True)
class Do:
    """A known command with its argument, "" if there is none."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A command that cannot be run, and the line that says why."""

    why: str


def parse(line: str) -> Say | Do | Wrong | None:
    """Parses a typed line; None for an empty one."""
    if not line.strip():
        return None
    if line.strip().lower() in LEAVING:
        return Do("exit")
    found = _COMMAND.fullmatch(line)
    if found is None:
        return Say(line.strip())
    name, argument = found[1].lower(), (found[2] or "").strip()
    name = ALIASES.get(name, name)
    known = COMMANDS.get("save" if name == FORCED else name)
    if known is None:
        return Wrong(f"Unknown command /{name}. /help lists them; a space before the slash sends it as a message.")
    if known.needs and not argument:
        return Wrong(f"/{name} needs a {known.argument}.")
    if argument and not known.argument:
        return Wrong(f"/{name} takes no argument.")
    return Do(name, argument)


def effort(level: str) -> str | None:
    """The effort level for a request. Raises Unusable for an unknown one."""
    if level not in LEVELS:
        raise Unusable(f"Unknown effort {level!r}. Available: {', '.join(LEVELS)}.")
    return None if level == "none" else level


def file_name(argument: str) -> str:
    """A path as typed or dropped into a terminal: quotes and escaped spaces are not part of the name."""
    if len(argument) > 1 and argument[0] == argument[-1] and argument[0] in "'\"":
        return argument[1:-1]
    return re.sub(r"\\([ '\"()&\\])", r"\1", argument)
