"""The dialects of ollama: `POST /api/chat` and `POST /api/generate`, and its endpoints about models.

`schema` the request's model · `request` turns it into a Turn · `conversation` its messages · `answer` turns events into
lines · `models` the other endpoints · `errors` errors. Source of the wire format: ollama's api/types.go, docs/api.md.
"""

from ..common.dialect import Dialect
from ..common.endpoints import View
from ..common.frames import NDJSON
from . import models
from .errors import OLLAMA_ERRORS
from .request import chat_turn, generate_turn
from .schema import OllamaChatRequest, OllamaGenerateRequest

FIELDS = {
    "schema": "format",
    "max_tokens": "options.num_predict",
    "stop": "options.stop",
    "temperature": "options.temperature",
    "top_p": "options.top_p",
    "top_k": "options.top_k",
    "thinking": "think",
    "effort": "think",
}
NO_STORE = "Models are the service's own; none is stored here."
NO_EMBEDDINGS = "Claude models make no embeddings."

CHAT = Dialect(
    name="ollama_chat",
    description="A chat as ollama has it; lines of JSON unless `stream` is false.",
    paths=("/api/chat",),
    request=OllamaChatRequest,
    to_turn=chat_turn,
    errors=OLLAMA_ERRORS,
    stream=NDJSON,
    fields=FIELDS,
    prefixes=("/api/",),
    views=(
        View("/api/version", "GET", models.version, "The version of ollama's API that is spoken."),
        View("/api/tags", "GET", models.tags, "Every model."),
        View("/api/ps", "GET", models.running, "What is loaded: nothing."),
        View("/api/show", "POST", models.show, "One model."),
    ),
    absent={
        "/api/embed": NO_EMBEDDINGS,
        "/api/embeddings": NO_EMBEDDINGS,
        **dict.fromkeys(("/api/pull", "/api/push", "/api/create", "/api/copy", "/api/delete", "/api/blobs"), NO_STORE),
    },
    untyped=True,
)
GENERATE = Dialect(
    name="ollama_generate",
    description="A text as ollama generates it; lines of JSON unless `stream` is false.",
    paths=("/api/generate",),
    request=OllamaGenerateRequest,
    to_turn=generate_turn,
    errors=OLLAMA_ERRORS,
    stream=NDJSON,
    fields={**FIELDS, "messages": "prompt"},
    untyped=True,
)
DIALECTS = (CHAT, GENERATE)
