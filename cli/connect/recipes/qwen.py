"""Qwen Code (qwenlm.github.io/qwen-code-docs)."""

from ..recipe import File, Launch, Put, Recipe

RECIPE = Recipe(
    name="qwen",
    title="Qwen Code",
    programs=("qwen",),
    traces=("~/.qwen",),
    files=(
        File(
            "json",
            places=("~/.qwen/settings.json",),
            moved=("$QWEN_HOME/settings.json",),
            puts=(
                Put(("security", "auth", "selectedType"), "openai"),
                Put(("security", "auth", "baseUrl"), "{url}/v1"),
                Put(("security", "auth", "apiKey"), "{key}"),
                Put(("model", "name"), "{model}"),
            ),
        ),
    ),
    launch=Launch(
        environ={"OPENAI_BASE_URL": "{url}/v1", "OPENAI_API_KEY": "{key}", "OPENAI_MODEL": "{model}"},
        arguments=("--auth-type", "openai", "--model", "{model}"),
    ),
    use='qwen -p "…"',
)
