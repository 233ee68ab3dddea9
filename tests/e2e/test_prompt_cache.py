"""The prompt cache, by the service's documented rule: what was sent before is read, whichever process serves it.

Also the model's thinking of clients that do not send it back. Shares are of the input that the service had seen before.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from harness.asking import CHAT, directive
from harness.proxy import RunningProxy, running_proxy, scripted

from claude_max.proxy.scripted.prompt_cache import PromptCache

SYSTEM = "You are patient. " * 20
LOOK = {
    "type": "function",
    "function": {"name": "look", "description": "Looks. " * 30, "parameters": {"type": "object", "properties": {}}},
}
# All use the one service.
pytestmark = pytest.mark.xdist_group("prompt_cache")
# Of the repeated input, read from the cache.
SHARE = 0.95


@pytest.fixture(scope="module")
def caching(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """A proxy before a service that caches from the first token on."""
    with scripted() as api, running_proxy(tmp_path_factory.mktemp("home"), api=api) as running:
        api.api.cache = PromptCache(minimum=0)
        yield running


@pytest.fixture(scope="module")
def another(caching: RunningProxy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """Another proxy, and so another process, before the same service."""
    with running_proxy(tmp_path_factory.mktemp("home"), api=caching.api) as running:
        yield running


def ask(proxy: RunningProxy, messages: list[Any], **fields: Any) -> Any:
    said = [{"role": "system", "content": SYSTEM}, *messages]
    answer = proxy.http.post(CHAT, json={"model": "sonnet", "messages": said, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()["choices"][0]["message"]


def since(proxy: RunningProxy) -> int:
    assert proxy.api is not None
    return proxy.api.api.arrived


def share(proxy: RunningProxy, begin: int) -> float:
    """The part of the repeated input that was read; no request has more than four marks."""
    assert proxy.api is not None
    exchanges = [each for each in proxy.api.api.messages() if each.number > begin]
    assert all(each.refused is None for each in exchanges)
    assert all(str(each.body).count("cache_control") <= 4 for each in exchanges)
    return proxy.api.api.cached(begin).share


def turn(proxy: RunningProxy, messages: list[Any], text: str, **fields: Any) -> None:
    messages.append({"role": "user", "content": text})
    messages.append({"role": "assistant", "content": ask(proxy, messages, **fields)["content"]})


def test_a_conversation_of_twenty_turns(caching: RunningProxy, marker: str) -> None:
    begin = since(caching)
    messages: list[Any] = []
    for number in range(20):
        turn(caching, messages, f"{marker} question {number} " + "word " * 100)
    assert share(caching, begin) >= SHARE


def test_ten_conversations_over_two_processes(caching: RunningProxy, another: RunningProxy, marker: str) -> None:
    """Each conversation goes from one to the other with every turn."""
    begin = since(caching)
    talks: list[list[Any]] = [[] for _ in range(10)]
    for number, talk in itertools.product(range(6), range(10)):
        serving = (caching, another)[(number + talk) % 2]
        turn(serving, talks[talk], f"{marker} {talk} question {number} " + "word " * 50)
    assert share(caching, begin) >= SHARE


def test_a_tool_loop_of_ten_rounds(caching: RunningProxy, marker: str) -> None:
    begin = since(caching)
    messages: list[Any] = [{"role": "user", "content": marker}]
    for number in range(10):
        call = {"id": f"call_{number}", "type": "function", "function": {"name": "look", "arguments": "{}"}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"call_{number}", "content": "result " * 100})
        ask(caching, messages, tools=[LOOK])
    assert share(caching, begin) >= SHARE


def test_a_limit_that_comes_and_goes(caching: RunningProxy, marker: str) -> None:
    begin = since(caching)
    messages: list[Any] = []
    for number in range(10):
        limit = {"max_tokens": 5000} if number % 2 else {}
        turn(caching, messages, f"{marker} question {number} " + "word " * 100, **limit)
    assert share(caching, begin) >= SHARE


def test_a_client_that_trims_the_answers_it_keeps(caching: RunningProxy, marker: str) -> None:
    """All up to the first trimmed message is read."""
    begin = since(caching)
    messages: list[Any] = []
    for number in range(10):
        reply = directive(text=f"  answer {number}  \n")
        turn(caching, messages, f"{marker} question {number} {'word ' * 100}\n{reply}")
        messages[-1]["content"] = messages[-1]["content"].strip()
    assert share(caching, begin) >= SHARE


def test_a_restart_in_between(caching: RunningProxy, another: RunningProxy, marker: str) -> None:
    begin = since(caching)
    messages: list[Any] = []
    for proxy, question in itertools.product((caching, another), range(3)):
        turn(proxy, messages, f"{marker} {question} of {proxy.url} " + "word " * 100)
    assert share(caching, begin) >= SHARE


def test_thinking_comes_back_for_a_client_that_drops_it(caching: RunningProxy, marker: str) -> None:
    """In a loop of calls each answer's signed thinking stands again before it, and the service takes it."""
    begin = since(caching)
    call = {"name": "look", "input": {}}
    again = {"thinking": "again", "call": call, "then": {"text": "done"}}
    reply = directive(thinking="let me look", call=call, then=again)
    messages: list[Any] = [{"role": "user", "content": f"{marker}\n{reply}"}]
    for _ in range(2):
        said = ask(caching, messages, tools=[LOOK])
        result = {"role": "tool", "tool_call_id": said["tool_calls"][0]["id"], "content": "fine " * 2000}
        messages += [said, result]
    assert ask(caching, messages, tools=[LOOK])["content"] == "done"
    bodies = caching.bodies(marker)
    kinds = [[block["type"] for block in m["content"]] for m in bodies[-1]["messages"] if m["role"] == "assistant"]
    assert kinds == [["thinking", "tool_use"], ["thinking", "tool_use"]]
    assert len(bodies) == 3
    assert share(caching, begin) >= SHARE


def test_thinking_stays_away_where_anything_was_changed(caching: RunningProxy, marker: str) -> None:
    reply = directive(thinking="let me look", call={"name": "look", "input": {}}, then={"text": "done"})
    messages: list[Any] = [{"role": "user", "content": f"{marker}\n{reply}"}]
    said = ask(caching, messages, tools=[LOOK])
    said["tool_calls"][0]["id"] = "call0"
    messages += [said, {"role": "tool", "tool_call_id": "call0", "content": "fine"}]
    assert ask(caching, messages, tools=[LOOK])["content"] == "done"
    answers = [m for m in caching.bodies(marker)[-1]["messages"] if m["role"] == "assistant"]
    assert [block["type"] for block in answers[0]["content"]] == ["tool_use"]
