"""Zed (zed.dev/docs/ai/use-api-access). It takes keys from a variable or its own settings page, never from the file."""

from ..recipe import OWN, Each, File, Put, Recipe

MODEL = {
    "name": "{id}",
    "display_name": "{name}",
    "max_tokens": 200_000,
    "max_output_tokens": 32_000,
    "capabilities": {"tools": True, "images": True, "parallel_tool_calls": True, "prompt_cache_key": False},
}

RECIPE = Recipe(
    name="zed",
    title="Zed",
    programs=("zed", "zeditor"),
    traces=("$CONFIG/zed", "$APPDATA/Zed", "/Applications/Zed.app"),
    files=(
        File(
            "json",
            places=("$APPDATA/Zed/settings.json", "$CONFIG/zed/settings.json"),
            puts=(
                Put(
                    ("language_models", "openai_compatible", OWN),
                    {"api_url": "{url}/v1", "available_models": Each(MODEL)},
                ),
                Put(("agent", "default_model"), {"provider": OWN, "model": "{model}"}),
            ),
        ),
    ),
    steps=(
        "Agent Settings → LLM Providers → claudemax: enter the key `{key}`, or start Zed with CLAUDEMAX_API_KEY={key}.",
    ),
)
