"""n8n keeps credentials in its database."""

from ..recipe import Recipe

RECIPE = Recipe(
    name="n8n",
    title="n8n",
    programs=("n8n",),
    traces=("~/.n8n",),
    steps=(
        "Credentials → New → OpenAI: API Key `{key}`, Base URL `{url}/v1`.",
        (
            "In a container the Base URL is `http://host.docker.internal:{port}/v1`, and the proxy is started with\n"
            "  CLAUDE_MAX_API_KEY=… claude-max serve --host 0.0.0.0 --allowed-host host.docker.internal"
        ),
        "In the OpenAI Chat Model node choose the model by ID: `{model}`.",
    ),
)
