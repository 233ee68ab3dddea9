"""Simon Willison's llm (llm.datasette.io/en/stable/other-models.html)."""

from ..formats.steps import Item
from ..recipe import OWN, TITLE, File, Launch, Put, Recipe

MODEL = {
    "model_id": TITLE,
    "model_name": "{model}",
    "api_base": "{url}/v1",
    "api_key_name": OWN,
    "supports_tools": True,
    "supports_schema": True,
    "vision": True,
}

RECIPE = Recipe(
    name="llm",
    title="llm",
    programs=("llm",),
    traces=("$APP/io.datasette.llm",),
    files=(
        File(
            "yaml",
            places=("$APP/io.datasette.llm/extra-openai-models.yaml",),
            moved=("$LLM_USER_PATH/extra-openai-models.yaml",),
            puts=(Put((Item("model_id", TITLE),), MODEL),),
        ),
        File(
            "json",
            places=("$APP/io.datasette.llm/keys.json",),
            moved=("$LLM_USER_PATH/keys.json",),
            puts=(Put((OWN,), "{key}"),),
        ),
    ),
    launch=Launch(
        environ={"LLM_USER_PATH": "{folder}", "LLM_MODEL": TITLE}, copies=("extra-openai-models.yaml", "keys.json")
    ),
    notes=("`llm models default claude-max` makes it the default.",),
    use='llm -m claude-max "…"',
)
