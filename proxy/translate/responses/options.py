"""The request options that an answer depends on or repeats. Pure."""

from dataclasses import dataclass, field
from typing import Any

from ...events import JsonObject


@dataclass(frozen=True, slots=True)
class Options:
    """`body` is the request's without its input.

    `summaries` shows the model's thinking, `encrypted` gives it back for the next request, `sources` tells where a web
    search looked. `store` says that the answer is kept.
    """

    body: JsonObject = field(default_factory=dict)
    summaries: bool = False
    encrypted: bool = False
    sources: bool = False
    store: bool = False


def repeated(options: Options) -> JsonObject:
    """The fields of a response that say how it was asked for; defaults as in OpenAI's API reference."""
    body = options.body
    reasoning = body.get("reasoning") or {}
    text = body.get("text") or {}
    return {
        "background": False,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "max_tool_calls": body.get("max_tool_calls"),
        "metadata": body.get("metadata") or {},
        "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
        "previous_response_id": body.get("previous_response_id"),
        "prompt_cache_key": body.get("prompt_cache_key"),
        "reasoning": {"effort": reasoning.get("effort"), "summary": _summary(reasoning)},
        "safety_identifier": body.get("safety_identifier"),
        "service_tier": "default",
        "store": options.store,
        "temperature": _or(body.get("temperature"), 1),
        "text": {"format": _format(text.get("format")), "verbosity": text.get("verbosity") or "medium"},
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": [_tool(tool) for tool in body.get("tools") or ()],
        "top_logprobs": 0,
        "top_p": _or(body.get("top_p"), 1),
        "truncation": "disabled",
        "user": body.get("user"),
    }


def _or(value: Any, default: float) -> Any:
    return default if value is None else value


def _summary(reasoning: JsonObject) -> Any:
    found = reasoning.get("summary") or reasoning.get("generate_summary")
    return None if found == "none" else found


def _format(form: JsonObject | None) -> JsonObject:
    if form is None or form["type"] != "json_schema":
        return {"type": "text" if form is None else form["type"]}
    return {"description": None, "name": "response", "strict": False, **form}


def _tool(tool: JsonObject) -> JsonObject:
    """Both are required in a response, and may be left out in a request."""
    return {"parameters": None, "strict": False, **tool} if tool["type"] == "function" else tool
