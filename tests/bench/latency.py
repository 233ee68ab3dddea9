"""One request after the other: the time to the first token, and what the service is sent and has cached.

A measurement takes a server and yields samples, as (key of a row, value). It raises CannotError where the server does
not do what it measures.
"""

import base64
import io
import itertools
import json
import os
from collections.abc import Iterator

from PIL import Image

from claude_max.proxy.scripted import PromptCache

from .client import CannotError, Message, ask, plain, system, user
from .servers import Server

Samples = Iterator[tuple[str, float]]
TURNS, HISTORY, SCHEMAS = 10, 100, 50
CONVERSATIONS, CACHED_TURNS = 10, 3
REPEATS = 3
IMAGE_MB = 20
LOOK = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Looks up the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "person",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
            "required": ["name", "age"],
            "additionalProperties": False,
        },
    },
}


def new(server: Server) -> Samples:
    """New conversations, each with a system prompt of its own."""
    for _ in range(REPEATS):
        yield "new", _first(server, system(), user())[0]


def later(server: Server) -> Samples:
    """The same, after longer conversations."""
    for _ in range(REPEATS):
        yield "later", _first(server, system(), user())[0]


def turns(server: Server) -> Samples:
    """The turns of one conversation but its first."""
    history = [system()]
    for turn in range(TURNS):
        history.append(user())
        seconds, said = _first(server, *history)
        history.append({"role": "assistant", "content": said})
        if turn:
            yield "turns", seconds


def edited(server: Server) -> Samples:
    """A conversation of four turns whose second user message changes, and then ends there."""
    history = [system()]
    for _ in range(4):
        history.append(user())
        history.append({"role": "assistant", "content": _first(server, *history)[1]})
    history.pop()
    history[3] = user("changed")
    yield "edited", _first(server, *history)[0]
    yield "cut", _first(server, *history[:3], user("changed again"))[0]


def history(server: Server) -> Samples:
    """A long conversation that the server has not seen before, as another program's is when it is taken up."""
    for _ in range(REPEATS):
        past = [system()]
        for turn in range(HISTORY):
            past += [user(), {"role": "assistant", "content": f"answer {turn}"}]
        yield "history", _first(server, *past, user())[0]


def tool(server: Server) -> Samples:
    """A question, the call it leads to, its result, and the first token of the answer."""
    for _ in range(REPEATS):
        call = {"name": "look", "input": {"city": "Paris"}}
        asked = [system(), user(call=call, then={"text": "Sunny."})]
        server.rest()
        first = ask(server.url, *asked, tools=[LOOK])
        if first.call is None:
            raise CannotError("the tools of the request are dropped")
        named = {"name": "look", "arguments": json.dumps(call["input"])}
        made = {"id": first.call, "type": "function", "function": named}
        asked.append({"role": "assistant", "content": None, "tool_calls": [made]})
        asked.append({"role": "tool", "tool_call_id": first.call, "content": "sunny"})
        second = ask(server.url, *asked, tools=[LOOK])
        if second.text != "Sunny.":
            raise CannotError(f"the result of a call led to {second.text[:60]!r}")
        yield "tool", first.whole + second.first


def schema(server: Server) -> Samples:
    """Answers by one JSON schema; the time to the end of each."""
    server.rest()
    for _ in range(SCHEMAS):
        answer = ask(server.url, plain(), response_format=SCHEMA)
        try:
            holds = set(json.loads(answer.text)) == {"name", "age"}
        except (ValueError, TypeError):
            holds = False
        if not holds:
            raise CannotError("response_format is dropped")
        yield "schema", answer.whole


def image(server: Server) -> Samples:
    """A picture of noise, as large as its bytes."""
    side = int((IMAGE_MB * 1e6 / 3) ** 0.5)
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(file, "PNG", compress_level=1)
    url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    for _ in range(REPEATS - 1):
        told = user("What is this?")["content"]
        content = [{"type": "text", "text": told}, {"type": "image_url", "image_url": {"url": url}}]
        seconds, _ = _first(server, {"role": "user", "content": content})
        if '"type": "image"' not in json.dumps(server.api.api.bodies()[-1]):
            raise CannotError("the image is dropped")
        yield "image", seconds


def body(server: Server) -> Samples:
    """What the service is sent for "Hello", in characters of compact JSON."""
    server.rest()
    ask(server.url, {"role": "user", "content": "Hello"})
    sent = server.api.api.bodies()[-1]
    yield "body", len(json.dumps(sent, ensure_ascii=False, separators=(",", ":")))


def cache(server: Server) -> Samples:
    """Conversations in turn, on a service whose prompt cache is empty. The samples are of all of them together."""
    api = server.api.api
    api.cache = PromptCache()
    begin = api.arrived
    talks: list[list[Message]] = [[system("You know the whole manual. " * 300)] for _ in range(CONVERSATIONS)]
    for _, talk in itertools.product(range(CACHED_TURNS), talks):
        talk.append(user("Some more words of the question. " * 20))
        talk.append({"role": "assistant", "content": ask(server.url, *talk).text})
    totals = api.cached(begin)
    yield "cached", totals.read / totals.total * 100
    yield "repeated", totals.share * 100
    yield "uncached", (totals.total - totals.read) / (CONVERSATIONS * CACHED_TURNS)


def _first(server: Server, *messages: Message) -> tuple[float, str]:
    """Seconds to the first token, and the answer."""
    server.rest()
    answer = ask(server.url, *messages)
    return answer.first, answer.text
