"""The smallest instance of a JSON schema, for a scripted model that is asked for structured output.

Not a validator and not a fuzzer: it makes one instance of the schemas people send, and says so when it cannot.
"""

import math
from collections.abc import Mapping
from typing import Any

# Deep enough for any hand-written schema; a deeper one recurses endlessly.
_DEPTH = 40
_FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "email": "demo@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "hostname": "example.com",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
}


class NoInstanceError(ValueError):
    """No instance could be made; the message says of what."""


def minimal_instance(schema: Any) -> Any:
    """The smallest instance of `schema` (an object, or true): required properties only, shortest arrays.

    Raises NoInstanceError for false, an unknown type, a dangling $ref, or endless recursion.
    """
    return _instance(schema, schema, 0)


def _instance(schema: Any, root: Any, depth: int) -> Any:
    if schema is True:
        return None
    if depth > _DEPTH or not isinstance(schema, Mapping):
        raise NoInstanceError(f"no finite instance of {str(schema)[:100]}")
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if "$ref" in schema:
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return _instance({**_resolve(schema["$ref"], root), **rest}, root, depth + 1)
    if "allOf" in schema:
        return _instance(_merged(schema, root), root, depth + 1)
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _first(schema, key, root, depth)
    kind = schema.get("type", _implied(schema))
    if isinstance(kind, list):
        return _instance({**schema, "type": "null" if "null" in kind else kind[0]}, root, depth + 1)
    if kind == "object":
        return _object(schema, root, depth)
    if kind == "array":
        return _array(schema, root, depth)
    if kind == "string":
        return _string(schema)
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    if kind == "boolean":
        return False
    if kind == "null":
        return None
    raise NoInstanceError(f"unknown type {kind!r}")


def _resolve(ref: str, root: Any) -> Mapping[str, Any]:
    found = root
    for part in ref.removeprefix("#").split("/")[1:]:
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    if not ref.startswith("#") or not isinstance(found, Mapping):
        raise NoInstanceError(f"$ref {ref!r} cannot be resolved")
    return found


def _merged(schema: Mapping[str, Any], root: Any) -> dict[str, Any]:
    """`allOf` folded into one schema; good for the usual use of it, objects that add properties to each other."""
    whole = {key: value for key, value in schema.items() if key != "allOf"}
    for raw in schema["allOf"]:
        part = _resolve(raw["$ref"], root) if isinstance(raw, Mapping) and "$ref" in raw else raw
        for key, value in part.items():
            if key == "properties":
                whole[key] = {**whole.get(key, {}), **value}
            elif key == "required":
                whole[key] = [*whole.get(key, []), *value]
            else:
                whole[key] = value
    return whole


def _first(schema: Mapping[str, Any], key: str, root: Any, depth: int) -> Any:
    """The first branch that has an instance: a recursive one is passed over for one that ends."""
    rest = {name: value for name, value in schema.items() if name != key}
    for branch in schema[key]:
        try:
            # Starting deeper at each level avoids exponential time for trees of recursive branches.
            return _instance({**rest, **branch} if isinstance(branch, Mapping) else branch, root, depth + 5)
        except NoInstanceError:
            continue
    raise NoInstanceError(f"no branch of {key} has an instance")


def _implied(schema: Mapping[str, Any]) -> str:
    if "properties" in schema or "required" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "null"


def _object(schema: Mapping[str, Any], root: Any, depth: int) -> dict[str, Any]:
    properties, extra = schema.get("properties", {}), schema.get("additionalProperties", True)
    return {
        name: _instance(properties.get(name, extra or True), root, depth + 1) for name in schema.get("required", ())
    }


def _array(schema: Mapping[str, Any], root: Any, depth: int) -> list[Any]:
    fixed = schema.get("prefixItems", [])
    return [
        _instance(fixed[place] if place < len(fixed) else schema.get("items", True), root, depth + 1)
        for place in range(max(schema.get("minItems", 0), 0))
    ]


def _string(schema: Mapping[str, Any]) -> str:
    known = _FORMATS.get(schema.get("format", ""))
    if known is not None:
        return known
    return "scripted".ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    step = schema.get("multipleOf", 1 if whole else None)
    low = schema.get("minimum", -math.inf)
    above = schema.get("exclusiveMinimum", -math.inf)
    high = min(schema.get("maximum", math.inf), schema.get("exclusiveMaximum", math.inf) - (step or 1))
    floor: float = max(low, above + (step or 1)) if above >= low else low
    value = min(max(0, floor), high)
    if step:
        value = math.ceil(value / step) * step if value > 0 or floor > -math.inf else math.floor(value / step) * step
    return int(value) if whole else value
