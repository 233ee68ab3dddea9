"""The server's own OpenAPI document: request bodies are read by hand, so they are described by hand too."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

PLACE = "#/components/schemas/{model}"


def described(model: type[BaseModel]) -> dict[str, Any]:
    """What a route says of its request body: JSON of this shape."""
    schema = {"$ref": PLACE.format(model=model.__name__)}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def install(app: FastAPI, models: Sequence[type[BaseModel]]) -> None:
    """Puts the shapes that `described` refers to into the app's document."""
    document = app.openapi()
    _, shapes = models_json_schema([(model, "validation") for model in models], ref_template=PLACE)
    document.setdefault("components", {}).setdefault("schemas", {}).update(shapes["$defs"])
