"""What `/v1/chat/completions` and `/v1/completions` have in common on the wire. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import Field

from ...events import JsonObject, StopReason, Usage
from .frames import SSE
from .wire_object import Number, WireObject

STREAM = replace(SSE, end=b"data: [DONE]\n\n")

FINISH: Mapping[StopReason, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}

# Values that mean the same as leaving the parameter out.
NEUTRAL: Mapping[str, object] = {
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "logprobs": False,
    "store": False,
    "service_tier": "auto",
    "modalities": ["text"],
    "logit_bias": {},
}


class StreamOptions(WireObject):
    """What a stream holds beyond its deltas."""

    include_usage: bool | None = None


class Unused(WireObject):
    """Accepted without effect; typed so that a wrong type is still the client's error."""

    frequency_penalty: Number | None = Field(default=None, ge=-2, le=2)
    presence_penalty: Number | None = Field(default=None, ge=-2, le=2)
    logit_bias: dict[str, Any] | None = None
    seed: int | None = None
    user: str | None = None


def usage_object(usage: Usage) -> JsonObject:
    """OpenAI's usage: `prompt_tokens` counts the cached ones too."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.output,
        "total_tokens": usage.prompt + usage.output,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_creation,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
