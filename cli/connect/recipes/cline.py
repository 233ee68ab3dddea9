"""Cline's CLI; the file is the one that its `auth` command writes. The VS Code extension keeps its own."""

from ..recipe import File, Launch, Put, Recipe

PROVIDER = "openai-compatible"
SETTINGS = {"provider": PROVIDER, "apiKey": "{key}", "model": "{model}", "baseUrl": "{url}/v1"}

RECIPE = Recipe(
    name="cline",
    title="Cline",
    programs=("cline",),
    traces=("~/.cline",),
    files=(
        File(
            "json",
            places=("~/.cline/data/settings/providers.json",),
            puts=(
                Put(("version",), 1, default=True),
                Put(("lastUsedProvider",), PROVIDER),
                Put(("providers", PROVIDER, "settings"), SETTINGS),
                Put(("providers", PROVIDER, "updatedAt"), "2026-11-26T00:00:00.000Z", default=True),
                Put(("providers", PROVIDER, "tokenSource"), "manual"),
            ),
        ),
    ),
    launch=Launch(arguments=("--data-dir", "{folder}"), copies=("settings/providers.json",)),
    notes=("In the VS Code extension: API Provider `OpenAI Compatible`, and the same address, key and model.",),
    use='cline "…"',
)
