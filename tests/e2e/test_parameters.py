"""Every parameter of the table in the README: carried, negotiated, or named. Nothing is dropped in silence."""

from typing import Any

import pytest
from harness import asking
from harness.asking import TOOL, directive
from harness.proxy import OwnProxy, RunningProxy
from harness.upstream import assistant, expected, seen, user

OFF = {"type": "disabled"}
SHOWN = {"type": "adaptive", "display": "summarized"}
UPDATES = {"type": "adaptive", "display": "updates"}
LOOK = {"name": "look", "input_schema": {"type": "object"}}


def ask(proxy: RunningProxy, text: str, **fields: Any) -> Any:
    """The answer, which must be one."""
    answer = asking.ask(proxy, text, **fields)
    assert answer.status_code == 200, answer.text
    return answer


CARRIED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"max_tokens": 5000}, {"max_tokens": 5000}),
    ({"max_completion_tokens": 5000}, {"max_tokens": 5000}),
    ({"max_tokens": 50}, {"max_tokens": 50, "thinking": OFF}),
    ({"stop": "END"}, {"stop_sequences": ["END"]}),
    ({"stop": ["A", "B"]}, {"stop_sequences": ["A", "B"]}),
    ({"temperature": 1}, {}),
    ({"top_p": 1}, {}),
    ({"reasoning_effort": "high"}, {"output_config": {"effort": "high"}, "thinking": SHOWN}),
    ({"reasoning_effort": "minimal"}, {"output_config": {"effort": "low"}, "thinking": SHOWN}),
    ({"reasoning_effort": "none"}, {"thinking": OFF}),
]


@pytest.mark.parametrize(("fields", "upstream"), CARRIED, ids=str)
def test_carried(proxy: RunningProxy, marker: str, fields: dict[str, Any], upstream: dict[str, Any]) -> None:
    answer = ask(proxy, marker, **fields)
    (body,) = proxy.bodies(marker)
    assert seen(body) == expected(user(marker), **upstream)
    assert "x-claude-max-ignored" not in answer.headers


SAMPLING: list[tuple[dict[str, Any], dict[str, Any], str | None]] = [
    ({"temperature": 0.3}, {"temperature": 0.3}, None),
    ({"temperature": 0.3, "top_p": 1}, {"temperature": 0.3}, None),
    ({"temperature": 0.3, "top_p": 0.5}, {"temperature": 0.3}, "top_p"),
    ({"top_p": 0.5}, {}, "top_p"),
]


@pytest.mark.exact
@pytest.mark.parametrize(("fields", "upstream", "ignored"), SAMPLING, ids=str)
def test_sampling(
    proxy: RunningProxy, marker: str, fields: dict[str, Any], upstream: dict[str, Any], ignored: str | None
) -> None:
    """On a model that takes it; those of a newer generation refuse every such value."""
    answer = ask(proxy, marker, model="claude-haiku-4-5", **fields)
    (body,) = proxy.bodies(marker)
    thinking = OFF if upstream else {"type": "enabled", "budget_tokens": 31_999, "display": "updates"}
    own: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens": 32_000, "thinking": thinking}
    wanted = expected(user(marker), **own, **upstream)
    del wanted["output_config"]
    assert seen(body) == wanted
    assert answer.headers.get("x-claude-max-ignored") == ignored


@pytest.fixture(scope="module")
def picky(own_proxy: OwnProxy) -> RunningProxy:
    """A proxy whose models refuse what a test says, and which remembers it."""
    return own_proxy()


def test_a_refused_parameter_is_tried_once(picky: RunningProxy, marker: str) -> None:
    """Every later request goes without at once, and says so. The CLI repeats a refused request once by itself."""
    assert picky.api is not None
    picky.api.api.refuse = frozenset({"temperature"})
    for number, calls in enumerate((3, 1, 1)):
        answer = ask(picky, f"{marker} {number}.", temperature=0.3)
        assert answer.headers["x-claude-max-ignored"] == "temperature"
        assert len(picky.bodies(f"{marker} {number}.")) == calls


# What the scripted models refuse, and what they take; each in the same proxy.
KINDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("sonnet", {"thinking": {"type": "enabled", "budget_tokens": 1024}}, {"thinking": SHOWN}),
    ("sonnet", {"thinking": OFF}, {"thinking": OFF}),
    ("sonnet", {"thinking": {"type": "adaptive"}}, {"thinking": SHOWN}),
    ("opus", {"thinking": OFF}, {}),
    ("opus", {"thinking": {"type": "adaptive"}}, {"thinking": SHOWN}),
    ("opus", {"tools": [LOOK], "tool_choice": {"type": "any"}}, {}),
    ("opus", {"tools": [LOOK], "tool_choice": {"type": "none"}}, {"tool_choice": {"type": "none"}}),
]


def test_what_one_client_is_refused_is_not_anothers(proxy: RunningProxy, marker: str) -> None:
    """Only the kind of value that a model refused is left out of later requests."""
    for again in (False, True):
        for number, (model, fields, upstream) in enumerate(KINDS):
            mark = f"{marker}-{again}-{number}"
            said = directive(call=[{"name": "look", "input": {}}]) if "tools" in fields else directive(text="x")
            asked = [{"role": "user", "content": f"{mark}\n{said}"}]
            body = {"model": model, "max_tokens": 3000, "messages": asked, **fields}
            answer = proxy.http.post("/v1/messages", json=body)
            assert answer.status_code == 200, answer.text
            bodies = proxy.bodies(mark)
            found = {name: bodies[-1].get(name) for name in ("thinking", "tool_choice")}
            # The CLI's own thinking is not the client's.
            assert {name: value for name, value in found.items() if value not in (None, UPDATES)} == upstream
            assert len(bodies) == 1 or not again


def test_nothing_stays_for_the_next_request(proxy: RunningProxy, marker: str) -> None:
    ask(proxy, f"first {marker}", max_tokens=5000, stop="END", temperature=0.5, reasoning_effort=None)
    for _ in range(3):
        ask(proxy, f"next {marker}")
    for body in proxy.bodies(f"next {marker}"):
        assert seen(body) == expected(user(f"next {marker}"))


IGNORED: list[tuple[dict[str, Any], str]] = [
    ({"seed": 5, "logit_bias": {"1": 2}, "user": "me"}, "logit_bias, seed, user"),
    ({"frequency_penalty": 0.5, "presence_penalty": 0}, "frequency_penalty"),
    ({"logprobs": True, "top_logprobs": 2}, "logprobs, top_logprobs"),
    ({"top_k": 3, "best_of": 1}, "top_k, best_of"),
    ({"store": True, "metadata": {"a": "b"}, "service_tier": "flex"}, "metadata, store, service_tier"),
    ({"temperature": 1.5}, "temperature"),
    ({"temperature": 0.5, "reasoning_effort": "low"}, "temperature"),
]


@pytest.mark.parametrize(("fields", "named"), IGNORED, ids=str)
def test_without_effect_is_named(proxy: RunningProxy, fields: dict[str, Any], named: str) -> None:
    assert ask(proxy, "x", **fields).headers["x-claude-max-ignored"] == named


def test_limits_and_stops_end_with_their_reason(proxy: RunningProxy) -> None:
    cut = ask(proxy, directive(words=20), max_tokens=3).json()
    assert (cut["choices"][0]["finish_reason"], cut["usage"]["completion_tokens"]) == ("length", 3)
    stopped = ask(proxy, directive(text="one two END three"), stop="END").json()
    assert stopped["choices"][0]["finish_reason"] == "stop"
    assert stopped["choices"][0]["message"]["content"] == "one two "
    refused = ask(proxy, directive(stop_reason="refusal", text="I")).json()
    assert refused["choices"][0]["finish_reason"] == "content_filter"


def test_a_conversation_goes_on_after_a_limit(proxy: RunningProxy, marker: str) -> None:
    """The CLI would go on by itself after max_tokens; nothing of that may be in the next request."""
    prompt = f"{marker}\n{directive(words=9)}"
    first = ask(proxy, prompt, max_tokens=3).json()["choices"][0]["message"]["content"]
    assert first == "word1 word2 word3"
    messages = [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": first},
        {"role": "user", "content": "go on"},
    ]
    ask(proxy, "", messages=messages)
    last = proxy.bodies(marker)[-1]
    assert seen(last) == expected(user(prompt), assistant(first), user("go on"))


def test_reasoning(proxy: RunningProxy) -> None:
    reply = directive(thinking="let me see", text="ok")
    message = ask(proxy, reply, reasoning_effort="medium").json()["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == ("let me see", "ok")
    assert "reasoning_content" not in ask(proxy, reply).json()["choices"][0]["message"]
    stream = proxy.client.chat.completions.create(
        model="sonnet",
        stream=True,
        reasoning_effort="medium",
        messages=[{"role": "user", "content": reply}],
    )
    deltas = [chunk.choices[0].delta.model_dump() for chunk in stream]
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == "let me see"


@pytest.mark.parametrize("stream", [False, True])
def test_n_choices(proxy: RunningProxy, marker: str, stream: bool) -> None:
    prompt: Any = [{"role": "user", "content": f"{marker}\n{directive(text='a b c')}"}]
    if stream:
        texts = ["", "", ""]
        finishes: list[int] = []
        for chunk in proxy.client.chat.completions.create(model="sonnet", n=3, stream=True, messages=prompt):
            for choice in chunk.choices:
                texts[choice.index] += choice.delta.content or ""
                finishes += [choice.index] if choice.finish_reason else []
        assert sorted(finishes) == [0, 1, 2]
    else:
        answer = proxy.client.chat.completions.create(model="sonnet", n=3, messages=prompt)
        assert [choice.index for choice in answer.choices] == [0, 1, 2]
        texts = [choice.message.content or "" for choice in answer.choices]
        assert answer.usage is not None
        assert answer.usage.completion_tokens == 9
    assert texts == ["a b c"] * 3
    assert len(proxy.bodies(marker)) == 3


NEGOTIATED: list[tuple[str, str, dict[str, Any], str]] = [
    ("haiku", "temperature", {"temperature": 0.3}, "temperature"),
    ("opus", "top_p", {"top_p": 0.3}, "top_p"),
    ("sonnet", "stop_sequences", {"stop": "END"}, "stop"),
    ("claude-sonnet-4-9", "thinking.type=disabled", {"reasoning_effort": "none"}, "thinking"),
    ("claude-opus-4-9", "thinking.type=disabled", {"temperature": 0.3}, "temperature"),
]


@pytest.mark.parametrize(("model", "refuse", "fields", "named"), NEGOTIATED)
def test_what_a_model_refuses_is_dropped_named_and_remembered(
    picky: RunningProxy, marker: str, model: str, refuse: str, fields: dict[str, Any], named: str
) -> None:
    assert picky.api is not None
    picky.api.api.refuse = frozenset({refuse})
    assert named in ask(picky, marker, model=model, **fields).headers["x-claude-max-ignored"]
    tried = len(picky.bodies(marker))
    assert named in ask(picky, marker, model=model, **fields).headers["x-claude-max-ignored"]
    assert (tried > 1, len(picky.bodies(marker)) - tried) == (True, 1)


def test_a_forced_call_of_a_model_that_takes_no_tool_choice(picky: RunningProxy, marker: str) -> None:
    assert picky.api is not None
    picky.api.api.refuse = frozenset({"tool_choice"})
    call = f"{marker}\n{directive(call={'name': 'look', 'input': {}})}"
    told = ask(picky, call, tools=[TOOL], tool_choice="required")
    assert told.json()["choices"][0]["finish_reason"] == "tool_calls"
    assert "x-claude-max-ignored" not in told.headers
    assert told.headers["x-claude-max-repaired"] == "tool_choice: told in words at the end of the system prompt"
    assert "calling the tool `look`" in seen(picky.bodies(marker)[-1])["system"]
    vain = ask(picky, f"vain {marker}\n{directive(text='no')}", tools=[TOOL], tool_choice="required")
    assert vain.json()["choices"][0]["message"]["content"] == "no"
    assert vain.headers["x-claude-max-ignored"] == "tool_choice"
    assert len(picky.bodies(f"vain {marker}")) == 2
