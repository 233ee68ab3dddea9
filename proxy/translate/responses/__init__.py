"""The dialect of `POST /v1/responses`.

`schema` the request's model · `request` turns it into a Turn · `items`, `content`, `tools`, `thinking` its parts ·
`answer` turns events into a response or its stream · `output`, `calls`, `custom` its items · `options` what an answer
repeats of its request · `compaction`, `summary` compact a conversation into one item · `kept` stored responses ·
`errors` this API's own errors.
"""

from dataclasses import replace

from ..common.dialect import Dialect
from ..common.endpoints import Counter
from .errors import ERRORS
from .kept import KEEPING
from .request import to_compaction, to_count, to_turn
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
    counter=Counter(
        path="/v1/responses/input_tokens",
        request=ResponsesRequest,
        to_turn=to_count,
        answer=lambda tokens: {"object": "response.input_tokens", "input_tokens": tokens},
        description="The tokens that a response would have as input. Costs none.",
    ),
)

COMPACT = replace(
    DIALECT,
    name="responses_compact",
    description="A conversation, replaced by an item that sums it up.",
    paths=("/v1/responses/compact",),
    to_turn=to_compaction,
    keeping=None,
    counter=None,
)
