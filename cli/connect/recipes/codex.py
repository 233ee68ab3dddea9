"""The Codex CLI, which speaks only /v1/responses (developers.openai.com/codex/config-reference)."""

from ..recipe import OWN, TITLE, File, Launch, Put, Recipe

PROVIDER = {
    "name": TITLE,
    "base_url": "{url}/v1",
    "wire_api": "responses",
    "http_headers": {"Authorization": "Bearer {key}"},
}

RECIPE = Recipe(
    name="codex",
    title="Codex CLI",
    programs=("codex",),
    traces=("~/.codex",),
    files=(
        File(
            "toml",
            places=("~/.codex/config.toml",),
            moved=("$CODEX_HOME/config.toml",),
            puts=(
                Put(("model_provider",), OWN),
                Put(("model",), "{model}"),
                Put(("model_providers", OWN), PROVIDER),
            ),
        ),
    ),
    launch=Launch(
        arguments=(
            *("-c", f'model_provider="{OWN}"', "-c", 'model="{model}"'),
            *("-c", f'model_providers.{OWN}.name="{TITLE}"'),
            *("-c", f'model_providers.{OWN}.base_url="{{url}}/v1"'),
            *("-c", f'model_providers.{OWN}.wire_api="responses"'),
            *("-c", f'model_providers.{OWN}.http_headers.Authorization="Bearer {{key}}"'),
        ),
    ),
    use='codex exec "…"',
)
