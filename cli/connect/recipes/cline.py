"""Cline keeps its provider and key in a store of its own, which its `auth` command writes."""

from ..recipe import Recipe

RECIPE = Recipe(
    name="cline",
    title="Cline",
    programs=("cline",),
    traces=("~/.cline",),
    steps=(
        "cline auth -p openai -k {key} -b {url}/v1 -m {model}",
        "In the VS Code extension: API Provider `OpenAI Compatible`, Base URL `{url}/v1`, Model ID `{model}`.",
    ),
    use='cline "…"',
)
