"""The dialect of Anthropic's Messages API, `POST /v1/messages` and the count of its tokens.

The vocabulary in the middle is made after this API, so a request travels as it is: the messages and the tools that
reach the service are those that the client sent. Only what the service would refuse is repaired.

`schema` what a request may hold · `request` a request becomes a Turn · `conversation`, `content`, `tools` its parts ·
`checks` what the service refuses of a conversation · `rebuilt` repairs such a conversation ·
`answer` events become a message or its stream · `models` the list of models · `errors` failures.
"""

from dataclasses import replace

from ..common.dialect import Dialect
from ..common.endpoints import Catalog, Counter
from ..common.frames import SSE, server_sent_event
from .answer import PING
from .errors import ANTHROPIC_ERRORS
from .models import model_list, model_object
from .request import to_count, to_turn
from .schema import CountRequest, MessagesRequest

DIALECT = Dialect(
    name="messages",
    description="A message in Anthropic's own form; server-sent events when `stream` is true.",
    paths=("/v1/messages",),
    request=MessagesRequest,
    to_turn=to_turn,
    errors=ANTHROPIC_ERRORS,
    stream=replace(SSE, keep_alive=server_sent_event(PING)),
    fields={
        "schema": "output_config.format",
        "effort": "output_config.effort",
        "stop": "stop_sequences",
        "thinking_budget": "thinking.budget_tokens",
        "strict": "tools.strict",
    },
    prefixes=("/v1/messages/", "/v1/complete"),
    headers=("anthropic-version",),
    absent={
        "/v1/messages/batches": "There is no batch API; send requests in parallel.",
        "/v1/complete": "Use /v1/messages.",
        "/v1/skills": "There is no skills API.",
    },
    counter=Counter(
        path="/v1/messages/count_tokens",
        request=CountRequest,
        to_turn=to_count,
        answer=lambda tokens: {"input_tokens": tokens},
        description="Counts the input tokens of a message, as the CLI counts them. Costs no tokens.",
    ),
    catalog=Catalog(model_list, model_object),
)
