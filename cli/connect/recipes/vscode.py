"""VS Code's own custom endpoint, 1.122 and newer (code.visualstudio.com/docs/agent-customization/language-models)."""

from ..formats.steps import Item
from ..recipe import TITLE, Each, File, Put, Recipe

MODEL = {
    "id": "{id}",
    "name": "{name}",
    "url": "{url}/v1/chat/completions",
    "toolCalling": True,
    "vision": True,
    "maxInputTokens": 168_000,
    "maxOutputTokens": 32_000,
}
PROVIDER = {
    "name": TITLE,
    "vendor": "customendpoint",
    "apiType": "chat-completions",
    "apiKey": "{key}",
    "models": Each(MODEL),
}

RECIPE = Recipe(
    name="vscode",
    title="VS Code (custom endpoint)",
    programs=("code",),
    traces=("$APP/Code/User",),
    files=(
        File(
            "json",
            places=("$APP/Code/User/chatLanguageModels.json",),
            moved=("$VSCODE_PORTABLE/user-data/User/chatLanguageModels.json",),
            puts=(Put((Item("name", TITLE),), PROVIDER),),
        ),
    ),
    notes=("Choose the model in the chat's list; `Chat: Manage Language Models` shows and hides them.",),
)
