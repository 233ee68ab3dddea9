"""Rewrites old names in the files of an installed service: `claude-max doctor --fix`.

A service file contains variables (and, edited by hand, flags) with the names of the version that wrote it.
"""

from claude_max.proxy import renamed

from .manager import Manager
from .steps import Machine, Step, Write, shown


def old_names(manager: Manager) -> dict[str, str]:
    """The old variables that the installed service would be started with, each with its new name."""
    return renamed.variables(manager.environment())


def steps(manager: Manager) -> list[Step]:
    """Steps from files with old names to files with new ones, and a service that uses them; none if there are no old
    names.
    """
    changed: list[Step] = []
    for file in manager.files():
        before = file.read_bytes()
        after = renamed.service_file(before)
        if after != before and file != manager.file:
            changed.append(Write(file, after))
    unit = manager.file.read_bytes()
    if (renamed_unit := renamed.service_file(unit)) != unit:
        return [*changed, *manager.install(renamed_unit)]
    return [*changed, *manager.restart()] if changed else []


def rewrite(manager: Manager, machine: Machine) -> tuple[str, ...]:
    """Runs these steps. Returns them as shell commands. Raises ServiceError."""
    if not manager.state().installed:
        return ()
    todo = steps(manager)
    machine.perform(todo)
    return tuple(shown(step) for step in todo)
