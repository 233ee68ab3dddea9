"""Implements `connect`, `disconnect` and the list. The only file of this package that writes clients' files."""

import contextlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import typer

from claude_max.proxy.config import ConfigError
from claude_max.proxy.text_files import replace_text

from ..output import Exit, err, fail
from .catalogue import catalogue, recipe_of
from .fill import steps
from .inspect import setup_of
from .places import Refused, Surroundings, text_of
from .plan import Edit, to_connect, to_disconnect
from .recipe import Recipe, Target
from .record import FileRecord, Store
from .results import Changed, Client, Clients, Connected, Outcome, shown


def listed(surroundings: Surroundings, store: Store, target: Target) -> Clients:
    """Every client: whether it is on this machine, and whether it is set up for this proxy."""
    found = []
    for recipe in catalogue().values():
        files = tuple(surroundings.where(file).absolute() for file in recipe.files)
        setup = setup_of(recipe, surroundings, store, target)
        there = surroundings.found(recipe) or bool(store.load(recipe.name))
        found.append(Client(recipe.name, recipe.title, there, setup is not None and setup.url == target.url, files))
    return Clients(tuple(sorted(found, key=lambda client: not client.found)))


def connect(
    name: str, surroundings: Surroundings, store: Store, target: Target, *, dry_run: bool, yes: bool, json: bool,
    secret: bool = False,
) -> Connected:  # fmt: skip
    """Sets a client up, after showing the diff and asking. Exits USAGE if it cannot ask."""
    recipe = recipe_of(name)
    known = store.load(name)
    edits = [to_connect(file, target, surroundings, known) for file in recipe.files]
    files = str(edits[0].path) if edits else ""
    todo = steps(recipe, target, files)
    if not edits:
        return Connected(name, "by hand", (), todo, recipe.notes)
    hidden = target.key if secret else None
    if not dry_run and any(edit.refusal for edit in edits):
        # All files or none: a partial configuration would not work.
        return Connected(name, "refused", tuple(_refused(edit, hidden) for edit in edits if edit.refusal), (), ())
    _agreed(edits, hidden, dry_run=dry_run, yes=yes, json=json, question=f"Set up {recipe.title}?")
    if not dry_run:
        records = [edit.record for edit in edits if edit.record is not None]
        # Also undo files at the old place, if a variable has moved them since.
        others = [each for each in known if each.target not in [record.target for record in records]]
        _write(edits, lambda: store.save(name, [*others, *records]))
    changed = tuple(_changed(edit, store, name, hidden, dry_run=dry_run) for edit in edits)
    outcome = _outcome(changed, "written")
    running = _running(recipe) if outcome in ("written", "dry-run") else ()
    return Connected(name, outcome, changed, todo, (*recipe.notes, *running), recipe.use)


def disconnect(
    name: str, surroundings: Surroundings, store: Store, *, dry_run: bool, yes: bool, json: bool
) -> Connected:
    """Undoes what `connect` wrote. Exits USAGE if it cannot ask."""
    recipe = recipe_of(name)
    known = store.load(name)
    if not known:
        return Connected(name, "absent", ())
    edits = [to_disconnect(record) for record in known]
    _agreed(edits, None, dry_run=dry_run, yes=yes, json=json, question=f"Remove what was written for {recipe.title}?")
    if not dry_run:
        kept = [record for record, edit in zip(known, edits, strict=True) if edit.refusal]
        _write([edit for edit in edits if not edit.refusal], lambda: None)
        store.save(name, kept)
        for record, edit in zip(known, edits, strict=True):
            if edit.new is None and not edit.refusal:
                _remove_folders(record)
    changed = tuple(_taken_back(edit, dry_run=dry_run) for edit in edits)
    return Connected(name, _outcome(changed, "removed"), changed, notes=_running(recipe))


def _agreed(edits: Sequence[Edit], secret: str | None, *, dry_run: bool, yes: bool, json: bool, question: str) -> None:
    """Shows what would be written, and asks."""
    if dry_run or yes or not any(edit.changes for edit in edits):
        return
    if json or not sys.stdin.isatty():
        fail(
            "This command asks before it writes, which needs a terminal. Add --yes, or --dry-run to preview.",
            Exit.USAGE,
            json=json,
        )
    for edit in edits:
        for line in shown(edit.diff(secret)):
            err.print(line, soft_wrap=True, highlight=False)
    if not typer.confirm(question, err=True):
        fail("Nothing was written.", Exit.FAILED)


def _write(edits: Sequence[Edit], remember: Callable[[], None]) -> None:
    """Writes all files; the record comes first, so that a file is never changed without one. Raises ConfigError."""
    for edit in edits:
        # The client may have changed the file since it was read.
        if edit.changes and _now(edit.target) != edit.now:
            raise ConfigError(f"{edit.path} was changed by another program meanwhile. Run the command again.")
    try:
        remember()
        for edit in edits:
            if edit.changes and edit.new is None:
                edit.target.unlink()
            elif edit.changes and edit.new is not None:
                replace_text(edit.target, edit.new)
    except OSError as error:
        raise ConfigError(f"{error.filename} cannot be written: {error.strerror}") from None


def _now(target: Path) -> str | None:
    try:
        return text_of(target)
    except Refused as error:
        raise ConfigError(str(error)) from None


def _changed(edit: Edit, store: Store, name: str, secret: str | None, *, dry_run: bool) -> Changed:
    if edit.refusal:
        return _refused(edit, secret)
    if not edit.changes:
        return Changed(edit.path, "unchanged")
    if dry_run:
        return Changed(edit.path, "dry-run", edit.diff(secret))
    backup = store.backup(name, edit.record) if edit.record is not None else None
    return Changed(edit.path, "written", edit.diff(secret), backup)


def _refused(edit: Edit, secret: str | None) -> Changed:
    paste = edit.paste.replace(secret, "YOUR_KEY") if secret else edit.paste
    return Changed(edit.path, "refused", why=edit.refusal, paste=paste)


def _taken_back(edit: Edit, *, dry_run: bool) -> Changed:
    if edit.refusal:
        return _refused(replace(edit, paste=f"Remove by hand:\n{edit.paste}"), None)
    if edit.now is None:
        return Changed(edit.path, "unchanged", why="Already removed.")
    why = f"Changed since, so left as is: {', '.join(edit.left)}" if edit.left else ""
    if not edit.changes:
        return Changed(edit.path, "unchanged", why=why)
    return Changed(edit.path, "dry-run" if dry_run else "removed", edit.diff(), why=why)


def _outcome(files: Sequence[Changed], done: Outcome) -> Outcome:
    outcomes = {file.outcome for file in files}
    for each in ("refused", "dry-run", done):
        if each in outcomes:
            return each
    return "unchanged"


def _running(recipe: Recipe) -> tuple[str, ...]:
    """A note if the client is running: it would not see the change, or would overwrite it."""
    with contextlib.suppress(psutil.Error, OSError):
        for process in psutil.process_iter(["name", "cmdline"]):
            # With --print it serves another program, as a proxy's workers do: nobody has to start it again.
            by_person = "--print" not in (process.info["cmdline"] or ())
            if (process.info["name"] or "").removesuffix(".exe") in recipe.programs and by_person:
                return (
                    f"{recipe.title} is running (process {process.pid}): start it again so that it reads the file.",
                )
    return ()


def _remove_folders(record: FileRecord) -> None:
    with contextlib.suppress(OSError):
        for folder in record.folders:
            folder.rmdir()
