"""opencode (opencode.ai/docs/config). Its title requests go to the small model."""

from ..formats.steps import Path
from ..recipe import OWN, TITLE, Each, File, Launch, Put, Recipe

MODEL = {
    "name": "{name}",
    "reasoning": True,
    "attachment": True,
    "tool_call": True,
    "limit": {"context": 200_000, "output": 32_000},
    "modalities": {"input": ["text", "image", "pdf"], "output": ["text"]},
}
PROVIDER: Path = ("provider", OWN)
PUTS = (
    Put(
        PROVIDER,
        {
            "npm": "@ai-sdk/openai-compatible",
            "name": TITLE,
            "options": {"baseURL": "{url}/v1", "apiKey": "{key}"},
            "models": Each(MODEL, by_id=True),
        },
    ),
    Put(("model",), f"{OWN}/{{model}}"),
    Put(("small_model",), f"{OWN}/haiku"),
)

RECIPE = Recipe(
    name="opencode",
    title="opencode",
    programs=("opencode",),
    traces=("$CONFIG/opencode",),
    files=(
        File(
            "json",
            places=("$CONFIG/opencode/opencode.jsonc", "$CONFIG/opencode/opencode.json"),
            moved=("$OPENCODE_CONFIG",),
            puts=PUTS,
        ),
    ),
    launch=Launch(environ={"OPENCODE_CONFIG": "{folder}/opencode.json"}, copies=("opencode.json",)),
    use='opencode run "…"',
)
