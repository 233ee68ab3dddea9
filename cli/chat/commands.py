"""`/model sonnet` and the like: their table, and reading one from what was typed. Pure; what they do is elsewhere.

The law: text is only taken for a command when nobody could have meant a message. `/usr/bin is full` is a message, and
so is everything that begins with a space.
"""

import re
from dataclasses import dataclass

_COMMAND = re.compile(r"/([a-z]+!?)(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)

# What `reasoning_effort` may be in the chat completions API ("minimal" is "low" here); "none" asks for none.
LEVELS = ("none", "low", "medium", "high", "xhigh", "max")


class Unusable(ValueError):
    """Something that was given and cannot be used, as a file or a level; the message is one line for the person."""


@dataclass(frozen=True, slots=True)
class Known:
    """A command as /help and completion show it. `argument` empty: takes none; in brackets: may be left out."""

    argument: str
    help: str

    @property
    def needs(self) -> bool:
        """Whether it means nothing without its argument."""
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
# As people leave other programs; nobody means a message.
LEAVING = ("exit", "quit")
# The only command with a second, bolder form.
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
    """A known command with its argument, which is "" when there is none."""

    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Wrong:
    """A command that cannot be followed, and the line that says why."""

    why: str


def parse(line: str) -> Say | Do | Wrong | None:
    """What a typed line means; None for nothing at all."""
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
    """A level as a request has it. Raises Unusable for one that does not exist."""
    if level not in LEVELS:
        raise Unusable(f"Unknown effort {level!r}. Available: {', '.join(LEVELS)}.")
    return None if level == "none" else level


def file_name(argument: str) -> str:
    """A file as people type it or drop it into a terminal: quotes and escaped blanks are not part of its name."""
    if len(argument) > 1 and argument[0] == argument[-1] and argument[0] in "'\"":
        return argument[1:-1]
    return re.sub(r"\\([ '\"()&\\])", r"\1", argument)
