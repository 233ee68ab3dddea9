"""`POST /v1/chat/completions`: one or several turns side by side, as one object or as a stream.

The status waits for the model's first event, so that a failure keeps its own status also when `stream` is true.
"""

import contextlib
from collections.abc import AsyncGenerator
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from ..events import JsonObject, Started
from ..translate.chat_answer import Choice, Chunks, Stamp, completion, with_model
from ..translate.chat_request import ChatOptions, to_turn
from ..translate.chat_schema import ChatRequest
from ..translate.validation import parse_object
from .answers import Answers
from .services import Wired
from .stream import DONE, EventStream, data, while_connected

router = APIRouter()

IGNORED = "x-claude-max-ignored"
BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": ChatRequest.model_json_schema()}}}
}


@router.post("/v1/chat/completions", openapi_extra=BODY)
async def chat_completions(request: Request, services: Wired) -> Response:
    """A chat completion; server-sent events when `stream` is true."""
    body = parse_object(await request.body())
    turn, options = to_turn(body, services.models(), services.settings.aliases)
    stamp = Stamp(f"chatcmpl-{services.new_id()}", int(services.now()), turn.model)
    answers = Answers(services.engine, turn, options.n)
    if options.stream:
        started = await while_connected(request, answers.start())
        chunks = _chunks(answers, with_model(stamp, started.model), options)
        return EventStream(chunks, _headers(options, started), services.settings.keepalive)
    found, started = await while_connected(request, _whole(answers, stamp, options))
    return Response(orjson.dumps(found), headers=_headers(options, started), media_type="application/json")


async def _whole(answers: Answers, stamp: Stamp, options: ChatOptions) -> tuple[JsonObject, Started]:
    async with contextlib.aclosing(answers):
        started = await answers.start()
        choices = [Choice(index, options) for index in range(options.n)]
        async for index, event in answers:
            choices[index].feed(event)
        return completion(with_model(stamp, started.model), choices), started


async def _chunks(answers: Answers, stamp: Stamp, options: ChatOptions) -> AsyncGenerator[bytes]:
    chunks = Chunks(stamp, options)
    async with contextlib.aclosing(answers):
        async for index, event in answers:
            for chunk in chunks.feed(index, event):
                yield data(chunk)
        for chunk in chunks.last():
            yield data(chunk)
        yield DONE


def _headers(options: ChatOptions, started: Started) -> dict[str, str]:
    """Names every parameter that had no effect."""
    ignored = [*options.ignored, *sorted(started.ignored.difference(options.ignored))]
    return {IGNORED: ", ".join(ignored)} if ignored else {}
