"""Where an answer stops and how its words are chosen: limits that the service sets for every dialect. Pure."""

from collections.abc import Sequence

from ...errors import BadRequest

STOP_LIMIT = 16

# What is asked of a model where a client wants JSON, and gives no schema.
JSON_OBJECT = "Answer with one JSON object and nothing else: no Markdown fence, no words before or after it."


def clamped(temperature: float | None, ignored: list[str]) -> float | None:
    """OpenAI's scale ends at 2, Claude's at 1; a temperature that is cut down is added to `ignored`."""
    if temperature is None or temperature <= 1:
        return temperature
    ignored.append("temperature")
    return 1


def stop_of(stop: str | Sequence[str] | None, field: str = "stop") -> tuple[str, ...]:
    """The stop sequences of `field`. Raises BadRequest for blank ones, which the service refuses."""
    found = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(found) > STOP_LIMIT:
        raise BadRequest(f"{field}: at most {STOP_LIMIT} sequences.", param=field)
    if any(not item.strip() for item in found):
        raise BadRequest(f"{field}: a sequence must hold something other than white space.", param=field)
    return found
