"""Writes `completions/`: `uv run python -m claude_max.cli.completion [FOLDER]`. A test regenerates and compares.

The scripts are those of `claude-max --show-completion`: they call the program itself, so they stay current.
"""

import sys
from pathlib import Path

from typer import _completion_shared

PROGRAM = "claude-max"
VARIABLE = "_CLAUDE_MAX_COMPLETE"

# The file name that each shell expects.
FILES = {
    f"{PROGRAM}.bash": "bash",
    f"_{PROGRAM}": "zsh",
    f"{PROGRAM}.fish": "fish",
    f"{PROGRAM}.ps1": "powershell",
}

# A file on zsh's `fpath` is itself the body of the function that is called at each Tab: without this a Tab would only
# register another one, and complete nothing.
ZSH_REGISTERS = "compdef %(complete_func)s %(prog_name)s"
ZSH_LOADED = f"""if [[ $funcstack[1] == _%(prog_name)s ]]; then
  %(complete_func)s "$@"
else
  {ZSH_REGISTERS}
fi"""


def patch_zsh() -> None:
    """Makes typer use a zsh script that also works as a file, for `--install-completion` and for `script`."""
    text = _completion_shared.COMPLETION_SCRIPT_ZSH.strip()
    body, found, rest = text.rpartition(ZSH_REGISTERS)
    if not found or rest:
        raise AssertionError("typer's zsh script has changed; read it again")
    _completion_shared._completion_scripts["zsh"] = body + ZSH_LOADED  # noqa: SLF001 - it has no other place for it


def script(shell: str) -> str:
    """The completion script for bash, zsh, fish or powershell, with a final newline."""
    patch_zsh()
    made = _completion_shared.get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell)
    return made.strip() + "\n"


def main(folder: Path) -> None:
    """Writes all four."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, shell in FILES.items():
        (folder / name).write_text(script(shell), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "completions"))
