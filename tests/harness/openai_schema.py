"""OpenAI's published schemas (`tests/data/chat-openapi.json`, the chat part of their OpenAPI document)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator

DOCUMENT = Path(__file__).parent.parent / "data" / "chat-openapi.json"


@cache
def _validator(name: str) -> Draft202012Validator:
    document = json.loads(DOCUMENT.read_text())
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


def check_completion(body: Any) -> None:
    """Raises ValidationError where a whole response is not OpenAI's."""
    _validator("CreateChatCompletionResponse").validate(body)


def check_chunk(chunk: Any) -> None:
    """Raises ValidationError where a chunk is not OpenAI's."""
    _validator("CreateChatCompletionStreamResponse").validate(chunk)


def check_error(body: Any) -> None:
    """Raises ValidationError where an error body is not OpenAI's."""
    _validator("ErrorResponse").validate(body)


def check_models(body: Any) -> None:
    """Raises ValidationError where a list of models is not OpenAI's."""
    _validator("ListModelsResponse").validate(body)
