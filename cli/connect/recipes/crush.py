"""Crush (github.com/charmbracelet/crush)."""

from ..recipe import OWN, TITLE, Each, File, Launch, Put, Recipe

MODEL = {
    "id": "{id}",
    "name": "{name}",
    "context_window": 200_000,
    "default_max_tokens": 32_000,
    "can_reason": True,
    "supports_attachments": True,
}
FILE = File(
    "json",
    places=("$CONFIG/crush/crush.json",),
    moved=("$CRUSH_GLOBAL_CONFIG/crush.json",),
    puts=(
        Put(
            ("providers", OWN),
            {
                "name": TITLE,
                "type": "openai-compat",
                "base_url": "{url}/v1",
                "api_key": "{key}",
                "models": Each(MODEL),
            },
        ),
        Put(("models", "large"), {"model": "{model}", "provider": OWN}),
        Put(("models", "small"), {"model": "haiku", "provider": OWN}),
    ),
)

RECIPE = Recipe(
    name="crush",
    title="Crush",
    programs=("crush",),
    traces=("$CONFIG/crush",),
    files=(FILE,),
    launch=Launch(environ={"CRUSH_GLOBAL_CONFIG": "{folder}"}, copies=("crush.json",)),
    use='crush run "…"',
)
