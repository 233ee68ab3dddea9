"""A Turn, prepared for a worker: one frozen value, computed once for any worker. Pure.

Two ways lead from a Turn to the API ("composition" in the settings):
- **exact**: messages, tools and parameters travel whole in `CLAUDE_CODE_EXTRA_BODY`. The CLI's own message is a trigger
  that the API never sees, because the body replaces it.
- **lines**: the conversation is given to the CLI line by line, its tools as an MCP server, and the CLI composes the
  request. For bodies over the platform's size, and for a CLI that fails the exact way's check.

Settings stay in a process until they are reset one by one, so every want says all of them.
"""

import re
import sys
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Literal

from ...events import JsonObject, Text, Tool, Turn
from ...json_text import compact, dumps, is_reordered, is_rounded
from ...receipts import Way
from ..wire import mcp, protocol
from .body import DISABLED, parameters, tool_names
from .by_lines import adapted, altered
from .compose import Context, answers_calls, composed
from .thinking_memory import Digest, ThinkingMemory

Composition = Literal["auto", "exact", "lines"]

MAX_TOKENS = "CLAUDE_CODE_MAX_OUTPUT_TOKENS"
EXTRA_BODY = "CLAUDE_CODE_EXTRA_BODY"
DISABLE_THINKING = "CLAUDE_CODE_DISABLE_THINKING"
BASE_URL = "ANTHROPIC_BASE_URL"

# The id of the control request that carries a want's settings; one is under way at a time.
SETTINGS_ID = "settings"

# Characters of the trigger. The CLI derives a checksum of its version line from the first few; 5 MB make it refuse.
TRIGGER_LENGTH = 4096
# Numbers are doubles in the CLI, which reads the body as JavaScript does.
ROUNDED = "integers over 2^53: rounded by the CLI"
REORDERED = "objects: keys that are whole numbers put first by the CLI"
NO_BILLING = "system: the CLI's own billing line left out"
NO_THINKING = "thinking: off in a round of tools because the CLI leaves out the thinking before the calls"
# Where a conversation has no user text (an image alone, results alone).
NO_TEXT = "."
# The CLI sends no request for a blank message. Blank is as in JavaScript, where U+FEFF is white space.
_BLANK = re.compile(r"\A[\s\ufeff]+")

_BILLING_LINE = re.compile(r"\A(\s*x-anthropic-billing-header:[^\n]*\n*)+", re.IGNORECASE)
# The CLI's (2.1.332) own words for itself. A system prompt that equals one of them takes the place of its own
# line, or is said once; a line break before it keeps them apart.
OWN_LINES = (
    "You are Claude Code, Anthropic's official CLI for Claude.",
    "You are Claude Code, Anthropic's official CLI for Claude, running within the Claude Agent SDK.",
    "You are a Claude agent, built on Anthropic's Claude Agent SDK.",
)

# A line of the system prompt that is this and nothing else parts it in two for the CLI (2.1.332), which leaves the line
# out: only the first one. So one of ours goes before such a prompt, and a line break is all that is left of it.
BOUNDARY = "__SYSTEM_PROMPT_DYNAMIC_BOUNDARY__"
_BOUNDARY_LINE = re.compile(rf"^\s*{BOUNDARY}\s*$", re.MULTILINE)
# The CLI writes a checksum in the place of the zeros, at the first such word of a system prompt.
CHECKSUM = "cch=00000"

# Largest request body in bytes that fits into a process's environment. The CLI hands its environment to the programs it
# starts: macOS ends environment and arguments at 1 MB, Windows at 32,767 characters. On Linux one variable ends at
# 128 KB; the CLI's `git` then fails, which it takes for a folder without a repository.
EXACT_LIMITS: dict[str, int] = {"darwin": 900_000, "win32": 30_000}


@dataclass(frozen=True, slots=True)
class Holds:
    """What stays in a process from one turn to the next: its system prompt, and the tools it was offered by MCP.

    `tools` is their compact JSON. Each is empty for none.
    """

    system: str = ""
    tools: str = ""


BARE = Holds()


@dataclass(frozen=True, slots=True, eq=False)
class Want:
    """A Turn, ready to be written to a worker.

    `uuid` names the line that asks. `encoded` is the settings request, one line. `prefix` identifies the messages (see
    `thinking_memory`), and `repaired` says what is changed on the way. `max_tokens` is the limit in force and
    `outside` the one in the CLI's own settings, None where they are the same: an answer that ends at `outside` was not
    given to this body. `offered` is the JSON of the tools that go by MCP, empty for none.
    """

    turn: Turn
    way: Way
    uuid: str
    encoded: bytes
    trigger: str
    max_tokens: int
    outside: int | None
    tools: tuple[str, ...]
    prefix: Digest = b""
    repaired: frozenset[str] = frozenset()
    offered: str = ""

    @property
    def holds(self) -> Holds:
        """What a process must hold to be asked."""
        return Holds(self.system, self.offered)

    @property
    def system(self) -> str:
        """The system prompt as the CLI is given it, empty for none."""
        system = self.turn.system
        if system in OWN_LINES:
            return f"\n{system}"
        return f"{BOUNDARY}\n{system}" if _BOUNDARY_LINE.search(system) else system

    @property
    def model(self) -> str:
        """The model, as the CLI takes it."""
        return self.turn.model


def exact_want(
    turn: Turn,
    uuid: str,
    context: Context,
    memory: ThinkingMemory | None = None,
    without: AbstractSet[str] = frozenset(),
) -> tuple[Want, int]:
    """The want of the exact way, and the size of its body in bytes (for EXACT_LIMITS). `uuid` was never used before.

    Fails closed: the CLI's own `max_tokens` is 1 while the real one is in the body. A CLI that ignored the body would
    show the model the trigger alone and get one token, which `Want.outside` tells from an answer.
    """
    request = composed(turn, context, memory, without)
    body = request.body
    text = compact(body)
    size = len(encoded := text.encode())
    # No second copy of large tools where it is not needed.
    tools = compact(body["tools"]) if CHECKSUM in text else ""
    most = body["max_tokens"]
    outside = 1 if most != 1 else 2
    want = Want(
        turn=turn,
        way="exact",
        uuid=uuid,
        encoded=_settings(turn, _environment(body, text, outside, context.base_url), without),
        trigger=trigger(turn),
        max_tokens=most,
        outside=outside,
        tools=tool_names(turn),
        prefix=request.prefix,
        repaired=request.repaired | _altered(turn.system, tools) | _as_javascript(body, encoded),
    )
    return want, size


def lines_want(turn: Turn, uuid: str, context: Context, without: AbstractSet[str] = frozenset()) -> Want:
    """The want of the lines way: the parameters that the CLI has no setting for, and no messages or tools."""
    body = parameters(turn, context.defaults, without)
    whole = adapted(turn)
    given = without_billing_line(whole)
    offered = _offered(given)
    repaired = {*altered(turn, whole), *_altered(given.system, offered)}
    values = [message["content"] for message in map(protocol.api_message, given.messages)]
    tools = [tool.parameters for tool in given.tools if isinstance(tool, Tool)]
    repaired |= _as_javascript([values, tools, body], dumps([values, tools, body]))
    if given is not whole:
        repaired.add(NO_BILLING)
    if body.get("thinking", {}).get("type") == "enabled" and answers_calls(given.messages[-1]):
        # The service refuses it: the CLI leaves out the thinking that must stand before the calls.
        body["thinking"] = DISABLED
        repaired.add(NO_THINKING)
    most = body.pop("max_tokens", context.defaults.max_tokens)
    return Want(
        turn=given,
        way="lines",
        uuid=uuid,
        encoded=_settings(turn, _environment(body, compact(body) if body else "", most, context.base_url), without),
        trigger="",
        max_tokens=most,
        outside=None,
        tools=tool_names(turn),
        repaired=frozenset(repaired),
        offered=offered,
    )


def plain_want(turn: Turn, uuid: str, base_url: str) -> Want:
    """A want that leaves every choice to the CLI, to learn what it chooses."""
    env = {EXTRA_BODY: "", MAX_TOKENS: "", DISABLE_THINKING: "", BASE_URL: base_url}
    settings = {"model": turn.model, "effortLevel": None, "env": env}
    request = protocol.control_request(SETTINGS_ID, "apply_flag_settings", settings=settings)
    given = without_billing_line(adapted(turn))
    return Want(given, "lines", uuid, dumps(request) + b"\n", "", 0, None, (), offered=_offered(given))


def at_start(system: str) -> str:
    """A system prompt (`Want.system`) as `initialize` takes it, which unlike `set_model` cuts at no boundary line."""
    return system.removeprefix(BOUNDARY) if system.startswith(f"{BOUNDARY}\n") else system


def reset() -> JsonObject:
    """Settings that take a turn's body out of the environment, and the service's address with it.

    A request that the CLI makes on its own, after the client's answer or while idle, ends as "Invalid URL" with no
    socket opened. Never an address of ours instead: the CLI would send its login there.
    """
    return {"env": {EXTRA_BODY: "", BASE_URL: None}}


def trigger(turn: Turn) -> str:
    """The conversation's own first user text, so that what the CLI derives from its first message is true."""
    first = next((message for message in turn.messages if message.role == "user"), None)
    texts = [item.text for item in first.content if isinstance(item, Text)] if first is not None else []
    text = next((text for text in texts if _BLANK.sub("", text, count=1)), NO_TEXT)
    cut = text[:TRIGGER_LENGTH]
    return cut if _BLANK.sub("", cut, count=1) else _BLANK.sub("", text, count=1)[:TRIGGER_LENGTH]


def without_billing_line(turn: Turn) -> Turn:
    """The Turn without a billing line at the head of its system prompt.

    The CLI takes such a line, which clients copy from Claude Code's own requests, for its own, and leaves that out.
    """
    system = _BILLING_LINE.sub("", turn.system, count=1)
    return turn if system == turn.system else replace(turn, system=system)


def exact_limit(platform: str = sys.platform) -> int | None:
    """Bytes of a body that the exact way carries at most, None for no limit."""
    return EXACT_LIMITS.get(platform)


def _offered(turn: Turn) -> str:
    declared = [mcp.declaration(tool) for tool in turn.tools if isinstance(tool, Tool)]
    return compact(declared) if declared else ""


def _altered(system: str, tools: str) -> frozenset[str]:
    """What becomes another in a system prompt, and in the JSON of tools, on their way."""
    changed = {
        "system: line break put before it": system in OWN_LINES or bool(_BOUNDARY_LINE.search(system)),
        f"system: the CLI writes a checksum for {CHECKSUM}": CHECKSUM in system,
        f"tools: the CLI writes a checksum for {CHECKSUM}": CHECKSUM in tools,
    }
    return frozenset(words for words, is_so in changed.items() if is_so)


def _as_javascript(value: object, text: bytes) -> frozenset[str]:
    """What becomes another in a value, whose JSON is `text`, because the CLI reads and writes it as JavaScript does."""
    changed = {ROUNDED: is_rounded(value, text), REORDERED: is_reordered(value, text)}
    return frozenset(words for words, is_so in changed.items() if is_so)


def _environment(body: JsonObject, text: str, max_tokens: int, base_url: str) -> JsonObject:
    """The variables of a turn. The turn before has taken the service's address away (`reset`)."""
    return {
        EXTRA_BODY: text,
        MAX_TOKENS: str(max_tokens),
        DISABLE_THINKING: "1" if body.get("thinking") == DISABLED else "",
        BASE_URL: base_url,
    }


def _settings(turn: Turn, env: JsonObject, without: AbstractSet[str]) -> bytes:
    effort = turn.effort if "effort" not in without else None
    settings = {"model": turn.model, "effortLevel": effort, "env": env}
    request = protocol.control_request(SETTINGS_ID, "apply_flag_settings", settings=settings)
    return dumps(request) + b"\n"
