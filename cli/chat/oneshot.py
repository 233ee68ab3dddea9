"""One question and its answer. Only the answer goes to stdout; everything else goes to stderr."""

import contextlib
from typing import TYPE_CHECKING

from ..output import out, print_json, writing
from .client import ENDINGS, Client, Ended, Said, Thought, Unfit
from .session import Exchange, Question, Session
from .view import note, quiet_keys, view

if TYPE_CHECKING:
    from .schema import Schema


async def answer(client: Client, session: Session, question: Question, schema: "Schema | None", *, raw: bool) -> None:
    """Streams the answer to stdout. Raises Failure; the part received is already printed by then."""
    body = session.body(question, stream=True, schema=schema.value if schema else None)
    said, model = "", session.model
    # An answer with a schema is data; Markdown would render it as a paragraph.
    screen = view(out, raw=raw or schema is not None)
    try:
        with quiet_keys(screen):
            async with contextlib.aclosing(client.stream(body)) as pieces:
                async for piece in pieces:
                    match piece:
                        case Said(text):
                            said += text
                            screen.say(text)
                        case Thought(text):
                            screen.think(text)
                        case Ended(answered, reason):
                            model = answered
                            if reason in ENDINGS:
                                screen.close()
                                note(ENDINGS[reason])
    finally:
        screen.close()
    session.record(Exchange(question, said, model), None)
    _check(schema, said)


async def completion(client: Client, session: Session, question: Question, schema: "Schema | None") -> None:
    """Prints the whole completion object. Raises Failure."""
    whole = await client.complete(session.body(question, stream=False, schema=schema.value if schema else None))
    with writing():
        print_json(whole)
    said = whole["choices"][0]["message"]["content"] or ""
    session.record(Exchange(question, said, str(whole.get("model") or session.model)), whole.get("usage"))
    _check(schema, said)


def _check(schema: "Schema | None", answer: str) -> None:
    if schema is not None and (complaint := schema.complaint(answer)):
        raise Unfit(complaint)
