"""Fields and values of chat requests as real clients send them, and what becomes of them. No tests here."""

from harness.shape import Shape
from translate.chat_bodies import PNG
from translate.shapes import (
    JPEG,
    has,
    image,
    pictured,
    schema,
    tool,
)

from claude_max.proxy.events import Tool, ToolChoice
from claude_max.proxy.translate.common.names import api_name

VALUES: dict[str, Shape] = {
    "stop of white space": Shape(
        '`stop: ["\\n", "END"]` (evaluation harnesses, autocomplete)',
        "the proxy cuts at the blank one; the others go to the service",
        {"stop": ["\n", "END"]},
        {"stop": ("END",)},
    ),
    "empty stop": Shape('`stop: [""]`', "dropped", {"stop": ["", "a"]}, {"stop": ("a",)}, "stop: empty sequence"),
    "whole numbers": Shape(
        "`max_tokens: 4096.0`, `n: 1.0`",
        "taken as whole numbers",
        {"max_tokens": 4096.0, "n": 1.0},
        {"max_tokens": 4096},
        "max_tokens: whole number",
    ),
    "no limit": Shape("`max_tokens: -1`", "no limit", {"max_tokens": -1}, {"max_tokens": None}, "no limit"),
    "image labelled wrongly": Shape(
        "a JPEG labelled `image/png`",
        "labelled as what it is",
        image(f"data:image/png;base64,{JPEG}"),
        pictured(JPEG, "image/jpeg"),
        "is really image/jpeg",
    ),
    "image without a type": Shape(
        "an image labelled `application/octet-stream`",
        "labelled as what it is",
        image(f"data:application/octet-stream;base64,{PNG}"),
        pictured(),
        "is really image/png",
    ),
    "base64 in lines": Shape(
        "base64 with line breaks",
        "carried without them",
        image(f"data:image/png;base64,{PNG[:40]}\r\n{PNG[40:]}\n"),
        pictured(),
        "non-standard base64",
    ),
    "base64 without padding": Shape(
        "base64 without padding, or with the letters of URLs",
        "carried with it",
        image(f"data:image/png;base64,{PNG.rstrip('=').replace('+', '-').replace('/', '_')}"),
        pictured(),
        "non-standard base64",
    ),
    "bare base64": Shape("bare base64 as an image's URL", "carried", image(PNG), pictured(), "bare base64"),
    "tool name with a dot": Shape(
        "tool names with `.`, `/` or spaces",
        "sent under another name, and reported under their own",
        {"tools": [tool("a.b/c d")], "tool_choice": {"type": "function", "function": {"name": "a.b/c d"}}},
        {
            "tools": (Tool(api_name("a.b/c d"), "", {"type": "object", "properties": {}}),),
            "tool_choice": ToolChoice("named", api_name("a.b/c d")),
        },
        "tools[0].function.name: sent under another name",
    ),
    "long tool name": Shape(
        "tool names of over 64 characters (128 and more too)",
        "carried, over 128 under another name",
        {"tools": [tool("a" * 100), tool("b" * 200)]},
        {
            "tools": tuple(
                Tool(name, "", {"type": "object", "properties": {}}) for name in ("a" * 100, api_name("b" * 200))
            )
        },
        "tools[1].function.name",
    ),
    "many tools": Shape(
        "more than 128 tools",
        "carried",
        {"tools": [tool(f"t{n}") for n in range(200)]},
        {"tools": tuple(Tool(f"t{n}", "", {"type": "object", "properties": {}}) for n in range(200))},
    ),
    "tuples of draft 7": Shape(
        "`items: […]` (draft 7)",
        "`prefixItems`",
        schema({"properties": {"a": {"type": "array", "items": [{"type": "string"}], "additionalItems": False}}}),
        has({"a": {"type": "array", "prefixItems": [{"type": "string"}], "items": False}}),
        "draft 2020-12",
    ),
    "bounds of draft 4": Shape(
        "`exclusiveMinimum: true` (draft 4)",
        "a number",
        schema(
            {
                "properties": {
                    "a": {"minimum": 0, "exclusiveMinimum": True},
                    "b": {"maximum": 9, "exclusiveMaximum": False},
                }
            }
        ),
        has({"a": {"exclusiveMinimum": 0}, "b": {"maximum": 9}}),
        "draft 2020-12",
    ),
    "nullable": Shape(
        "`nullable: true` (OpenAPI 3.0)",
        "a type `null`",
        schema(
            {"properties": {"a": {"type": "string", "nullable": True, "enum": ["x"]}, "nullable": {"type": "string"}}}
        ),
        has({"a": {"type": ["string", "null"], "enum": ["x", None]}, "nullable": {"type": "string"}}),
        "draft 2020-12",
    ),
    "nulls in a tool": Shape(
        "keywords left at null",
        "left out",
        {
            "tools": [
                tool(
                    description=None,
                    parameters={"properties": {"a": {"description": None, "default": None}}, "required": None},
                )
            ]
        },
        has({"a": {"default": None}}),
        "draft 2020-12",
    ),
}
