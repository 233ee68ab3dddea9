"""The Responses dialect beyond what its clients show: restarts, settings, web search, much input."""

import json
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.asking import PIXEL, directive
from harness.proxy import OwnProxy, RunningProxy, running_proxy, scripted
from harness.responses import check_response, folded, sent
from harness.short_waits import SHORT_WAITS
from harness.upstream import assistant, expected, seen, user

PATH = "/v1/responses"
DATABASE = Path(".local/state/claude-max/responses.db")
PAGES = [{"type": "web_search_result", "url": "https://a.example/x", "title": "A", "encrypted_content": "e"}]
FOUND: list[dict[str, Any]] = [
    {"type": "text", "text": "I look. "},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "weather in Rome"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": PAGES},
    {"type": "text", "text": "It is "},
    {"type": "text", "text": "sunny", "citations": [
        {"type": "web_search_result_location", "url": "https://a.example/x", "title": "A", "cited_text": "sun",
         "encrypted_index": "i"}]},
]  # fmt: skip


def ask(proxy: RunningProxy, text: str, **fields: Any) -> Any:
    return proxy.http.post(PATH, json={"model": "sonnet", "input": text, **fields})


@pytest.fixture(scope="module")
def searching(own_proxy: OwnProxy) -> RunningProxy:
    """A proxy that lets the service search the web and keeps nothing."""
    return own_proxy("--workers", "1", environ={"CLAUDE_MAX_WEB_SEARCH": "true", "CLAUDE_MAX_RESPONSES_KEEP_DAYS": "0"})


@pytest.fixture
def state(home: Path) -> Iterator[Callable[[], RunningProxy]]:
    """Starts a proxy with the same home as the one before it, which has ended."""
    with scripted() as api:
        running: list[Any] = []

        def start() -> RunningProxy:
            while running:
                running.pop().__exit__(None, None, None)
            running.append(running_proxy(home, "--workers", "1", api=api, through=SHORT_WAITS))
            made: RunningProxy = running[0].__enter__()
            return made

        yield start
        while running:
            running.pop().__exit__(None, None, None)


def test_a_conversation_outlives_the_server(state: Callable[[], RunningProxy], home: Path, marker: str) -> None:
    asked = f"{marker}\n{directive(text='One.', thinking='Hm.')}"
    first = ask(state(), asked).json()
    assert stat.S_IMODE((home / DATABASE).stat().st_mode) == 0o600
    second = ask(state(), 'And?\nscripted: {"text": "Two."}', previous_response_id=first["id"])
    restarted = state()
    assert restarted.http.get(f"{PATH}/{second.json()['id']}").json() == second.json()
    thought = {"type": "thinking", "thinking": "Hm."}
    body = seen(restarted.bodies(marker)[-1])
    signature = body["messages"][1]["content"][0]["signature"]
    assert body == expected(
        user(asked), assistant({**thought, "signature": signature}, "One."), user('And?\nscripted: {"text": "Two."}')
    )


def test_what_is_not_to_be_stored_is_not(state: Callable[[], RunningProxy], home: Path, marker: str) -> None:
    proxy = state()
    told = ask(proxy, f"{marker} {directive(text='x')}", store=False)
    assert told.json()["store"] is False
    assert proxy.http.get(f"{PATH}/{told.json()['id']}").status_code == 404
    kept = ask(proxy, directive(text="y"))
    assert kept.json()["store"] is True
    with sqlite3.connect(home / DATABASE) as database:
        found = database.execute("SELECT id, body FROM responses").fetchall()
    database.close()
    assert [id for id, _ in found] == [kept.json()["id"]]
    assert all(marker.encode() not in body for _, body in found)


def test_storing_that_is_off(searching: RunningProxy) -> None:
    told = ask(searching, directive(text="x")).json()
    assert told["store"] is False
    assert not (searching.home / DATABASE).exists()
    refused = ask(searching, "x", previous_response_id=told["id"])
    assert refused.status_code == 400
    assert "responses_keep_days" in refused.json()["error"]["message"]


def test_a_locked_database_costs_the_client_nothing(state: Callable[[], RunningProxy], home: Path) -> None:
    proxy = state()
    ask(proxy, directive(text="x"))
    other = sqlite3.connect(home / DATABASE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    answers = [ask(proxy, directive(text="y")) for _ in range(2)]
    other.execute("ROLLBACK")
    other.close()
    assert [answer.json()["status"] for answer in answers] == ["completed"] * 2
    assert sum("answers are not stored: database is locked" in line for line in proxy.log) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_web_search(searching: RunningProxy, marker: str, stream: bool) -> None:
    """Its calls are items, its sources annotations; the declaration is the service's own."""
    asked = f"{marker}\n{directive(content=FOUND)}"
    tool = {"type": "web_search", "filters": {"allowed_domains": ["a.example"]}}
    include = ["web_search_call.action.sources"]
    told = ask(searching, asked, tools=[tool], include=include, stream=stream)
    assert "x-claude-max-ignored" not in told.headers
    answer = folded(sent(told.text)) if stream else told.json()
    check_response(answer)
    before, search, after = answer["output"]
    assert before["content"][0]["text"] == "I look. "
    action = {"type": "search", "query": "weather in Rome", "queries": ["weather in Rome"],
              "sources": [{"type": "url", "url": "https://a.example/x"}]}  # fmt: skip
    assert (search["type"], search["status"], search["action"]) == ("web_search_call", "completed", action)
    (part,) = after["content"]
    assert part["text"] == "It is sunny"
    assert part["annotations"] == [
        {"type": "url_citation", "start_index": 6, "end_index": 11, "url": "https://a.example/x", "title": "A"}
    ]
    declared = {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.example"]}
    assert [seen(body)["tools"] for body in searching.bodies(marker)] == [[declared]]
    again = [{"role": "user", "content": asked}, *answer["output"], {"role": "user", "content": directive(text="ok")}]
    told = searching.http.post(PATH, json={"model": "sonnet", "input": again})
    assert told.headers["x-claude-max-ignored"] == "input.web_search_call"
    assert seen(searching.bodies(marker)[-1])["messages"][1] == assistant("I look. ", "It is sunny")


def test_an_image_in_the_result_of_a_call(proxy: RunningProxy, marker: str) -> None:
    call = {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"}
    picture = {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "high"}
    items = [{"role": "user", "content": f"{marker}\n{directive(text='x')}"}, call,
             {"type": "function_call_output", "call_id": "call_1", "output": [picture]}]  # fmt: skip
    tools = [{"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}]
    told = proxy.http.post(PATH, json={"model": "sonnet", "input": items, "tools": tools})
    assert told.json()["status"] == "completed"
    (body,) = proxy.bodies(marker)
    (result,) = seen(body)["messages"][-1]["content"]
    assert result["content"][0]["source"]["data"] == PIXEL


def test_headers_stay_short(proxy: RunningProxy, marker: str) -> None:
    """Node refuses more than 16 KB of them, others 8 KB."""
    odd = {f"unknown-field-{'x' * 40}-{number}": 1 for number in range(60)}
    within = dict.fromkeys(("prompt_cache_options", "reasoning", "stream_options"), odd)
    answer = ask(proxy, marker, **odd, **within)
    assert answer.status_code == 200, answer.text
    named = answer.headers["x-claude-max-ignored"]
    assert len(named) < 4000
    assert named.endswith(" more")


def test_two_megabytes_of_items(proxy: RunningProxy, marker: str) -> None:
    items: list[dict[str, Any]] = [{"role": "user", "content": f"{marker}\n{directive(text='Much.')}"}]
    for number in range(400):
        items.append({"type": "function_call", "call_id": f"c{number}", "name": "look", "arguments": "{}"})
        items.append({"type": "function_call_output", "call_id": f"c{number}", "output": "x" * 5000})
    tools = [{"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}]
    told = proxy.http.post(PATH, json={"model": "sonnet", "input": items, "tools": tools}, timeout=110)
    assert told.status_code == 200, told.text
    (body,) = proxy.bodies(marker)
    assert len(seen(body)["messages"]) == 801


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"input": [{"role": "assistant", "content": []}]}, 400, "input"),
        ({"input": [{"role": "user", "content": "x"}, "y"]}, 400, "input[1]"),
        ({"input": [{"type": "item_reference", "id": "msg_other"}]}, 404, "input"),
        ({"input": "x", "previous_response_id": "chatcmpl-1"}, 400, "previous_response_id"),
        ({"input": "x", "tools": [{"type": "mcp", "server_label": "a"}]}, 400, "tools[0].type"),
        ({"input": "x", "conversation": {"id": "conv_1"}}, 400, "conversation"),
        ({"input": "x", "model": "gpt-nothing"}, 404, "model"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_bad_input(proxy: RunningProxy, body: dict[str, Any], status: int, param: str, stream: bool) -> None:
    told = proxy.http.post(PATH, json={"model": "sonnet", "stream": stream, **body})
    assert (told.status_code, told.json()["error"]["param"]) == (status, param)
    assert set(told.json()["error"]) == {"message", "type", "param", "code"}


def test_a_session_whose_outputs_are_lost_goes_on(proxy: RunningProxy, marker: str) -> None:
    """As Codex leaves one that was stopped in the middle of a call, and another after its history was cut."""
    items = [
        {"type": "function_call_output", "call_id": "gone", "output": "y"},
        {"role": "user", "content": marker},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"},
        {"role": "user", "content": "go on"},
    ]
    told = proxy.http.post(PATH, json={"model": "sonnet", "input": items})
    assert told.status_code == 200, told.text
    repaired = told.headers["x-claude-max-repaired"]
    assert repaired == (
        "input[0].call_id: result without its call; sent as text, input: call c1 has no result; the model is told"
    )
    (body,) = proxy.bodies(marker)
    assert [message["role"] for message in seen(body)["messages"]] == ["user", "assistant", "user"]


@pytest.mark.parametrize("stream", [False, True])
def test_web_search_of_chat_completions(searching: RunningProxy, marker: str, stream: bool) -> None:
    asked = f"{marker}\n{directive(content=FOUND)}"
    place = {"type": "approximate", "approximate": {"country": "IT", "city": "Rome"}}
    told = searching.http.post(
        "/v1/chat/completions",
        json={
            "model": "sonnet", "messages": [{"role": "user", "content": asked}], "stream": stream,
            "web_search_options": {"user_location": place, "search_context_size": "low"},
        },
    )  # fmt: skip
    if stream:
        chunks = [json.loads(line[6:]) for line in told.text.split("\n\n") if line.startswith("data: {")]
        deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
        text = "".join(delta.get("content") or "" for delta in deltas)
        annotations = [each for delta in deltas for each in delta.get("annotations", ())]
    else:
        message = told.json()["choices"][0]["message"]
        text, annotations = message["content"], message["annotations"]
    assert text == "I look. It is sunny"
    cited = {"start_index": 14, "end_index": 19, "url": "https://a.example/x", "title": "A"}
    assert annotations == [{"type": "url_citation", "url_citation": cited}]
    (body,) = searching.bodies(marker)
    where = {"type": "approximate", "country": "IT", "city": "Rome"}
    assert body["tools"] == [{"type": "web_search_20250305", "name": "web_search", "user_location": where}]


@pytest.mark.parametrize("stream", [False, True])
def test_the_cache_is_filled_without_an_answer(proxy: RunningProxy, marker: str, stream: bool) -> None:
    asked = f"{marker}\n{directive(thinking='Hm.', text='Much to say.', event_pause=0.03)}"
    options = {"prewarm": True, "mode": "explicit"}
    answer = ask(proxy, asked, max_output_tokens=500, stream=stream, prompt_cache_options=options)
    assert answer.headers["x-claude-max-ignored"] == "prompt_cache_options.mode"
    assert "prompt_cache_options.prewarm: one token asked for" in answer.headers["x-claude-max-repaired"]
    response = folded(sent(answer.text)) if stream else answer.json()
    check_response(response)
    assert (response["status"], response["output"]) == ("completed", [])
    assert [body["max_tokens"] for body in proxy.bodies(marker)] == [1]


def test_web_search_of_chat_completions_is_off_by_default(proxy: RunningProxy, marker: str) -> None:
    told = proxy.http.post(
        "/v1/chat/completions",
        json={
            "model": "sonnet", "messages": [{"role": "user", "content": f"{marker} {directive(text='x')}"}],
            "web_search_options": {},
        },
    )  # fmt: skip
    assert told.headers["x-claude-max-ignored"] == "web_search_options"
    (body,) = proxy.bodies(marker)
    assert body["tools"] == []
