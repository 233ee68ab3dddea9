"""Finds the parameters of a request that have no effect, so that each can be named. Pure."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from ...events import JsonObject
from .wire_object import WireObject

# The maximum number of names, and of characters of a name.
NAMED, SHOWN = 50, 64


def without_effect(
    body: JsonObject, request: WireObject, known: Sequence[str], neutral: Mapping[str, object]
) -> list[str]:
    """The names of what a body sets to no effect: the `known` fields, and those that its shape does not have.

    `neutral` has the values that say the same as leaving the parameter out.
    """
    names = dict.fromkeys((*known, *(request.model_extra or {})))
    return set_in({name: body.get(name) for name in names}, neutral)


def set_in(values: JsonObject, neutral: Mapping[str, object]) -> list[str]:
    """The names of those that are set to anything, fit for a header."""
    found = [name for name, value in values.items() if value is not None and value != neutral.get(name)]
    # An empty name would make a header without a value, which HTTP libraries refuse to write.
    return [quote(name, safe="[]")[:SHOWN] or '""' for name in found[:NAMED]]
