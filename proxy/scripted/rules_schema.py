"""The JSON schemas the real API does not compile, for structured outputs and for strict tools. Pure.

Documented (platform.claude.com, "Structured outputs", JSON Schema limitations): objects say `additionalProperties:
false`; no numerical and string constraints; of arrays only `minItems` 0 and 1; no recursion, no external `$ref`; no
`$ref` beside `allOf`; no objects in an `enum`; ten string formats; no lookarounds, backreferences and word boundaries.
The wording of the first three is that of public reports: agentjido/req_llm#302, ax-llm/ax#458,
ghostlobster/memorize-everything#93. Reported, not documented: that any other keyword that does not belong to the type
is refused with the same words, and that `oneOf` is (GoModel#963). The wording of the rest is made up after them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_ANNOTATIONS = {"type", "title", "description", "default", "examples", "enum", "const", "$schema", "$id", "$comment"}
_STRUCTURE = {"anyOf", "allOf", "$ref", "$defs", "definitions"}
_ANY = _ANNOTATIONS | _STRUCTURE
_KNOWN = {
    "object": _ANY | {"properties", "required", "additionalProperties"},
    "array": _ANY | {"items", "minItems"},
    "string": _ANY | {"format", "pattern"},
    "integer": _ANY,
    "number": _ANY,
    "boolean": _ANY,
    "null": _ANY,
}
_FORMATS = ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
_PATTERN = re.compile(r"\(\?[=!<]|\\[1-9]|\\[bB]")


def complaints(path: str, schema: Any) -> Iterator[str]:
    """Every reason to refuse `schema`, each as the error message's text, which begins with `path`."""
    left = [schema]
    while left:
        found = left.pop()
        if not isinstance(found, Mapping):
            yield f"{path}: Schema must be an object"
            continue
        yield from (f"{path}: {message}" for message in (*_keywords(found), *_ref(found.get("$ref"), schema)))
        left += reversed(list(_children(found)))
    if recursive := _recursive(schema):
        yield f"{path}: Recursive schemas are not supported: {recursive}"


def _keywords(schema: Mapping[str, Any]) -> Iterator[str]:
    kinds = schema.get("type")
    for kind in kinds if isinstance(kinds, list) else [kinds] if kinds is not None else []:
        if kind not in _KNOWN:
            yield f"Schema type '{kind}' is not supported"
            continue
        for key in schema:
            # With several types, a keyword is allowed if one of them supports it.
            if not any(key in _KNOWN.get(each, ()) for each in ([kind] if not isinstance(kinds, list) else kinds)):
                yield f"For '{kind}' type, property '{key}' is not supported"
        if kind == "object" and schema.get("additionalProperties") is not False:
            yield "For 'object' type, 'additionalProperties' must be explicitly set to false"
        if kind == "array" and schema.get("minItems", 0) not in (0, 1):
            yield "For 'array' type, 'minItems' values other than 0 or 1 are not supported"
        if kind == "string":
            yield from _string(schema)
    if kinds is None:
        for key in schema:
            if key not in _ANY:
                yield f"Schema type '{key}' is not supported"
    if any(isinstance(each, Mapping) and "$ref" in each for each in schema.get("allOf") or ()):
        yield "'allOf' with '$ref' is not supported"
    if any(isinstance(each, (dict, list)) for each in schema.get("enum") or ()):
        yield "Complex types within 'enum' are not supported"


def _string(schema: Mapping[str, Any]) -> Iterator[str]:
    if "format" in schema and schema["format"] not in _FORMATS:
        yield f"For 'string' type, format '{schema['format']}' is not supported"
    if _PATTERN.search(str(schema.get("pattern", ""))):
        yield f"For 'string' type, pattern '{schema['pattern']}' is not supported"


def _children(schema: Mapping[str, Any]) -> Iterator[Any]:
    for key in ("properties", "$defs", "definitions"):
        found = schema.get(key)
        yield from found.values() if isinstance(found, Mapping) else ()
    for key in ("anyOf", "allOf"):
        found = schema.get(key)
        yield from found if isinstance(found, list) else ()
    if "items" in schema:
        yield schema["items"]


def _ref(ref: Any, root: Any) -> Iterator[str]:
    if isinstance(ref, str) and not ref.startswith("#"):
        yield f"External $ref '{ref}' is not supported"
    elif isinstance(ref, str) and _target(ref, root) is None:
        yield f"$ref '{ref}' not found"


def _target(ref: str, root: Any) -> Any:
    found = root
    for part in ref.removeprefix("#").split("/")[1:]:
        found = found.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found


def _recursive(root: Any) -> str | None:
    """A `$ref` that leads back to itself, None when there is none."""
    leads = {ref: _refs(_target(ref, root)) for ref in _refs(root, whole=True)}
    # Whatever is left after removing all leaves is a cycle, or leads to one.
    while ends := [ref for ref, further in leads.items() if not further & leads.keys()]:
        for ref in ends:
            del leads[ref]
    return min(leads, default=None)


def _refs(schema: Any, *, whole: bool = False) -> set[str]:
    """The local references in `schema`; what is only defined in it counts where `whole`."""
    found: set[str] = set()
    left = [schema]
    while left:
        node = left.pop()
        if isinstance(node, Mapping):
            if isinstance(ref := node.get("$ref"), str) and ref.startswith("#"):
                found.add(ref)
            hidden = () if whole else ("$defs", "definitions")
            left += _children({key: value for key, value in node.items() if key not in hidden})
    return found
