"""The dialect of Anthropic's Messages API, `POST /v1/messages` and the count of its tokens.

The types in `events` follow this API, so messages and tools reach the service as the client sent them. Only what the
service would refuse is repaired.

`schema` the request's model · `request` turns it into a Turn · `conversation`, `content`, `tools` its parts · `checks`
finds what the service would refuse in a conversation, `rebuilt` repairs it · `answer` turns events into a message or
its stream · `models` the model list · `errors` errors.
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
