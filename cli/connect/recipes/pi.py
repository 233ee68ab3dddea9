"""pi, the coding agent."""

from ..recipe import OWN, Each, File, Launch, Put, Recipe

MODEL = {
    "id": "{id}",
    "name": "{name}",
    "reasoning": True,
    "input": ["text", "image"],
    "contextWindow": 200_000,
    "maxTokens": 32_000,
    "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
}

RECIPE = Recipe(
    name="pi",
    title="pi",
    programs=("pi",),
    traces=("~/.pi/agent",),
    files=(
        File(
            "json",
            places=("~/.pi/agent/models.json",),
            moved=("$PI_CODING_AGENT_DIR/models.json",),
            puts=(
                Put(
                    ("providers", OWN),
                    {
                        "baseUrl": "{url}/v1",
                        "api": "openai-completions",
                        "apiKey": "{key}",
                        "models": Each(MODEL),
                    },
                ),
            ),
        ),
        File(
            "json",
            places=("~/.pi/agent/settings.json",),
            moved=("$PI_CODING_AGENT_DIR/settings.json",),
            puts=(Put(("defaultProvider",), OWN), Put(("defaultModel",), "{model}")),
        ),
    ),
    launch=Launch(environ={"PI_CODING_AGENT_DIR": "{folder}"}, copies=("models.json", "settings.json")),
    use='pi -p "…"',
)
