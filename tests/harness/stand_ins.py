"""Programs of the machine's, stood in for: each call is recorded, what they answer is decided by the test."""

import json
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

from claude_max.cli.service.steps import Machine

# Answers from a file that the test writes: {"the words": [[exit code, stdout], …]}, the last for ever.
SCRIPT = """#!{python}
import json, sys
from pathlib import Path
words = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
with Path({calls!r}).open("a") as file:
    file.write(json.dumps(words) + "\\n")
known = Path({answers!r})
answers = json.loads(known.read_text())
for start, queue in answers.items():
    if words.startswith(start):
        code, said = queue.pop(0) if len(queue) > 1 else queue[0]
        known.write_text(json.dumps(answers))
        (sys.stdout if code == 0 else sys.stderr).write(said)
        sys.exit(code)
"""


# What `launchctl print` says of a job that there is not.
NOT_LOADED = (113, "Could not find service")


@dataclass
class StandIns:
    """A folder for PATH with these programs in it, and a home that is not the developer's."""

    folder: Path
    home: Path
    paused: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bin.mkdir(parents=True)
        self.home.mkdir(parents=True, exist_ok=True)
        self.answer({})

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def environ(self) -> dict[str, str]:
        return {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(self.home), "USER": "ada", "LOGNAME": "ada"}

    @property
    def calls(self) -> list[str]:
        """Every call so far, in order, one line a call."""
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def changes(self, *asking: str) -> list[str]:
        """The calls that do not only ask."""
        return [call for call in self.calls if not any(word in shlex.split(call) for word in asking)]

    def forget(self) -> None:
        (self.folder / "calls").unlink(missing_ok=True)

    def add(self, name: str) -> None:
        script = self.bin / name
        script.write_text(
            SCRIPT.format(
                python=sys.executable, calls=str(self.folder / "calls"), answers=str(self.folder / "answers.json")
            )
        )
        script.chmod(0o755)

    def answer(self, answers: dict[str, list[tuple[int, str]]]) -> None:
        """What they say to calls that start so; nothing, with exit code 0, to all others."""
        (self.folder / "answers.json").write_text(json.dumps(answers))

    def machine(self) -> Machine:
        """A machine that finds them, and that never sleeps."""
        return Machine(clock=lambda: float(len(self.paused)), pause=self.paused.append, environ=self.environ)
