"""The dialect of `POST /v1/responses`.

`schema` what a request may hold · `request` a request becomes a Turn · `items`, `content`, `tools`, `thinking`, `calls`
its parts · `answer` events become a response or its stream · `output`, `custom` the items of it · `options` what an
answer repeats of its request · `kept` what is stored of it · `errors` what this API alone says of failures.
"""

from ..common.dialect import Dialect
from .errors import ERRORS
from .kept import KEEPING
from .request import to_turn
from .schema import ResponsesRequest

DIALECT = Dialect(
    name="responses",
    description="A response; server-sent events when `stream` is true.",
    paths=("/v1/responses",),
    request=ResponsesRequest,
    to_turn=to_turn,
    errors=ERRORS,
    fields={
        "messages": "input",
        "schema": "text.format.schema",
        "max_tokens": "max_output_tokens",
        "effort": "reasoning.effort",
        "thinking": "reasoning",
        "strict": "tools.strict",
    },
    prefixes=("/v1/responses/",),
    keeping=KEEPING,
)
