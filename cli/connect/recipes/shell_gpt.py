"""shell-gpt, whose command is sgpt. Its file has no comments behind values and no quotes."""

from ..recipe import File, Launch, Put, Recipe

RECIPE = Recipe(
    name="shell-gpt",
    title="shell-gpt",
    programs=("sgpt",),
    traces=("~/.config/shell_gpt",),
    files=(
        File(
            "dotenv",
            places=("~/.config/shell_gpt/.sgptrc",),
            puts=(
                Put(("API_BASE_URL",), "{url}/v1"),
                Put(("OPENAI_API_KEY",), "{key}"),
                Put(("DEFAULT_MODEL",), "{model}"),
                Put(("USE_LITELLM",), "false"),
            ),
        ),
    ),
    launch=Launch(
        environ={
            "API_BASE_URL": "{url}/v1",
            "OPENAI_API_KEY": "{key}",
            "DEFAULT_MODEL": "{model}",
            "USE_LITELLM": "false",
        },
    ),
    notes=("If it is launched before its first own run, it writes the settings of that launch to its file.",),
    use='sgpt "…"',
)
