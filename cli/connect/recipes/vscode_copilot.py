"""GitHub Copilot Chat's own-key form, before VS Code 1.122: models of one's own in settings.json."""

from ..fill import NAMES
from ..recipe import File, Put, Recipe

SETTING = "github.copilot.chat.customOAIModels"


def _model(name: str) -> dict[str, object]:
    return {
        "name": f"{name} (claude-max)",
        "url": "{url}/v1/chat/completions",
        "toolCalling": True,
        "vision": True,
        "maxInputTokens": 168_000,
        "maxOutputTokens": 32_000,
        "requiresAPIKey": False,
    }


RECIPE = Recipe(
    name="vscode-copilot",
    title="VS Code (Copilot's own-key form)",
    traces=("$APP/Code/User",),
    files=(
        File(
            "json",
            places=("$APP/Code/User/settings.json",),
            moved=("$VSCODE_PORTABLE/user-data/User/settings.json",),
            puts=tuple(Put((SETTING, id), _model(name)) for id, name in NAMES.items()),
        ),
    ),
    notes=(
        "If the proxy requires a key: `Chat: Manage Language Models`, OpenAI Compatible, and enter it there.",
        "From VS Code 1.122 on, use `claude-max connect vscode`.",
    ),
)
