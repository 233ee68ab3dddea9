"""`GET /v1/models` as the Messages API has it. Pure."""

from ...events import JsonObject, Model
from ..common.dialect import RequestContext
from ..common.models import ids, resolve

# "May be set to an epoch value if the release date is unknown": the CLI reports no dates.
CREATED = "1970-01-01T00:00:00Z"


def model_list(context: RequestContext) -> JsonObject:
    """Every id that a client may use, on one page."""
    found = ids(context.models, context.aliases)
    data = [_object(id, context) for id in found]
    return {"data": data, "has_more": False, "first_id": found[0], "last_id": found[-1]}


def model_object(id: str, context: RequestContext) -> JsonObject:
    """One model. Raises ModelNotFound."""
    resolve(id, context.models, context.aliases)
    return _object(id, context)


def _object(id: str, context: RequestContext) -> JsonObject:
    row = _row(resolve(id, context.models, context.aliases), context)
    shown = row.display_name if row is not None else ""
    return {
        "type": "model",
        "id": id,
        "display_name": shown or id,
        "created_at": CREATED,
        "lifecycle": "active",
        "max_input_tokens": row.context_window if row is not None else None,
        "max_tokens": row.max_output if row is not None else None,
    }


def _row(name: str, context: RequestContext) -> Model | None:
    return next((row for row in context.models if name in (row.name, row.id)), None)
