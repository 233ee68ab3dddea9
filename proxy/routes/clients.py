"""The well-known name of a client, from its `User-Agent`. Pure."""

# By the prefix of a product in the header, lower case; the first match names the program.
NAMES = {
    "claude-cli": "Claude Code",
    "codex": "Codex",
    "opencode": "opencode",
    "kilo": "Kilo",
    "cline": "Cline",
    "roo": "Roo Code",
    "continue": "Continue",
    "qwencode": "Qwen Code",
    "aider": "aider",
    "litellm": "LiteLLM",
    "openclaw": "OpenClaw",
    "zed": "Zed",
    "cursor": "Cursor",
    "open-webui": "Open WebUI",
    "open webui": "Open WebUI",
    "llm/": "llm",
    "pydantic-ai": "Pydantic AI",
    "agents/python": "OpenAI Agents",
    "agents/javascript": "OpenAI Agents",
    "langchain": "LangChain",
    "ai-sdk": "AI SDK",
    "ai/": "AI SDK",
    "claude-max": "claude-max",
    "openai/python": "OpenAI Python",
    "asyncopenai/python": "OpenAI Python",
    "openai/js": "OpenAI JavaScript",
    "openai/node": "OpenAI JavaScript",
    "openai/go": "OpenAI Go",
    "openai/java": "OpenAI Java",
    "anthropic/python": "Anthropic Python",
    "asyncanthropic/python": "Anthropic Python",
    "anthropic/js": "Anthropic JavaScript",
    "ollama-python": "ollama Python",
    "ollama-js": "ollama JavaScript",
    "ollama/": "ollama",
    "curl": "curl",
    "python-httpx": "Python (httpx)",
    "python-requests": "Python (requests)",
    "python-urllib": "Python (urllib)",
    "node": "Node.js",
    "go-http-client": "Go",
    "mozilla": "a browser",
}
LONGEST = 60


def known_name(agent: str) -> str:
    """The program's name; its own first word where it is not known, and nothing where it says nothing."""
    low = agent.lower()
    for begin, name in NAMES.items():
        if low.startswith(begin) or f" {begin}" in low:
            return name
    first = (agent.split() or [""])[0].partition("/")[0]
    return "".join(letter for letter in first if letter.isprintable())[:LONGEST]
