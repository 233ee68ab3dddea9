"""promptfoo (promptfoo.dev/docs/providers/openai): the promptfooconfig.yaml of the current folder."""

from ..formats.steps import Item
from ..recipe import TITLE, File, Put, Recipe

PROVIDER = {
    "id": "openai:chat:{model}",
    "label": TITLE,
    "config": {"apiBaseUrl": "{url}/v1", "apiKey": "{key}"},
}

RECIPE = Recipe(
    name="promptfoo",
    title="promptfoo",
    programs=("promptfoo",),
    traces=("./promptfooconfig.yaml",),
    files=(
        File("yaml", places=("./promptfooconfig.yaml",), puts=(Put(("providers", Item("label", TITLE)), PROVIDER),)),
    ),
    use="promptfoo eval",
)
