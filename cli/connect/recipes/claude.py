"""Claude Code itself, through /v1/messages (code.claude.com/docs/en/llm-gateway).

The proxy's own claude processes read no settings of the user's, so that this address never reaches them.
"""

from ..recipe import File, Launch, Put, Recipe

RECIPE = Recipe(
    name="claude",
    title="Claude Code",
    programs=("claude",),
    traces=("~/.claude/settings.json",),
    files=(
        File(
            "json",
            places=("~/.claude/settings.json",),
            moved=("$CLAUDE_CONFIG_DIR/settings.json",),
            puts=(
                Put(("env", "ANTHROPIC_BASE_URL"), "{url}"),
                Put(("env", "ANTHROPIC_AUTH_TOKEN"), "{key}"),
                Put(("model",), "{model}"),
            ),
        ),
    ),
    launch=Launch(
        environ={"ANTHROPIC_BASE_URL": "{url}", "ANTHROPIC_AUTH_TOKEN": "{key}", "ANTHROPIC_MODEL": "{model}"},
        unset=("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"),
    ),
    notes=("Every `claude` that you start now uses the proxy, and none works while the proxy is not running.",),
    use='claude -p "…"',
)
