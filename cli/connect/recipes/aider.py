"""aider (aider.chat/docs/config/aider_conf.html)."""

from ..recipe import File, Launch, Put, Recipe

RECIPE = Recipe(
    name="aider",
    title="aider",
    programs=("aider",),
    traces=("~/.aider.conf.yml", "~/.aider"),
    files=(
        File(
            "yaml",
            places=("~/.aider.conf.yml",),
            puts=(
                Put(("openai-api-base",), "{url}/v1"),
                Put(("openai-api-key",), "{key}"),
                Put(("model",), "openai/{model}"),
                Put(("weak-model",), "openai/haiku"),
            ),
        ),
    ),
    launch=Launch(
        environ={"OPENAI_API_BASE": "{url}/v1", "OPENAI_API_KEY": "{key}"},
        arguments=("--model", "openai/{model}", "--weak-model", "openai/haiku"),
    ),
    notes=("A .aider.conf.yml or .env in a project overrides it.",),
    use='aider --message "…"',
)
