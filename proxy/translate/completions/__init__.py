"""The dialect of the legacy `POST /v1/completions`.

Chat models do not continue a text; the prompt is asked as a user's message, as OpenAI-compatible servers do.
`schema` what a request may hold · `request` a request becomes a Turn · `answer` events become a text completion or its
chunks.
"""

from ..common.dialect import Dialect
from ..common.openai_completions import STREAM
from ..common.openai_errors import OPENAI_ERRORS
from .request import to_turn
from .schema import CompletionRequest

DIALECT = Dialect(
    name="completions",
    description="A text completion; server-sent events when `stream` is true.",
    paths=("/v1/completions",),
    request=CompletionRequest,
    to_turn=to_turn,
    errors=OPENAI_ERRORS,
    stream=STREAM,
    fields={"messages": "prompt"},
)
