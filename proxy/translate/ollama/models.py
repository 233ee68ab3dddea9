"""Ollama's endpoints about models and the server: tags, show, ps, version. Pure."""

import hashlib

from ...errors import BadRequest
from ...events import JsonObject, Model
from ..common.dialect import RequestContext
from ..common.models import ids, resolve
from ..common.validation import shaped
from .schema import OllamaShowRequest

# The version of ollama whose API this implements. Clients refuse servers older than the features they use.
LEVEL = "0.13.0"
LATEST = ":latest"
# The CLI reports no dates.
MODIFIED = "1970-01-01T00:00:00Z"
FAMILY = "claude"
CAPABILITIES = ("completion", "tools", "vision", "thinking")
# Tokens of a window that the CLI has not reported yet; every model has at least this many.
WINDOW = 200_000
DETAILS: JsonObject = {
    "parent_model": "",
    "format": "",
    "family": FAMILY,
    "families": [FAMILY],
    "parameter_size": "",
    "quantization_level": "",
}


def bare(name: str) -> str:
    """A model's name without ollama's default tag."""
    return name.removesuffix(LATEST)


def version(_: JsonObject, __: RequestContext) -> JsonObject:
    """`GET /api/version`."""
    return {"version": LEVEL}


def running(_: JsonObject, __: RequestContext) -> JsonObject:
    """`GET /api/ps`: no model is loaded on this machine, ever."""
    return {"models": []}


def tags(_: JsonObject, context: RequestContext) -> JsonObject:
    """`GET /api/tags`. Names of one model have one digest, by which clients know that."""
    return {"models": [_tag(id, context) for id in ids(context.models, context.aliases)]}


def show(body: JsonObject, context: RequestContext) -> JsonObject:
    """`POST /api/show`. Raises BadRequest, ModelNotFound."""
    request = shaped(OllamaShowRequest, body)
    name = request.model or request.name
    if not name:
        raise BadRequest("model: Field required", param="model")
    row = _row(resolve(bare(name), context.models, context.aliases), context)
    window = (row.context_window if row is not None else None) or WINDOW
    return {
        "modelfile": "",
        "parameters": "",
        "template": "",
        "license": "",
        "details": {**DETAILS, "context_length": window},
        "model_info": {
            "general.architecture": FAMILY,
            "general.basename": row.id if row is not None else bare(name),
            f"{FAMILY}.context_length": window,
        },
        "capabilities": list(CAPABILITIES),
        "modified_at": MODIFIED,
    }


def _tag(id: str, context: RequestContext) -> JsonObject:
    name = id if ":" in id else f"{id}{LATEST}"
    meant = resolve(id, context.models, context.aliases)
    return {
        "name": name,
        "model": name,
        "modified_at": MODIFIED,
        "size": 0,
        "digest": hashlib.sha256(meant.encode()).hexdigest(),
        "details": DETAILS,
        "capabilities": list(CAPABILITIES),
    }


def _row(name: str, context: RequestContext) -> Model | None:
    return next((row for row in context.models if name in (row.name, row.id)), None)
