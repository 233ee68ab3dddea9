"""What the real API refuses about thinking: its configuration, its place, and what stands beside it. Pure.

Documented (platform.claude.com): "Troubleshooting thinking" (types by model, budget), "Errors" (the sentences),
"Extended thinking" (in manual mode the final assistant turn begins with thinking), "Thinking" (sampling). The sentence
of the final turn is that of public reports, as anomalyco/opencode#3077.

Reported, not documented:
- `clear_thinking_20251015` without thinking (anthropics/claude-code#11971);
- thinking in the final assistant message while thinking is disabled (tailcallhq/forgecode#1853); the page "Thinking"
  says since 2026 that such conflicts are not refused, but thinking is dropped in silence;
- a forced `tool_choice` beside adaptive thinking (diegosouzapw/OmniRoute#4389); the same page and a recorded answer
  (pydantic/pydantic-ai#7283) say that adaptive thinking takes one. rules_tools.py has it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from .models import traits
from .signing import THINKING
from .walk import Body, content

_CLEAR = "clear_thinking_20251015"
_KINDS = ("enabled", "adaptive", "disabled")
_DOCS = "https://docs.claude.com/en/docs/build-with-claude/extended-thinking"


def thinks(body: Body) -> bool:
    """Whether the model thinks at this request: it says so, or says nothing and the model does by itself."""
    thinking = body.get("thinking")
    if not isinstance(thinking, Mapping):
        return traits(str(body.get("model"))).thinks
    return thinking.get("type") in ("enabled", "adaptive")


def configuration(body: Body) -> Iterator[str]:
    """Reasons to refuse the `thinking` of `body` that hold for every model."""
    thinking = body.get("thinking")
    if thinking is None:
        return
    if not isinstance(thinking, Mapping) or thinking.get("type") not in _KINDS:
        yield "thinking: Input tag does not match any of the expected tags: 'adaptive', 'disabled', 'enabled'"
        return
    if thinking["type"] == "disabled":
        return
    if body.get("temperature") not in (None, 1):
        yield "`temperature` may only be set to 1 when thinking is enabled or in adaptive mode."
    if body.get("top_p") is not None and body["top_p"] < 0.95:
        yield "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
    if body.get("top_k") is not None:
        yield "`top_k` must be unset when thinking is enabled."
    if thinking["type"] == "enabled":
        budget: Any = thinking.get("budget_tokens")
        if not isinstance(budget, int) or isinstance(budget, bool):
            yield "thinking.enabled.budget_tokens: Field required"
        elif budget < 1024:
            yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        elif budget >= body["max_tokens"]:
            yield "`max_tokens` must be greater than `thinking.budget_tokens`."


def of_model(body: Body) -> Iterator[str]:
    """Reasons to refuse the `thinking` of `body` that are its model's."""
    thinking, model = body.get("thinking"), traits(str(body.get("model")))
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    config = body.get("output_config")
    effort = config.get("effort") if isinstance(config, Mapping) else None
    if kind == "disabled" and model.capped and effort in ("xhigh", "max"):
        # The service's message is not publicly known.
        yield f'"thinking.type.disabled" is not supported for this model with the effort "{effort}".'
    if kind not in model.refuses:
        return
    if kind == "adaptive":
        yield "adaptive thinking is not supported on this model"
    elif kind == "enabled":
        yield (
            '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and'
            ' "output_config.effort" to control thinking behavior.'
        )
    else:
        yield (
            '"thinking.type.disabled" is not supported for this model. Thinking defaults to adaptive mode when not'
            ' specified; use "thinking.type.enabled" with "budget_tokens" for extended thinking.'
        )


def clearing(body: Body) -> Iterator[str]:
    """Reasons to refuse the `context_management` of `body`."""
    management = body.get("context_management")
    edits = management.get("edits") if isinstance(management, Mapping) else None
    kinds = [edit.get("type") for edit in edits if isinstance(edit, Mapping)] if isinstance(edits, list) else []
    if _CLEAR in kinds:
        if not thinks(body):
            yield f"`{_CLEAR}` strategy requires `thinking` to be enabled or adaptive"
        if kinds.index(_CLEAR):
            yield f"`{_CLEAR}` strategy must be listed first in `edits`"


def final(body: Body) -> Iterator[str]:
    """Reasons to refuse the thinking, or the lack of it, in the assistant's turn that is still being answered."""
    messages = [(at, each) for at, each in enumerate(body.get("messages") or ()) if each["role"] != "system"]
    turn = _open_turn(messages)
    thinking = body.get("thinking")
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    if not turn:
        return
    first, block = turn[0]
    if kind == "enabled" and block.get("type") not in THINKING:
        yield (
            f"{first}.type: Expected `thinking` or `redacted_thinking`, but found `{block.get('type')}`. When"
            " `thinking` is enabled, a final `assistant` message must start with a thinking block (preceeding the"
            " lastmost set of `tool_use` and `tool_result` blocks). We recommend you include thinking blocks from"
            " previous turns. To avoid this requirement, disable `thinking`. Please consult our documentation at"
            f" {_DOCS}"
        )
    if not thinks(body):
        for path, block in turn:
            if block.get("type") in THINKING:
                yield (
                    f"{path}: When thinking is disabled, an `assistant` message in the final position cannot contain"
                    f" `{block['type']}`. To use thinking blocks, enable `thinking` in your request."
                )


def _open_turn(messages: list[tuple[int, Mapping[str, Any]]]) -> list[tuple[str, Mapping[str, Any]]]:
    """The blocks of the last assistant turn, where it is the last or only its calls' results come behind it."""
    behind: list[Mapping[str, Any]] = []
    turn: list[tuple[str, Mapping[str, Any]]] = []
    for at, message in reversed(messages):
        if message["role"] == "assistant":
            turn = [(f"messages.{at}.content.{place}", block) for place, block in enumerate(content(message))] + turn
        elif turn:
            break
        else:
            behind += content(message)
    asked_anew = behind and not any(block.get("type") == "tool_result" for block in behind)
    return [] if asked_anew else turn
