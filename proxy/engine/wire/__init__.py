"""The language of the Claude Code CLI: its lines as values. Pure."""
