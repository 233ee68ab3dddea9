"""What a model may refuse, and how a Turn is asked without it. Pure.

The API names the parameter that it refuses in the message of its 400. What can be dropped is dropped and the request
asked again; a refusal that speaks of support is remembered for the model, any other holds for its request only.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from ..events import ToolChoice, Turn

# By the Turn's own names: what the API calls it. In this order, because "temperature must be 1 while thinking is on"
# asks for the temperature to go, not the thinking.
WORDS: Mapping[str, re.Pattern[str]] = {
    "temperature": re.compile(r"\btemperature\b", re.IGNORECASE),
    "top_p": re.compile(r"\btop_p\b", re.IGNORECASE),
    "tool_choice": re.compile(r"tool_choice|forces? tool use", re.IGNORECASE),
    "schema": re.compile(r"output_config\.format|output_format|json_schema|structured output", re.IGNORECASE),
    "stop": re.compile(r"stop_sequences", re.IGNORECASE),
    "effort": re.compile(r"\beffort\b", re.IGNORECASE),
    "thinking": re.compile(r"\bthinking\b", re.IGNORECASE),
}
_LASTING = re.compile(r"support|deprecated|not available", re.IGNORECASE)


def refused(message: str, carried: AbstractSet[str]) -> str | None:
    """Which of the parameters a request carried this refusal is about, None for something else."""
    return next((name for name, words in WORDS.items() if name in carried and words.search(message)), None)


def lasting(message: str) -> bool:
    """Whether the refusal is about the model, and not about this one value."""
    return _LASTING.search(message) is not None


def is_forced(turn: Turn) -> bool:
    """Whether the model must call a tool."""
    return turn.tool_choice.mode in ("required", "named")


def instructed(turn: Turn) -> Turn:
    """The Turn with its forced tool choice said in words, for a model that takes no `tool_choice`."""
    names = [turn.tool_choice.name] if turn.tool_choice.name else [tool.name for tool in turn.tools]
    note = f"Answer by calling {' or '.join(f'the tool `{name}`' for name in names)}, and with no other text."
    system = f"{turn.system}\n\n{note}" if turn.system else note
    return replace(turn, system=system, tool_choice=ToolChoice(parallel=turn.tool_choice.parallel))


def honours(turn: Turn, called: str) -> bool:
    """Whether a call of this tool is what the Turn's choice asked for."""
    return turn.tool_choice.name in (None, called)
