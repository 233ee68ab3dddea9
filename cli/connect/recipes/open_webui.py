"""Open WebUI keeps connections in its database: entered in its pages, or variables at its first start."""

from ..recipe import Recipe

CONTAINER = "http://host.docker.internal:{port}/v1"

RECIPE = Recipe(
    name="open-webui",
    title="Open WebUI",
    programs=("open-webui",),
    steps=(
        "Admin Panel → Settings → Connections → OpenAI API → +: URL `{url}/v1`, Key `{key}`.",
        (
            f"In a container the address is `{CONTAINER}`; start the proxy with an address and a key for it:\n"
            "  CLAUDE_MAX_API_KEY=… claude-max serve --host 0.0.0.0 --allowed-host host.docker.internal\n"
            "  docker run -p 3000:8080 --add-host=host.docker.internal:host-gateway "
            f"-e OPENAI_API_BASE_URL={CONTAINER} -e OPENAI_API_KEY=… -e ENABLE_OLLAMA_API=False "
            "ghcr.io/open-webui/open-webui:main"
        ),
        (
            "A first message makes four requests (title, tags, follow-ups); set a small task model, `haiku`, under "
            "Admin Panel → Settings → Interface."
        ),
    ),
)
