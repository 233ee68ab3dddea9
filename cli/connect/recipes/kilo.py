"""Kilo Code's CLI, which grew from opencode and has its configuration."""

from ..recipe import File, Launch, Recipe
from .opencode import PUTS

RECIPE = Recipe(
    name="kilo",
    title="Kilo Code",
    programs=("kilo", "kilocode"),
    traces=("$CONFIG/kilo",),
    files=(
        File("json", places=("$CONFIG/kilo/kilo.jsonc", "$CONFIG/kilo/kilo.json"), moved=("$KILO_CONFIG",), puts=PUTS),
    ),
    launch=Launch(environ={"KILO_CONFIG": "{folder}/kilo.json"}, copies=("kilo.json",)),
    notes=("In the VS Code extension choose the provider claude-max in its settings.",),
    use='kilo run "…"',
)
