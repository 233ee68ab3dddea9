"""What the real API refuses about tools and the choice among them. Pure.

Documented (platform.claude.com): "Define tools" (names, schemas), "Strict tool use", "Thinking" (a forced choice beside
manual thinking). Reported: names are unique; that a schema has no `oneOf`, `allOf` or `anyOf` at its top
(anthropics/claude-code#40075); that Opus 5.5, Fable 5.1 and their like take no forced choice at all
(can1357/oh-my-pi#12939); the sentence for strict tools (experientiallabs/experiential#804).
"""

import re
from collections.abc import Iterator
from typing import Any

from .models import traits
from .rules_schema import complaints as schema_complaints
from .walk import Body

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_FORCED = ("any", "tool")


def tools(body: Body) -> Iterator[str]:
    """Reasons to refuse the `tools` of `body`."""
    found = body.get("tools", [])
    if not isinstance(found, list) or not all(isinstance(tool, dict) for tool in found):
        yield "tools: Input should be a valid list"
        return
    for place, tool in enumerate(found):
        if not isinstance(tool.get("name"), str) or not _NAME.fullmatch(tool["name"]):
            yield f"tools.{place}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        # Tools with their own type run on Anthropic's side and have no schema.
        if tool.get("type", "custom") == "custom":
            schema = tool.get("input_schema")
            if not isinstance(schema, dict):
                yield f"tools.{place}.custom.input_schema: Field required"
            elif schema.get("type") != "object":
                yield f"tools.{place}.custom.input_schema.type: Input should be 'object'"
            elif any(key in schema for key in ("oneOf", "allOf", "anyOf")):
                yield (
                    f"tools.{place}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the"
                    " top level"
                )
    if len({str(tool.get("name")) for tool in found}) < len(found):
        yield "tools: Tool names must be unique."


def strict_tools(body: Body) -> Iterator[str]:
    """Reasons to refuse the schemas of tools that ask for `strict`."""
    for place, tool in enumerate(body.get("tools") or ()):
        if tool.get("strict") is True and "input_schema" in tool:
            yield from schema_complaints(f"tools.{place}.custom", tool["input_schema"])


def choice(body: Body) -> Iterator[str]:
    """Reasons to refuse the `tool_choice` of `body` that hold for every model."""
    found = body.get("tool_choice")
    if found is None:
        return
    kind = found.get("type") if isinstance(found, dict) else None
    if kind not in ("auto", "none", *_FORCED):
        yield "tool_choice: Input tag does not match any of the expected tags: 'auto', 'any', 'tool', 'none'"
    elif not body.get("tools"):
        yield "tool_choice: tool_choice may only be specified while providing tools"
    elif kind == "tool" and found.get("name") not in [tool["name"] for tool in body["tools"]]:
        yield f"tool_choice: Tool '{found.get('name')}' not found in provided tools"
    elif kind in _FORCED and _thinking(body) in ("enabled", "adaptive"):
        yield "Thinking may not be enabled when tool_choice forces tool use."


def choice_of_model(body: Body) -> Iterator[str]:
    """Reasons to refuse the `tool_choice` of `body` that are its model's."""
    found = body.get("tool_choice")
    if isinstance(found, dict) and found.get("type") in _FORCED and not traits(str(body.get("model"))).forced:
        yield 'tool_choice: type "tool" and "any" are not supported for this model.'


def _thinking(body: Body) -> Any:
    thinking = body.get("thinking")
    return thinking.get("type") if isinstance(thinking, dict) else None
