"""Simulates another Claude Code session of the same user that sends a message to a process.

Each process registers as a peer (`sessions/PID.json` in its configuration folder names a socket); a session with the
tool SendMessage can write to it. A worker must let nothing in: it refuses by its `crossSessionInbound` setting.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from ..process.channel import Channel, Timeouts
from ..process.spawn import ClaudeProcess
from ..wire import protocol

ARGUMENTS = (
    "--print",
    *("--input-format", "stream-json", "--output-format", "stream-json"),
    "--verbose",
    "--setting-sources=",
    "--no-session-persistence",
    *("--tools", "SendMessage"),
    *("--allowedTools", "SendMessage"),
)


def socket_of(sessions: Path, pid: int) -> str | None:
    """Where a process takes messages of other sessions, None where it does not."""
    try:
        found = json.loads((sessions / f"{pid}.json").read_text()).get("messagingSocketPath")
    except (OSError, ValueError, AttributeError):
        return None
    return str(found) if found else None


async def send_message(
    program: Path, environ: Mapping[str, str], cwd: Path, socket: str, text: str, timeouts: Timeouts
) -> None:
    """Starts a session that sends `text` to `socket` and ends. The scripted service must answer it."""
    call = {"name": "SendMessage", "input": {"to": f"uds:{socket}", "message": text}}
    prompt = f"scripted: {json.dumps({'call': call, 'then': {'text': 'sent'}})}"
    process = await ClaudeProcess.spawn(program, ARGUMENTS, {**environ, "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "4000"}, cwd)
    channel = Channel(process, timeouts)
    try:
        await channel.control("initialize", hooks={})
        channel.begin_turn()
        await channel.send(protocol.user_line(prompt, "00000000-0000-4000-8000-000000000001", query=True))
        await channel.read_until(lambda line: line.get("type") == "result")
    finally:
        await channel.close()
