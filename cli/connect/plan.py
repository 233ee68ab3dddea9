"""Plans the edits of a client's files, as data: nothing is written here.

A second `connect` starts from the file as it was before the first one, so that `disconnect` always restores the user's
original.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .change import applied, pasted, undone
from .formats.json_scan import Unreadable
from .formats.steps import Item, Unfit
from .formats.steps import Path as Way
from .places import Refused, Surroundings, check_writable, missing_folders, target_of, text_of
from .recipe import File, Target
from .record import FileRecord, digest


@dataclass(frozen=True, slots=True)
class Edit:
    """One file: its current text `now` (None: no file) and its `new` text (None: no file).

    `record` is stored after writing, None after a disconnect. `refusal` says why the file is not changed; `paste` then
    has the lines for the user. `left` are values that were changed since and are kept.
    """

    path: Path
    target: Path
    now: str | None = None
    new: str | None = None
    record: FileRecord | None = None
    refusal: str = ""
    paste: str = ""
    left: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        return not self.refusal and self.now != self.new

    def diff(self, secret: str | None = None) -> str:
        """The difference as `diff -u` shows it; `secret` is not shown."""
        names = (
            "before" if self.now is None else str(self.path),
            str(self.path) if self.new is not None else "removed",
        )
        old, new = ((text or "").replace("\r\n", "\n").splitlines() for text in (self.now, self.new))
        text = "\n".join(difflib.unified_diff(old, new, *names, lineterm="", n=2))
        return text.replace(secret, "…") if secret else text


def to_connect(file: File, target: Target, surroundings: Surroundings, known: Sequence[FileRecord]) -> Edit:
    """The edit of one file by `connect`."""
    path = surroundings.where(file).absolute()
    where = path
    try:
        where = target_of(path)
        now = text_of(where)
        record = next((each for each in known if each.target == where), None)
        before = now if record is None or now is None else _without(record, now)[0]
        new, done = applied(file, before or "", target)
        if now != new:
            check_writable(where)
    except (Refused, Unreadable, Unfit) as error:
        return Edit(path, where, refusal=_why(path, file.format, error), paste=pasted(file, target))
    folders = record.folders if record is not None and now is not None else missing_folders(where)
    if record is None and now == new:
        # The same value was there already: it belongs to the user.
        return Edit(path, where, now, new)
    made = FileRecord(path, where, file.format, before, digest(new), done, folders)
    return Edit(path, where, now, new, made)


def to_disconnect(record: FileRecord) -> Edit:
    """The edit of one file by `disconnect`."""
    try:
        now = text_of(record.target)
        if now is None:
            return Edit(record.path, record.target)
        new, left = _without(record, now)
        if now != new:
            check_writable(record.target)
    except (Refused, Unreadable, Unfit) as error:
        lines = "\n".join(f"{way(one.path)}" for one in record.written)
        return Edit(record.path, record.target, refusal=_why(record.path, record.format, error), paste=lines)
    return Edit(record.path, record.target, now, new, left=tuple(map(way, left)))


def way(path: Way) -> str:
    """A path into a file, for messages."""
    return ".".join(f"[{step.key}={step.value}]" if isinstance(step, Item) else step for step in path)


def _without(record: FileRecord, now: str) -> tuple[str | None, tuple[Way, ...]]:
    """The text without what was written: the original text if the file has not changed since."""
    if digest(now) == record.after:
        return record.before, ()
    text, left = undone(record.format, now, record.written)
    empty = record.before is None and not left and text.strip() in ("", "{}", "[]")
    return (None if empty else text), left


def _why(path: Path, format: str, error: Exception) -> str:
    if isinstance(error, Refused):
        return f"{error}: it was left alone."
    if isinstance(error, Unreadable):
        kind = {"json": "JSON", "toml": "TOML", "yaml": "YAML"}.get(format, format)
        return f"{path} cannot be read as {kind} ({error}): it was left alone."
    return f"{path} has an unexpected structure ({error}): it was left alone."
