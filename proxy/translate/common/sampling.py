"""Stop sequences and temperature, within the service's limits. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import BadRequest
from .conversation import is_blank
from .repairs import Repairs

STOP_LIMIT = 16

# The instruction for a model if a client wants JSON without a schema.
JSON_OBJECT = "Answer with one JSON object and nothing else: no Markdown fence, no words before or after it."


@dataclass(frozen=True, slots=True)
class Stops:
    """Stop sequences: those the service takes, and those of white space that the proxy cuts at itself."""

    native: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()


def clamped(temperature: float | None, ignored: list[str]) -> float | None:
    """OpenAI's scale ends at 2, Claude's at 1; a temperature that is cut down is added to `ignored`."""
    if temperature is None or temperature <= 1:
        return temperature
    ignored.append("temperature")
    return 1


def stops_of(stop: str | Sequence[str] | None, repairs: Repairs, field: str = "stop") -> Stops:
    """The stop sequences of `field`, parted. Raises BadRequest for too many of them.

    OpenAI takes white space (`"\\n"` is the usual one of autocomplete and of evaluation harnesses), the service refuses
    it ("each stop sequence must contain non-whitespace"). An empty one stops nothing.
    """
    found = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if "" in found:
        repairs.note(field, "empty sequence dropped", refusal=f"{field}: a sequence must not be empty.")
        found = tuple(item for item in found if item)
    _check_number(found, field)
    own = tuple(item for item in found if is_blank(item))
    return Stops(tuple(item for item in found if item not in own), own)


def _check_number(found: Sequence[str], field: str) -> None:
    if len(found) > STOP_LIMIT:
        raise BadRequest(f"{field}: at most {STOP_LIMIT} sequences.", param=field)
