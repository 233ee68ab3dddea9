"""`POST /v1/completions`: the legacy form, over the same machinery as chat."""

from collections.abc import AsyncGenerator

from fastapi import APIRouter, Request, Response

from ..events import JsonObject, Started, Usage
from ..translate.chat_answer import Stamp, with_model
from ..translate.completions import CompletionRequest, TextChoice, frame, to_turn
from .answers import Answers, respond, translated
from .openapi import described
from .services import Wired

router = APIRouter()


@router.post("/v1/completions", openapi_extra=described(CompletionRequest))
async def completions(request: Request, services: Wired) -> Response:
    """A text completion; server-sent events when `stream` is true."""
    turn, options, echo = await translated(request, services, to_turn)
    stamp = Stamp(f"cmpl-{services.new_id()}", int(services.now()), turn.model)

    async def whole(answers: Answers, started: Started) -> JsonObject:
        choices = [TextChoice(index, echo) for index in range(options.n)]
        async for index, event in answers:
            choices[index].feed(event)
        usage = sum((choice.usage for choice in choices), Usage())
        return frame(with_model(stamp, started.model), [choice.render() for choice in choices], usage)

    async def chunks(answers: Answers, started: Started) -> AsyncGenerator[JsonObject]:
        named = with_model(stamp, started.model)
        choices = [TextChoice(index, echo) for index in range(options.n)]
        async for index, event in answers:
            choice = choices[index].feed(event)
            if choice is not None:
                yield frame(named, [choice])
        if options.include_usage:
            yield frame(named, [], sum((choice.usage for choice in choices), Usage()))

    answers = Answers(services.engine, turn, options.n, services.settings.workers)
    return await respond(request, services, answers, options, whole, chunks)
