"""The base model of all requests: strict types, unknown fields kept. Pure."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, FailFast, StrictFloat, StrictInt

T = TypeVar("T")
Number = StrictInt | StrictFloat


class First(FailFast):
    """The first wrong item ends the check: a list of a million of them must not become a million errors."""

    # A type in a union must be hashable, which pydantic's own is not.
    __hash__ = object.__hash__


Items = Annotated[list[T], First()]


class WireObject(BaseModel):
    """Strict types (no "5" for 5), unknown fields kept."""

    model_config = ConfigDict(extra="allow", strict=True)
