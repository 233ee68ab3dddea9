"""`POST /v1/chat/completions`: one or several turns side by side, as one object or as a stream."""

from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request, Response

from ..events import JsonObject, Started
from ..translate.chat_answer import Choice, Chunks, Stamp, completion, with_model
from ..translate.chat_request import to_turn
from ..translate.chat_schema import ChatRequest
from .answers import Answers, respond, translated
from .openapi import described
from .services import Wired

router = APIRouter()


@router.post("/v1/chat/completions", openapi_extra=described(ChatRequest))
async def chat_completions(request: Request, services: Wired) -> Response:
    """A chat completion; server-sent events when `stream` is true."""
    turn, options = await translated(request, services, to_turn)
    stamp = Stamp(f"chatcmpl-{services.new_id()}", int(services.now()), turn.model)

    async def whole(answers: Answers, started: Started) -> JsonObject:
        choices = [Choice(index, options) for index in range(options.n)]
        async for index, event in answers:
            choices[index].feed(event)
        return completion(with_model(stamp, started.model), choices)

    async def chunks(answers: Answers, started: Started) -> AsyncGenerator[JsonObject]:
        made = Chunks(with_model(stamp, started.model), options)
        async for index, event in answers:
            for chunk in made.feed(index, event):
                yield chunk
        for chunk in made.last():
            yield chunk

    answers = Answers(services.engine, turn, options.n, services.settings.workers)
    return await respond(request, services, answers, options, whole, chunks)
