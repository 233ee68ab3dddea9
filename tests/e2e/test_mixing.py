"""Many unlike requests over few workers: nothing of one request ever reaches the model in another's.

Each request has a secret word, in every text it brings, and limits of its own. Every upstream body must hold one word
only, with the limits that belong to it, and every answer must be its own. CLAUDE_MAX_MIXED sets how many requests.
"""

import asyncio
import json
import os
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import uuid4

import openai
import psutil
import pytest
from harness.proxy import RunningProxy, running_proxy, scripted, sessions
from harness.upstream import seen

REQUESTS = int(os.environ.get("CLAUDE_MAX_MIXED", "80"))
WORKERS = 3
# The server's own memory may grow by so much after the first quarter of the requests.
GROWTH = 40 * 1024 * 1024
WORD = re.compile(r"secret[0-9a-f]{12}x")
MODELS = {"sonnet": "claude-sonnet-5-5", "opus": "claude-opus-5-5", "haiku": "claude-haiku-5-5"}


@dataclass
class Asker:
    """One client with a secret word and its own settings, kept for all its requests."""

    client: openai.AsyncOpenAI
    dice: random.Random
    word: str = field(default_factory=lambda: f"secret{uuid4().hex[:12]}x")
    leaves: bool = False
    limited: bool = False
    sent: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model = self.dice.choice(list(MODELS))
        self.fields: dict[str, Any] = {"model": self.model}
        self.wanted: dict[str, Any] = {
            "model": MODELS[self.model],
            "max_tokens": 128000,
            "effort": "medium",
            "stop": None,
        }
        self.system = [{"role": "system", "content": f"system of {self.word}"}] if self.dice.random() < 0.6 else []
        if self.dice.random() < 0.4:
            limit = self.dice.randint(2000, 60000)
            self.fields["max_tokens"] = self.wanted["max_tokens"] = limit
        if self.dice.random() < 0.3:
            self.fields["stop"] = self.wanted["stop"] = [f"stop {self.word}"]
        if self.dice.random() < 0.3:
            self.fields["reasoning_effort"] = self.wanted["effort"] = self.dice.choice(["low", "high", "max"])

    def prompt(self, **reply: Any) -> Any:
        text = json.dumps(reply or {"text": f"answer for {self.word}"})
        return {"role": "user", "content": f"{self.word} asks {uuid4().hex}\nscripted: {text}"}

    async def ask(self, *messages: Any, **fields: Any) -> Any:
        answer = await self.create(messages, **fields)
        return answer.choices[0].message

    async def create(self, messages: Sequence[Any], **fields: Any) -> Any:
        self.sent.append(list(told(messages)))
        create: Any = self.client.chat.completions.create
        return await create(**{**self.fields, "messages": [*self.system, *messages], **fields})

    async def mine(self, *messages: Any) -> Any:
        message = await self.ask(*messages)
        assert message.content == f"answer for {self.word}"
        return {"role": "assistant", "content": message.content}

    # Kinds of use

    async def single(self) -> None:
        await self.mine(self.prompt())

    async def streamed(self) -> None:
        stream = await self.create([self.prompt()], stream=True)
        deltas = [chunk.choices[0].delta.content or "" async for chunk in stream]
        assert "".join(deltas) == f"answer for {self.word}"

    async def follow_up_and_fork(self) -> None:
        one = self.prompt()
        first = await self.mine(one)
        two = self.prompt()
        second = await self.mine(one, first, two)
        await self.mine(one, first, two, second, self.prompt())
        await self.mine(one, first, self.prompt())
        await self.mine(one, first, two, second, self.prompt())

    async def tools(self) -> None:
        names = [f"look_{self.word}", "Bash"]
        # One tool has the same name in every request, and now and then a description of its own.
        own = self.dice.random() < 0.2
        about = {names[0]: f"of {self.word}", "Bash": f"of {self.word}" if own else "runs"}
        empty = {"type": "object", "properties": {}}
        self.fields["tools"] = [
            {"type": "function", "function": {"name": name, "description": text, "parameters": empty}}
            for name, text in about.items()
        ]
        calls = [{"name": name, "input": {"q": self.word}} for name in names]
        prompt = self.prompt(call=calls, then={"text": f"answer for {self.word}"})
        message = await self.ask(prompt)
        assert [call.function.name for call in message.tool_calls] == names
        if self.dice.random() < 0.3:
            return  # abandoned: no worker waits for the results
        results = [
            {"role": "tool", "tool_call_id": c.id, "content": f"result {self.word} of {c.id}"}
            for c in message.tool_calls
        ]
        await self.mine(prompt, message.model_dump(exclude_none=True), *reversed(results))

    async def schema(self) -> None:
        properties = {self.word: {"type": "string"}}
        schema = {"type": "object", "properties": properties, "required": [self.word], "additionalProperties": False}
        form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
        message = await self.ask({"role": "user", "content": f"{self.word} wants JSON"}, response_format=form)
        assert list(json.loads(message.content)) == [self.word]

    async def aborted(self) -> None:
        self.leaves = True
        prompt = self.prompt(words=10_000, pause=self.dice.choice([0.002, 0.05]))
        stream = await self.create([prompt], stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        await stream.close()

    async def cut(self) -> None:
        self.limited = True
        message = await self.ask(self.prompt(text=f"{self.word} cut", stop_reason="max_tokens"))
        assert message.content == f"{self.word} cut"

    async def failing(self) -> None:
        try:
            await self.ask(self.prompt(status=529))
        except openai.InternalServerError as error:
            assert error.status_code == 503  # noqa: PT017
        else:
            raise AssertionError("an overloaded service was passed off as an answer")


KINDS = ("single", "streamed", "follow_up_and_fork", "tools", "schema", "aborted", "cut", "failing")


def told(messages: Sequence[Any]) -> Iterator[tuple[str, list[str]]]:
    """What the model must see of them: roles, and the facts of each message."""
    for role, together in groupby(messages, lambda message: message["role"]):
        facts: list[str] = []
        for message in together:
            if role == "tool":
                facts.append(f"{message['tool_call_id']} {message['content']}")
                continue
            facts += [message["content"]] if message.get("content") else []
            for call in message.get("tool_calls") or ():
                facts.append(f"{call['id']} {call['function']['name']} {json.loads(call['function']['arguments'])}")
        yield "user" if role == "tool" else role, sorted(facts)


def fact(block: dict[str, Any]) -> str:
    """A block of the Messages API in the same words."""
    match block["type"]:
        case "text":
            return str(block["text"])
        case "tool_use":
            return f"{block['id']} {block['name']} {block['input']}"
        case "tool_result":
            (text,) = block["content"] if isinstance(block["content"], list) else [{"text": block["content"]}]
            return f"{block['tool_use_id']} {text['text']}"
    raise AssertionError(block)


def word_in(body: dict[str, Any]) -> str:
    """The only secret word in a request."""
    words: set[str] = set(WORD.findall(json.dumps(body)))
    assert len(words) == 1
    return words.pop()


async def run(proxy: RunningProxy) -> list[Asker]:
    dice = random.Random(7)
    client = openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="x", max_retries=0, timeout=60)
    askers: list[Asker] = []
    places = asyncio.Semaphore(6)
    most = 0

    async def one(kind: str) -> None:
        nonlocal most
        async with places:
            asker = Asker(client, random.Random(dice.random()))
            askers.append(asker)
            await getattr(asker, kind)()
            most = max(most, len(proxy.claudes()))

    server = psutil.Process(proxy.process.pid)
    kinds = [dice.choice(KINDS) for _ in range(REQUESTS)]
    await asyncio.gather(*(one(kind) for kind in kinds[: REQUESTS // 4]))
    early = server.memory_info().rss
    await asyncio.gather(*(one(kind) for kind in kinds[REQUESTS // 4 :]))
    await client.close()
    assert most <= WORKERS, f"{most} processes"
    assert server.memory_info().rss - early < GROWTH
    assert not [child for child in server.children() if child.status() == psutil.STATUS_ZOMBIE]
    return askers


@pytest.mark.timeout(120 + REQUESTS)
def test_nothing_of_one_request_is_in_another(home: Path) -> None:
    with scripted() as api, running_proxy(home, "--workers", str(WORKERS), api=api) as proxy:
        askers = asyncio.run(run(proxy))
        by_word = {asker.word: asker for asker in askers}
        left = [each for each in api.api.messages() if by_word[word_in(each.body)].leaves]
        api.wait_until(lambda: all(each.aborted for each in left), 10)
        log = "".join(proxy.log)
        bodies = api.api.bodies()
    print(f"{len(askers)} clients, {len(bodies)} requests to the service")
    assert len(bodies) >= REQUESTS
    for body in bodies:
        asker = by_word[word_in(body)]
        heard = [(message["role"], sorted(map(fact, message["content"]))) for message in seen(body)["messages"]]
        # After a limit the CLI begins to go on by itself, until it is stopped; the client has its answer by then.
        assert heard in asker.sent or (asker.limited and heard[:1] in asker.sent)
        found = {
            "model": body["model"],
            "max_tokens": body["max_tokens"],
            "effort": body["output_config"]["effort"],
            "stop": body.get("stop_sequences"),
        }
        assert found == asker.wanted
        assert bool(body["tools"]) == ("tools" in asker.fields)
        system = [block["text"] for block in body["system"][2:]]
        assert system == [message["content"] for message in asker.system]
    assert "replaced" not in log, log
    assert sessions(home) == []
