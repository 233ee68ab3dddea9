"""Copilot for Obsidian keeps its settings in each vault, encrypted keys included."""

from ..recipe import Recipe

RECIPE = Recipe(
    name="obsidian-copilot",
    title="Copilot for Obsidian",
    steps=(
        (
            "Settings → Copilot → Model → Add Custom Model: Model Name `{model}`, "
            "Provider `3rd party (openai-format)`, Base URL `{url}/v1`, API Key `{key}`; switch Enable CORS on."
        ),
        "Without Enable CORS, allow its origin instead: claude-max config set cors_origins app://obsidian.md",
    ),
)
