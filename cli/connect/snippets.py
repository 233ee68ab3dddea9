"""Recipes as texts to copy: the content of each file, the launch command, the manual steps. Writes nothing."""

from dataclasses import dataclass

from .catalogue import catalogue
from .change import pasted
from .fill import filled, steps
from .here import ANY_KEY, MODEL
from .places import Surroundings
from .recipe import Recipe, Target

# Shown instead of a key that is set: the page shows no keys.
KEY = "YOUR_KEY"


@dataclass(frozen=True, slots=True)
class FileText:
    """The content of one file of a client. In `place` the home folder is `~`."""

    place: str
    format: str
    text: str


@dataclass(frozen=True, slots=True)
class Snippet:
    """A client. `connect` is the command that sets it up, `launch` the one that runs it once; empty for none."""

    name: str
    title: str
    connect: str
    launch: str
    files: tuple[FileText, ...]
    steps: tuple[str, ...]
    notes: tuple[str, ...]
    use: str


def snippets(url: str, surroundings: Surroundings, *, has_key: bool) -> list[Snippet]:
    """All clients, by name; `url` is the server's without a path."""
    target = Target(url, KEY if has_key else ANY_KEY, MODEL)
    return [_snippet(recipe, target, surroundings) for recipe in catalogue().values()]


def _snippet(recipe: Recipe, target: Target, surroundings: Surroundings) -> Snippet:
    home = str(surroundings.home)
    files = tuple(
        FileText(
            str(surroundings.where(file)).replace(home, "~", 1),
            file.format,
            pasted(file, target),
        )
        for file in recipe.files
    )
    return Snippet(
        name=recipe.name,
        title=recipe.title,
        connect=f"claude-max connect {recipe.name}",
        launch=f"claude-max launch {recipe.name}" if recipe.launch is not None else "",
        files=files,
        steps=steps(recipe, target, files[0].place if files else ""),
        notes=tuple(str(filled(note, target)) for note in recipe.notes),
        use=recipe.use,
    )
