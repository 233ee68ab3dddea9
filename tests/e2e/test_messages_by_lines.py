"""POST /v1/messages with the lines composition: what the CLI carries works, what it would lose is refused by name."""

from typing import Any

import pytest
from harness.asking import directive
from harness.proxy import RunningProxy

LOOK = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
SKY = {
    "type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Blue."},
    "citations": {"enabled": True},
}  # fmt: skip


@pytest.fixture
def composition() -> str:
    return "lines"


def post(proxy: RunningProxy, *messages: dict[str, Any], **fields: Any) -> Any:
    body = {"model": "sonnet", "max_tokens": 2000, "messages": list(messages), **fields}
    return proxy.http.post("/v1/messages", json=body)


def test_a_loop_of_calls(proxy: RunningProxy) -> None:
    asked = {"role": "user", "content": directive(call={"name": "look"}, then={"text": "Seen."})}
    first = post(proxy, asked, tools=[LOOK]).json()
    [call] = first["content"]
    assert (call["type"], call["name"], first["stop_reason"]) == ("tool_use", "look", "tool_use")
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "a picture", "is_error": True}
    second = post(
        proxy, asked, {"role": "assistant", "content": [call]}, {"role": "user", "content": [result]}, tools=[LOOK]
    ).json()
    assert second["content"] == [{"type": "text", "text": "Seen."}]


def test_an_answer_that_is_begun_is_asked_for(proxy: RunningProxy) -> None:
    said = {"role": "user", "content": "x"}
    answer = post(proxy, said, said, {"role": "assistant", "content": "Once"})
    assert answer.status_code == 200, answer.text
    assert "user message added behind the assistant's last" in answer.headers["x-claude-max-repaired"]


def test_what_would_be_lost_is_refused(proxy: RunningProxy) -> None:
    answer = post(proxy, {"role": "user", "content": [SKY, {"type": "text", "text": "?"}]})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "document" in answer.json()["error"]["message"]
    assert "exact composition" in answer.json()["error"]["message"]


def test_a_tool_beside_which_the_cli_lists_its_agents(proxy: RunningProxy, marker: str) -> None:
    assert proxy.api is not None
    answer = post(proxy, {"role": "user", "content": marker}, tools=[{**LOOK, "name": "Agent"}])
    assert answer.status_code == 200, answer.text
    assert "the CLI's own list of agents added" in answer.headers["x-claude-max-repaired"]
    [body] = [each.body for each in proxy.api.api.messages() if marker in str(each.body)]
    assert "Available agent types for the Agent tool" in str(body["messages"])


def test_a_system_message_ends_the_system_prompt(proxy: RunningProxy, marker: str) -> None:
    """Claude Code puts such messages into its own requests."""
    answer = post(
        proxy, {"role": "user", "content": marker}, {"role": "system", "content": "Briefly."}, system="Be kind."
    )
    assert answer.status_code == 200, answer.text
    assert "system message moved into the system prompt" in answer.headers["x-claude-max-repaired"]
    [body] = proxy.bodies(marker)
    assert [message["role"] for message in body["messages"]] == ["user"]
    assert body["system"][-1]["text"] == "Be kind.\n\nBriefly."


def test_cache_marks_are_the_clis(proxy: RunningProxy, marker: str) -> None:
    """It sets one of an hour behind the messages, which the service refuses behind one of five minutes."""
    marked = {"type": "text", "text": marker, "cache_control": {"type": "ephemeral"}}
    answer = post(proxy, {"role": "user", "content": [marked]})
    assert answer.status_code == 200, answer.text
    assert "cache_control: left out; the CLI sets its own" in answer.headers["x-claude-max-repaired"]
    [body] = proxy.bodies(marker)
    assert body["messages"][0]["content"] == [{"type": "text", "text": marker}]
