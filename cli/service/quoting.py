"""systemd's rules for words in unit files, both ways. Pure.

systemd.service(5) "Command lines" and systemd.syntax(7) "Quoting": double quotes, C escapes inside them, `%` doubled
because of specifiers, and in the arguments of a command `$` doubled because of variables.
"""

import re
from collections.abc import Iterable, Sequence

# systemd 252 refuses quotes and backslashes in the path of the program itself, and expands no `$$` there, but not in
# arguments; the shell replaces itself, so the service's process is the program all the same.
THROUGH_SHELL = ("/bin/sh", "-c", 'exec "$0" "$@"')
_AWKWARD = re.compile(r"[\"'\\$]")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


def command_line(words: Sequence[str]) -> str:
    """The value of ExecStart= that runs exactly these words."""
    if _AWKWARD.search(words[0]):
        words = (*THROUGH_SHELL, *words)
    return " ".join([_quoted(words[0]), *(_quoted(word).replace("$", "$$") for word in words[1:])])


def words_of(line: str) -> tuple[str, ...]:
    """The words that `command_line` was given."""
    first, *rest = unquoted(line)
    words = tuple(word.replace("%%", "%") for word in (first, *(word.replace("$$", "$") for word in rest)))
    return words[len(THROUGH_SHELL) :] if words[: len(THROUGH_SHELL)] == THROUGH_SHELL else words


def assignments(pairs: Iterable[tuple[str, str]]) -> str:
    """One Environment= line for each."""
    return "\n".join(f"Environment={_quoted(f'{name}={value}')}" for name, value in pairs)


def setting(value: str) -> str:
    """For a setting that takes its whole line as it is, where only specifiers are expanded."""
    return value.replace("%", "%%")


def unquoted(line: str) -> list[str]:
    """The words of a line as `systemctl show` prints them: bare, or in double quotes with backslashes."""
    return [re.sub(r"\\(.)", r"\1", found[1]) if found[2] is None else found[2] for found in _WORD.finditer(line)]


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'
