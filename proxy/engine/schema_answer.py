"""An answer in the CLI's own schema mode, for models that refuse `output_config.format`. Pure.

The CLI gives the model a tool named StructuredOutput and asks again until what it was handed fits the schema. Only
the `result` line tells which attempt counts, so nothing of an attempt is shown before it. Each attempt was paid for, so
their usage adds up.
"""

from collections.abc import Collection
from dataclasses import replace

import orjson
from jsonschema_rs import Draft202012Validator, ValidationError

from .. import errors
from ..events import Event, Finished, JsonObject, Started, TextDelta, ToolCallDelta, ToolCallStarted, Usage
from .answer import Answer

TOOL = "StructuredOutput"


class SchemaAnswer(Answer):
    """As Answer; its text is the JSON that fits, in one piece, or its calls are the client's own tools."""

    def __init__(
        self, schema: JsonObject, uuid: str | None, tools: Collection[str] = (), rate_limit: JsonObject | None = None
    ) -> None:
        """`schema` is the client's own; the CLI knows it without what its mode does not take."""
        super().__init__(uuid, tools, rate_limit)
        self._schema = schema
        self._spent = Usage()

    def feed(self, line: JsonObject, now: float) -> list[Event]:
        """The events this line brings; raises UpstreamFault when no attempt fitted the schema.

        Raises BadRequest where the CLI cannot use the schema: it leaves it away, and asks the model without.
        """
        if line.get("subtype") == "init" and TOOL not in line.get("tools", ()):
            raise errors.BadRequest(
                "This model needs the CLI's own way to make an answer fit a schema, and that cannot use this one: it "
                "takes JSON Schema draft 7, with patterns as in JavaScript.",
                param="response_format.json_schema.schema",
            )
        if line.get("type") == "result" and self.finished is None and not line.get("is_error"):
            self.over = True
            if not self._satisfies(line.get("structured_output")):
                raise errors.UpstreamFault("The model gave no answer that fits the schema.")
            text = orjson.dumps(line["structured_output"]).decode()
            self._calls.clear()
            self._text = [text]
            self.finished = Finished("end_turn", self._spent)
            return [TextDelta(text), self.finished]
        events = super().feed(line, now)
        return [event for event in events if isinstance(event, Started | Finished) or self._is_call(event)]

    def _start(self, message: JsonObject) -> list[Event]:
        # Another attempt of the CLI's: what was held of the one before is not the answer.
        self._text.clear()
        self._calls.clear()
        return super()._start(message)

    def _end(self, event: JsonObject) -> list[Event]:
        own = {index: call for index, call in self._calls.items() if call.name != TOOL}
        reason = (event.get("delta") or {}).get("stop_reason")
        ends = super()._end(event)
        if not ends:
            return []
        self._spent += self._usage
        if own or reason in ("max_tokens", "refusal"):
            self._calls = {i: call for i, call in self._calls.items() if call.name != TOOL}
            calls: list[Event] = []
            for number, call in enumerate(own.values()):
                call.index = number
                calls += [ToolCallStarted(number, call.id, call.name), ToolCallDelta(number, call.json)]
            assert self.finished is not None
            self.finished = replace(self.finished, usage=self._spent)
            return [*calls, self.finished]
        self.finished = None
        return []

    def _satisfies(self, value: object) -> bool:
        if value is None:
            return False
        try:
            return Draft202012Validator(self._schema).is_valid(value)
        except ValidationError:
            # A pattern in JavaScript's language, which the CLI has looked at.
            return True

    def _is_call(self, event: Event) -> bool:
        return self.finished is not None and isinstance(event, ToolCallStarted | ToolCallDelta)
