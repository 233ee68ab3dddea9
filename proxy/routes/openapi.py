"""The server's own OpenAPI document: request bodies are read by hand, so they are described by hand too."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ..errors import BadRequest
from ..translate.common.dialect import ErrorForm
from ..translate.common.frames import StreamForm

# Headers of an answer.
NAMED = {
    name: {"description": what, "schema": {"type": "string"}}
    for name, what in (
        ("x-claude-max-ignored", "Parameters that had no effect."),
        ("x-claude-max-repaired", "What was repaired in the request."),
    )
}
PLACE = "#/components/schemas/{model}"


def described(
    model: type[BaseModel], form: ErrorForm | None = None, stream: StreamForm | None = None
) -> dict[str, Any]:
    """What a route says of its request body, JSON of this shape; of its failures; and of its answer when streamed."""
    schema = {"$ref": PLACE.format(model=model.__name__)}
    found: dict[str, Any] = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {},
    }
    if stream is not None:
        streamed = {"description": "When the body asks for a stream.", "schema": {"type": "string"}}
        found["responses"]["200"] = {
            "description": "The answer, whole or as a stream.",
            "headers": NAMED,
            "content": {stream.media_type: streamed},
        }
    if form is not None:
        example = form.body(BadRequest("What is wrong.", param="field"), "req_0")
        found["responses"]["default"] = {
            "description": "A failure, in the middle of a stream too. On 429 and 503 `retry-after` says when to retry.",
            "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
        }
    return found


def install(app: FastAPI, models: Sequence[type[BaseModel]]) -> None:
    """Puts the shapes that `described` refers to into the app's document, which is made when it is first asked for."""
    without = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = without()
            _, shapes = models_json_schema([(model, "validation") for model in models], ref_template=PLACE)
            document.setdefault("components", {}).setdefault("schemas", {}).update(shapes["$defs"])
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
