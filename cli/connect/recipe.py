"""The types of a recipe: the client, its configuration files and their values, and how it is started.

A recipe is data. In its texts `{url}` is the proxy's address without a path, `{key}` its key, `{model}` the model to
use, and `{folder}` (in `Launch`) a folder that exists as long as the client runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .formats.steps import Item, Path

# The name of our provider in every client that has named ones. Without a dash, which some do not allow.
OWN = "claudemax"
TITLE = "claude-max"


@dataclass(frozen=True, slots=True)
class Target:
    """The target of a set-up. `url` has no path; `key` is any value if the proxy requires none."""

    url: str
    key: str
    model: str


@dataclass(frozen=True, slots=True)
class Each:
    """One value for each model, `{id}` and `{name}` in it: as a list, or as a mapping by id."""

    value: Any
    by_id: bool = False


@dataclass(frozen=True, slots=True)
class Put:
    """One value of a file and its path. A `default` is only written if there is no value yet."""

    path: Path
    value: Any
    default: bool = False

    @property
    def own(self) -> bool:
        """Whether the path contains our name, so that nobody else stores anything there."""
        named = [step.value if isinstance(step, Item) else step for step in self.path]
        return any(name in (OWN, TITLE) for name in named)


@dataclass(frozen=True, slots=True)
class File:
    """A configuration file of a client.

    `moved` are places that one of the client's variables names: the first whose variables are set holds. Else it is
    the first of `places` that exists, else the first that can be. In a place `~` is the home folder, `$NAME` a
    variable, `$CONFIG` the configuration folder of XDG, `$APP` that of the platform.
    """

    format: str
    places: tuple[str, ...]
    puts: tuple[Put, ...]
    moved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Launch:
    """How to start a client for once, without a change to its files.

    `arguments` come before the user's. `copies` are copies of the recipe's files, with our values, by their names in
    `{folder}`; `unset` are variables that would lead it elsewhere.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    unset: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """One client. `programs` and `traces` (places as of `File`) tell whether it is on this machine.

    `steps` are what a person must do by hand, all of it where there are no `files`. `notes` are good to know
    afterwards; `use` is how the client is asked something once it is set up.
    """

    name: str
    title: str
    programs: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()
    files: tuple[File, ...] = ()
    steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    launch: Launch | None = None
    use: str = ""
