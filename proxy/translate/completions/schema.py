"""The model of a completions request: types and ranges from the OpenAI API reference."""

from typing import Any

from pydantic import Field

from ..common.openai_completions import StreamOptions, Unused
from ..common.wire_object import Items, Number


class CompletionRequest(Unused):
    """The body of `POST /v1/completions`."""

    model: str = Field(min_length=1)
    prompt: str | list[Any]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    stop: str | Items[str] | None = None
    temperature: Number | None = Field(default=None, ge=0, le=2)
    top_p: Number | None = Field(default=None, ge=0, le=1)
    n: int | None = Field(default=None, ge=1, le=128)
    best_of: int | None = Field(default=None, ge=1, le=20)
    echo: bool | None = None
    logprobs: int | None = Field(default=None, ge=0, le=5)
    suffix: str | None = None
