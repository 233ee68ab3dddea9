"""The CLI's arguments and environment. Pure.

Nothing from a caller is ever an argument: prompts and system prompts go to stdin. The environment is built from an
allowlist, so that no variable of the user's shell silently changes the CLI's behaviour or who pays.
"""

from collections.abc import Mapping

# The MCP server that offers the client's tools in the lines way.
SERVER = "client"

# Another Claude Code session of the same user could write into a worker otherwise. A client's tool that is named `Bash`
# would bring the CLI's note on git attribution into the prompt.
SETTINGS = '{"crossSessionInbound":"refuse","attribution":{"commit":"","pr":"","sessionUrl":false}}'

ARGUMENTS: tuple[str, ...] = (
    "--print",
    *("--input-format", "stream-json", "--output-format", "stream-json"),
    "--verbose",
    "--include-partial-messages",
    # No built-in tools. Empty, not left out: left out means all of them.
    *("--tools", ""),
    # No settings of the user's: without this their CLAUDE.md is loaded and their hooks run.
    "--setting-sources=",
    *("--settings", SETTINGS),
    "--strict-mcp-config",
    "--no-session-persistence",
    # No skills and no commands: a client's "/cost" is text. Settings are applied faster, too, as none are looked for.
    "--disable-slash-commands",
    # One API call a turn: a call of a tool that travels in the body is the client's to answer, not the CLI's.
    *("--max-turns", "1"),
    # The client's own tools need no permission prompt; `mcp__*` would silently refuse every call.
    *("--allowedTools", f"mcp__{SERVER}"),
)

KEPT: Mapping[str, str] = {
    "HOME": "where the login lives",
    "USER": "the macOS keychain looks logins up by it",
    "LOGNAME": "as USER",
    "PATH": "programs the CLI itself starts",
    "SHELL": "named in the CLI's environment note",
    "TERM": "terminal kind",
    "LANG": "text encoding",
    "LC_ALL": "text encoding",
    "LC_CTYPE": "text encoding",
    "TZ": "the date in the CLI's environment note",
    "TMPDIR": "temporary files",
    "XDG_CONFIG_HOME": "configuration folder",
    "XDG_CACHE_HOME": "cache folder",
    "XDG_DATA_HOME": "data folder",
    "XDG_STATE_HOME": "state folder",
    "XDG_RUNTIME_DIR": "runtime folder",
    "CLAUDE_CONFIG_DIR": "where the login lives, when moved",
    "CLAUDE_CODE_OAUTH_TOKEN": "the user's own long-lived login from `claude setup-token`",
    "HTTP_PROXY": "network",
    "HTTPS_PROXY": "network",
    "NO_PROXY": "network",
    "http_proxy": "network",
    "https_proxy": "network",
    "no_proxy": "network",
    "NODE_EXTRA_CA_CERTS": "network: a company's own certificate",
    "SSL_CERT_FILE": "network: certificates",
    "SSL_CERT_DIR": "network: certificates",
    "ANTHROPIC_BASE_URL": "another address of the service; `serve` says so when it is set",
    "SYSTEMROOT": "Windows",
    "COMSPEC": "Windows",
    "PATHEXT": "Windows",
    "TEMP": "Windows: temporary files",
    "TMP": "Windows: temporary files",
    "APPDATA": "Windows: folders",
    "LOCALAPPDATA": "Windows: folders",
    "PROGRAMDATA": "Windows: folders",
    "USERPROFILE": "Windows: where the login lives",
    "HOMEDRIVE": "Windows",
    "HOMEPATH": "Windows",
}

# Would make the CLI bill somebody else than the subscription; passed on only when the configuration says so.
API_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")

ADDED: Mapping[str, str] = {
    # With its default the CLI retries a 429 or 401 for more than a minute before it says so.
    "CLAUDE_CODE_MAX_RETRIES": "0",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    # Never silently another model.
    "CLAUDE_CODE_NO_MODEL_FALLBACK": "1",
    "CLAUDE_CODE_DISABLE_LEGACY_MODEL_REMAP": "1",
    "CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK": "1",
    "CLAUDE_CODE_DISABLE_REFUSAL_RETRY": "1",
    # The history belongs to the client, who must learn that it has become too long.
    "DISABLE_AUTO_COMPACT": "1",
    # Nothing of this machine's goes into a prompt; `client_composed` says the same, once more.
    "CLAUDE_CODE_DISABLE_ATTACHMENTS": "1",
    "CLAUDE_CODE_DISABLE_FILE_MENTIONS": "1",
    "CLAUDE_CODE_DISABLE_CLAUDE_MDS": "1",
    "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
    # The client's tools are shown all at once, under their own names.
    "ENABLE_TOOL_SEARCH": "false",
    "CLAUDE_AGENT_SDK_MCP_NO_PREFIX": "1",
    # The lines are the same, at 0.26 instead of 0.43 ms of processor for each delta.
    "CLAUDE_CODE_PLAIN_DELTA_FAST_PATH": "1",
    "CLAUDE_CODE_PLAIN_DELTA_DIRECT_WRITE": "1",
    # Bun, in which the CLI runs, collects garbage each second by default: a fifth of the processor time of turns that
    # follow each other. With ten seconds a process at rest is as small as before, ten seconds later.
    "BUN_GC_TIMER_INTERVAL": "10000",
    # No optimising compiler: over the 150 turns for which a process lives at most it takes more processor time than it
    # saves, and the first sixty turns are faster without it.
    "BUN_JSC_useDFGJIT": "0",
    # Until a turn's settings say otherwise: a request that was not composed by us costs one token.
    "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "1",
    # One user turn is one API request.
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_AUTOUPDATER": "1",
}


def environment(inherited: Mapping[str, str], *, allow_api_key: bool = False) -> dict[str, str]:
    """The CLI's whole environment, from the server's own."""
    kept = {*KEPT, *API_KEYS} if allow_api_key else set(KEPT)
    return {name: value for name, value in inherited.items() if name in kept} | dict(ADDED)
