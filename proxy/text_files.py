"""Replaces text files atomically: the configuration, and those of other programs that `connect` edits."""

import shutil
from pathlib import Path


def replace_text(file: Path, text: str) -> None:
    """Writes a file atomically, with the mode of the one that it replaces; a new one is private to the user."""
    file.parent.mkdir(parents=True, exist_ok=True)
    # Keeps a link to the file, as dotfile managers create.
    target = file.resolve()
    beside = target.with_name(f".{target.name}.new")
    beside.touch(mode=0o600)
    if target.exists():
        shutil.copymode(target, beside)
    beside.write_text(text, encoding="utf-8", newline="\n")
    beside.replace(target)
