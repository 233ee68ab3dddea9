"""`--schema`: reads and checks the schema before the request, and validates the answer.

Pure except for reading. The proxy makes the model follow the schema. The answer may still not satisfy it: it was cut
short, it is a refusal, or it violates what a model's schema mode does not enforce (lengths, patterns, bounds). Scripts
must see that.
"""

import json
from dataclasses import dataclass
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from claude_max.proxy.errors import BadRequest
from claude_max.proxy.events import JsonObject
from claude_max.proxy.translate.common.json_schema import check_schema

from .attach import read
from .commands import Unusable


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON Schema and the name of its file."""

    name: str
    value: JsonObject

    def complaint(self, answer: str) -> str | None:
        """Why an answer does not satisfy it, in one line; None if it does."""
        try:
            found: Any = json.loads(answer)
        except (ValueError, RecursionError):
            return f"The answer is not JSON, so it does not satisfy {self.name}."
        try:
            error = next(iter(Draft202012Validator(self.value).iter_errors(found)), None)
        except ValidationError:
            # A pattern in another regular expression dialect: only the service can check it.
            return None
        if error is None:
            return None
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)
        why = " ".join(error.message.split())
        return f"The answer does not satisfy {self.name}: at ${path}: {why}."


def schema(name: str) -> Schema:
    """A JSON Schema from a file, from stdin ("-"), or inline. Raises Unusable if it is not one."""
    inline = name.lstrip().startswith("{")
    given, name = (name, "--schema") if inline else (read(name), name)
    try:
        found: Any = json.loads(given)
    except json.JSONDecodeError as error:
        raise Unusable(f"{name} is not JSON: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except (UnicodeDecodeError, RecursionError):
        raise Unusable(f"{name} is not JSON.") from None
    if not isinstance(found, dict):
        raise Unusable(f"{name} is not a JSON Schema: a schema is an object.")
    try:
        check_schema(found, "schema")
    except BadRequest as error:
        raise Unusable(f"{name} is not a JSON Schema: {error.message.rstrip('.')}.") from None
    return Schema(name, found)
