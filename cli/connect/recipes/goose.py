"""goose (block.github.io/goose/docs/guides/config-files). Its keys are in the keychain, or in a variable."""

from ..recipe import File, Launch, Put, Recipe

ENVIRON = {
    "GOOSE_PROVIDER": "openai",
    "GOOSE_MODEL": "{model}",
    "OPENAI_HOST": "{url}",
    "OPENAI_BASE_PATH": "v1/chat/completions",
}

RECIPE = Recipe(
    name="goose",
    title="goose",
    programs=("goose",),
    traces=("~/.config/goose",),
    files=(
        File(
            "yaml",
            places=("$APPDATA/Block/goose/config/config.yaml", "$CONFIG/goose/config.yaml"),
            puts=tuple(Put((name,), value) for name, value in ENVIRON.items()),
        ),
    ),
    steps=("export OPENAI_API_KEY={key}   # or give it to `goose configure`, which keeps it in the keychain",),
    launch=Launch(environ={**ENVIRON, "OPENAI_API_KEY": "{key}"}),
    use='goose run -t "…"',
)
