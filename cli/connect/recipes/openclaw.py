"""OpenClaw (docs.openclaw.ai). It removes everything but letters and digits from ids of calls."""

from ..recipe import OWN, Each, File, Launch, Put, Recipe

MODEL = {
    "id": "{id}",
    "name": "{name}",
    "reasoning": True,
    "input": ["text", "image"],
    "contextWindow": 200_000,
    "maxTokens": 32_000,
    "compat": {"supportsReasoningEffort": True},
}

RECIPE = Recipe(
    name="openclaw",
    title="OpenClaw",
    programs=("openclaw",),
    traces=("~/.openclaw",),
    files=(
        File(
            "json",
            places=("~/.openclaw/openclaw.json",),
            moved=(
                "$OPENCLAW_CONFIG_PATH",
                "$OPENCLAW_STATE_DIR/openclaw.json",
                "$OPENCLAW_HOME/.openclaw/openclaw.json",
            ),
            puts=(
                Put(
                    ("models", "providers", OWN),
                    {
                        "baseUrl": "{url}/v1",
                        "apiKey": "{key}",
                        "api": "openai-completions",
                        "models": Each(MODEL),
                    },
                ),
                Put(("agents", "defaults", "model", "primary"), f"{OWN}/{{model}}"),
            ),
        ),
    ),
    launch=Launch(environ={"OPENCLAW_CONFIG_PATH": "{folder}/openclaw.json"}, copies=("openclaw.json",)),
    notes=("`openai/…` models of OpenClaw still go to OpenAI.",),
    use='openclaw agent --local --agent main -m "…"',
)
