"""One question, one answer, and the end. stdout gets the answer and nothing else; everything else goes to stderr."""

import contextlib
import json

import typer

from ..output import out, writing
from .client import ENDINGS, Client, Ended, Said, Thought
from .session import JsonObject, Question, Session
from .view import note, quiet_keys, view


async def answer(client: Client, session: Session, question: Question, schema: JsonObject | None, *, raw: bool) -> None:
    """Streams the answer to stdout. Raises Failure; what had come is then on the screen already."""
    # An answer after a schema is data, and Markdown would draw it as a paragraph.
    screen = view(out, raw=raw or schema is not None)
    try:
        with quiet_keys(screen):
            async with contextlib.aclosing(client.stream(session.body(question, stream=True, schema=schema))) as pieces:
                async for piece in pieces:
                    match piece:
                        case Said(text):
                            screen.say(text)
                        case Thought(text):
                            screen.think(text)
                        case Ended(_, reason) if reason in ENDINGS:
                            screen.close()
                            note(ENDINGS[reason])
    finally:
        screen.close()


async def completion(client: Client, session: Session, question: Question, schema: JsonObject | None) -> None:
    """Prints the whole completion object. Raises Failure."""
    whole = await client.complete(session.body(question, stream=False, schema=schema))
    with writing():
        typer.echo(json.dumps(whole, indent=2, ensure_ascii=False))
