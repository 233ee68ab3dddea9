"""Responses and their streams: whether they are OpenAI's, and what a client makes of the events.

The shapes are those of the `openai` SDK, which is made from OpenAI's own OpenAPI document.
"""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from pydantic import TypeAdapter

ENDS = ("response.completed", "response.incomplete", "response.failed")


@cache
def _event_shape() -> TypeAdapter[Any]:
    from openai.types.responses import ResponseStreamEvent

    return TypeAdapter(ResponseStreamEvent)


def check_response(body: Any) -> None:
    """Raises ValidationError where a whole response is not OpenAI's."""
    from openai.types.responses import Response

    Response.model_validate(body)


def check_event(event: Any) -> None:
    """Raises ValidationError where an event of a stream is not OpenAI's."""
    _event_shape().validate_python(event)


def sent(text: str) -> list[dict[str, Any]]:
    """The events of a stream's text; each is named as its own type says."""
    found = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


def folded(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The response that a client makes of a stream's deltas alone; asserts that nothing is told twice or otherwise."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    created, progress, *rest, last = events
    assert (created["type"], progress["type"]) == ("response.created", "response.in_progress")
    assert created["response"] == progress["response"]
    assert created["response"]["status"] == "in_progress"
    assert last["type"] in ENDS
    output: list[dict[str, Any]] = []
    for event in rest:
        _fold(output, event)
    return {**last["response"], "output": output}


def _fold(output: list[dict[str, Any]], event: dict[str, Any]) -> None:
    kind = event["type"].removeprefix("response.")
    if kind == "output_item.added":
        assert event["output_index"] == len(output)
        output.append(json.loads(json.dumps(event["item"])))
        return
    # Items come one after another: only the last one is added to.
    assert event["output_index"] == len(output) - 1
    item = output[-1]
    if kind == "output_item.done":
        told = event["item"]
        # What deltas tell is checked against it; the status and what is encrypted come with the end.
        late = {key: told[key] for key in ("status", "encrypted_content", "action") if key in told}
        if told["type"] == "tool_search_call":
            late["arguments"] = told["arguments"]
        output[-1] = {**item, **late}
        assert output[-1] == told
        return
    assert event["item_id"] == item["id"]
    if kind == "content_part.added":
        assert event["content_index"] == len(item["content"])
        item["content"].append(json.loads(json.dumps(event["part"])))
    elif kind == "output_text.delta":
        item["content"][event["content_index"]]["text"] += event["delta"]
    elif kind == "output_text.annotation.added":
        annotations = item["content"][event["content_index"]]["annotations"]
        assert event["annotation_index"] == len(annotations)
        annotations.append(event["annotation"])
    elif kind == "output_text.done":
        assert event["text"] == item["content"][event["content_index"]]["text"]
    elif kind == "content_part.done":
        assert event["part"] == item["content"][event["content_index"]]
    elif kind == "function_call_arguments.delta":
        item["arguments"] += event["delta"]
    elif kind == "function_call_arguments.done":
        assert (event["arguments"], event["name"]) == (item["arguments"], item["name"])
    elif kind == "custom_tool_call_input.delta":
        item["input"] += event["delta"]
    elif kind == "custom_tool_call_input.done":
        assert event["input"] == item["input"]
    elif kind == "reasoning_summary_part.added":
        assert event["summary_index"] == len(item["summary"])
        item["summary"].append(json.loads(json.dumps(event["part"])))
    elif kind == "reasoning_summary_text.delta":
        item["summary"][event["summary_index"]]["text"] += event["delta"]
    elif kind == "reasoning_summary_text.done":
        assert event["text"] == item["summary"][event["summary_index"]]["text"]
    elif kind == "reasoning_summary_part.done":
        assert event["part"] == item["summary"][event["summary_index"]]
    else:
        assert kind in [f"web_search_call.{state}" for state in ("in_progress", "searching", "completed")], kind


def kinds(events: Iterable[dict[str, Any]]) -> list[str]:
    """The types of events, deltas side by side told once."""
    found: list[str] = []
    for event in events:
        kind = event["type"].removeprefix("response.")
        if not (found and found[-1] == kind and kind.endswith("delta")):
            found.append(kind)
    return found
