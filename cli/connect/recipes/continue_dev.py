"""Continue: its editor extensions and its CLI `cn` (docs.continue.dev/reference)."""

from ..formats.steps import Item
from ..recipe import TITLE, File, Launch, Put, Recipe

MODEL = {
    "name": TITLE,
    "provider": "openai",
    "model": "{model}",
    "apiBase": "{url}/v1",
    "apiKey": "{key}",
    "roles": ["chat", "edit", "apply", "summarize"],
    "capabilities": ["tool_use", "image_input"],
}

RECIPE = Recipe(
    name="continue",
    title="Continue",
    programs=("cn",),
    traces=("~/.continue",),
    files=(
        File(
            "yaml",
            places=("~/.continue/config.yaml",),
            moved=("$CONTINUE_GLOBAL_DIR/config.yaml",),
            puts=(
                Put(("name",), "Local Assistant", default=True),
                Put(("version",), "1.0.0", default=True),
                Put(("schema",), "v1", default=True),
                Put(("models", Item("name", TITLE)), MODEL),
            ),
        ),
    ),
    launch=Launch(arguments=("--config", "{folder}/config.yaml"), copies=("config.yaml",)),
    notes=("Choose claude-max in the list of models.",),
    use='cn -p "…"',
)
