"""Records what `connect` wrote into which file, and the original file, so that `disconnect` can undo it.

A record may contain keys from the client's file, so only the user can read it.
"""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claude_max.proxy.text_files import replace_text

from .change import Written
from .formats import steps
from .formats.steps import MISSING


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file: `before` as it was (None: there was none), the sha256 of its text `after`, and what was written.

    `path` is as the client has it, `target` where a link leads; `folders` were made for it.
    """

    path: Path
    target: Path
    format: str
    before: str | None
    after: str
    written: tuple[Written, ...]
    folders: tuple[Path, ...] = ()


def digest(text: str) -> str:
    """The digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Store:
    """The folder of all records. A record that cannot be read is ignored, so that nothing is removed by mistake."""

    folder: Path

    def load(self, client: str) -> tuple[FileRecord, ...]:
        """A client's record."""
        try:
            said = json.loads((self.folder / f"{client}.json").read_text("utf-8"))
            return tuple(self._read(client, each) for each in said["files"])
        except (OSError, ValueError, KeyError, TypeError):
            return ()

    def save(self, client: str, files: Sequence[FileRecord]) -> None:
        """Replaces a client's record; an empty one is removed, its backups too."""
        kept = {str(self._backup(client, file.target)) for file in files if file.before is not None}
        if files:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for file in files:
                if file.before is not None:
                    replace_text(self._backup(client, file.target), file.before)
                    if os.name == "posix":
                        self._backup(client, file.target).chmod(0o600)
            said = {"schema": 1, "files": [self._written(file) for file in files]}
            replace_text(self.folder / f"{client}.json", json.dumps(said, indent=1))
        else:
            (self.folder / f"{client}.json").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            for backup in (self.folder / client).iterdir():
                if str(backup) not in kept:
                    backup.unlink()
            if not kept:
                (self.folder / client).rmdir()

    def backup(self, client: str, file: FileRecord) -> Path | None:
        """The path of the original file's copy."""
        return None if file.before is None else self._backup(client, file.target)

    def _backup(self, client: str, target: Path) -> Path:
        plain = re.sub(r"[^\w.-]", "_", target.name).lstrip(".") or "file"
        return self.folder / client / f"{digest(str(target))[:8]}-{plain}"

    def _written(self, file: FileRecord) -> Mapping[str, Any]:
        return {
            "path": str(file.path),
            "target": str(file.target),
            "format": file.format,
            "existed": file.before is not None,
            "after": file.after,
            "folders": [str(folder) for folder in file.folders],
            "written": [
                {
                    "path": [steps.written(step) for step in one.path],
                    "value": one.value,
                    **({} if one.previous is MISSING else {"previous": one.previous}),
                    "kept": one.kept,
                    "own": one.own,
                }
                for one in file.written
            ],
        }

    def _read(self, client: str, said: Mapping[str, Any]) -> FileRecord:
        target = Path(said["target"])
        before = self._backup(client, target).read_bytes().decode() if said["existed"] else None
        return FileRecord(
            Path(said["path"]),
            target,
            said["format"],
            before,
            said["after"],
            tuple(
                Written(steps.read(one["path"]), one["value"], one.get("previous", MISSING), one["kept"], one["own"])
                for one in said["written"]
            ),
            tuple(Path(folder) for folder in said["folders"]),
        )
