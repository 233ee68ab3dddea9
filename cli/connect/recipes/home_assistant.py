"""Home Assistant: integrations that take an OpenAI-compatible address are set up in its pages."""

from ..recipe import Recipe

RECIPE = Recipe(
    name="home-assistant",
    title="Home Assistant",
    steps=(
        (
            "Install the integration Local OpenAI LLM (or Extended OpenAI Conversation) with HACS; the built-in OpenAI "
            "integration has no setting for an address."
        ),
        (
            "Home Assistant runs on another machine or in a container, so start the proxy with an address and a key "
            "for it:\n"
            "  CLAUDE_MAX_API_KEY=… claude-max serve --host 0.0.0.0 --allowed-host NAME_OF_THIS_MACHINE"
        ),
        (
            "Settings → Devices & services → Add integration: Server URL `http://NAME_OF_THIS_MACHINE:{port}/v1`, the "
            "key, model `{model}`."
        ),
    ),
)
