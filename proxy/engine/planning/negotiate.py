"""Parameters that a model refuses: recognized by the error message, and dropped from the Turn. Pure.

The API names the refused parameter in the message of its 400. If it can be dropped, the request is sent again without
it. A refusal that concerns the model is remembered for the model and the kind of value that was refused, one that
concerns a schema for that schema; any other holds for its request only.
"""

import hashlib
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from ...events import JsonObject, Message, Text, ToolChoice, Turn
from ...json_text import compact
from .body import tool_names

# By the Turn's own names: what the API calls it. In this order, because "temperature must be 1 while thinking is on"
# asks for the temperature to go, not the thinking.
WORDS: Mapping[str, re.Pattern[str]] = {
    "schema": re.compile(r"output_config\.format|output_format|json_schema|structured outputs?", re.IGNORECASE),
    "cache_ttl": re.compile(r"cache_control.*\bttl\b", re.IGNORECASE | re.DOTALL),
    "strict": re.compile(r"\bstrict\b", re.IGNORECASE),
    "top_p": re.compile(r"\btop_p\b", re.IGNORECASE),
    "temperature": re.compile(r"\btemperature\b", re.IGNORECASE),
    "top_k": re.compile(r"\btop_k\b", re.IGNORECASE),
    "tool_choice": re.compile(r"tool_choice|forces? tool use", re.IGNORECASE),
    "stop": re.compile(r"stop_sequences", re.IGNORECASE),
    "prefill": re.compile(r"\bprefill\b|must end with a user message", re.IGNORECASE),
    "effort": re.compile(r"\beffort\b", re.IGNORECASE),
    "thinking_budget": re.compile(r"\bthinking\b", re.IGNORECASE),
    "thinking": re.compile(r"\bthinking\b", re.IGNORECASE),
}
# In which they are left out where several are known to be refused.
ORDER = tuple(WORDS)
# About one value, or about what stands beside it: "Supported levels: low, high", "not supported when thinking is on".
_OF_A_VALUE = re.compile(r"supported (?:levels|values)|\b(?:when|while|with) (?:\w+ )?thinking", re.IGNORECASE)
_LASTING = re.compile(r"support|deprecated|not available", re.IGNORECASE)
# A keyword of a schema, in the service's own words: "For 'integer' type, property 'minimum' is not supported".
_KEYWORD = re.compile(r"\bschema\b|For '[^']*' type|propert(y|ies) '", re.IGNORECASE)
# Words of the client's (a property, an enum value) are in quotes; the service's own names are in backticks or bare.
# An apostrophe within a word ("doesn't") does not count.
_QUOTED = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"")
# "tools.3.custom.input_schema: …", "messages.0: …": about a value of the client's that cannot be left out.
_PLACE = re.compile(r"(?:^|: )(?P<place>tools|messages|system)\.\d+")


# What a model is asked that does not continue an answer by itself.
CONTINUE = "Continue."
# Schemas that are remembered; some clients write values of the day into theirs, so that each is another one.
MOST_SCHEMAS = 1000


# What a model refuses: a parameter, when its value and those that the refusal names beside it are of these kinds.
Rule = tuple[str, frozenset[tuple[str, str]]]


class Refusals:
    """What each model, and each schema, is known to refuse.

    What a request carries is given as `body.carried` has it, by names and kinds.
    """

    def __init__(self) -> None:
        self._models: dict[str, set[Rule]] = {}
        self._schemas: dict[tuple[str, bytes], None] = {}

    def known(self, turn: Turn, carried: Mapping[str, str]) -> frozenset[str]:
        """What need not be tried again for this Turn, of what it would carry."""
        known = frozenset(name for name, beside in self._models.get(turn.model, ()) if beside <= carried.items())
        is_refused = turn.schema is not None and (turn.model, _fingerprint(turn.schema)) in self._schemas
        return known | {"schema"} if is_refused and "schema" in carried else known

    def learn(self, turn: Turn, message: str, carried: Mapping[str, str]) -> str | None:
        """Which of the parameters that a request carried this refusal is about, None for something else."""
        name = refused(message, carried.keys())
        if name is None:
            return None
        known = self._models.setdefault(turn.model, set())
        always_thinks = any(each == "thinking" and ("thinking", "disabled") in beside for each, beside in known)
        if name == "schema" and turn.schema is not None and _KEYWORD.search(message):
            self._schemas[turn.model, _fingerprint(turn.schema)] = None
            if len(self._schemas) > MOST_SCHEMAS:
                del self._schemas[next(iter(self._schemas))]
        elif name in ("strict", "cache_ttl", "thinking_blocks"):
            # About this request alone.
            pass
        elif (_LASTING.search(message) and not _OF_A_VALUE.search(message)) or always_thinks:
            # What only contradicts thinking is lost for good where the model cannot be asked to stop thinking.
            named = {each for each, words in WORDS.items() if words.search(message)}
            known.add((name, frozenset((each, kind) for each, kind in carried.items() if each in {name, *named})))
        return name


def refused(message: str, carried: AbstractSet[str]) -> str | None:
    """The parameter that a refusal names, among those that the request carried."""
    is_placed = _PLACE.search(message) is not None
    if "schema" in carried and not is_placed and (WORDS["schema"].search(message) or _KEYWORD.search(message)):
        return "schema"
    if "cache_ttl" in carried and WORDS["cache_ttl"].search(message):
        return "cache_ttl"
    place = _PLACE.search(message)
    if place is not None and place["place"] == "messages" and "thinking_blocks" in carried:
        return "thinking_blocks" if WORDS["thinking"].search(message) else None
    if place is not None:
        is_strict = place["place"] == "tools" and "strict" in carried
        return "strict" if is_strict and (WORDS["strict"].search(message) or _KEYWORD.search(message)) else None
    bare = _QUOTED.sub("", message)
    return next((name for name, words in WORDS.items() if name in carried and words.search(bare)), None)


def is_forced(turn: Turn) -> bool:
    """Whether the model must call a tool."""
    return turn.tool_choice.mode in ("required", "named")


def instructed(turn: Turn) -> Turn:
    """The Turn with its forced tool choice said in words, for a model that takes no `tool_choice`."""
    names = [turn.tool_choice.name] if turn.tool_choice.name else tool_names(turn)
    note = f"Answer by calling {' or '.join(f'the tool `{name}`' for name in names)}, and with no other text."
    system = f"{turn.system}\n\n{note}" if turn.system else note
    return replace(turn, system=system, tool_choice=ToolChoice(parallel=turn.tool_choice.parallel))


def is_prefill(turn: Turn) -> bool:
    """Whether the model is to continue an answer, and may be asked to in words."""
    return turn.ask_to_continue and bool(turn.messages) and turn.messages[-1].role == "assistant"


def asked_to_continue(turn: Turn) -> Turn:
    """The Turn with a user message behind the assistant's last, for a model that continues no answer."""
    return replace(turn, messages=(*turn.messages, Message("user", (Text(CONTINUE),))))


def honours(turn: Turn, called: str) -> bool:
    """Whether a call of this tool is what the Turn's choice asked for."""
    return turn.tool_choice.name in (None, called)


def _fingerprint(schema: JsonObject) -> bytes:
    return hashlib.blake2b(compact(schema).encode(), digest_size=16).digest()
