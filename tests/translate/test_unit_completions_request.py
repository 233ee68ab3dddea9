"""The parameters of the legacy completions."""

from claude_max.proxy.events import Message, Text, Turn
from claude_max.proxy.translate.common.dialect import RequestContext
from claude_max.proxy.translate.completions.request import to_turn


def test_parameters() -> None:
    body = {
        "model": "sonnet", "prompt": "hi", "stop": ["a", "b"], "temperature": 0.5, "top_p": 0.9, "max_tokens": 7,
        "logprobs": 2, "seed": 3,
    }  # fmt: skip
    asked = to_turn(body, RequestContext())
    message = Message("user", (Text("hi"),))
    assert asked.turns == (Turn("sonnet", (message,), stop=("a", "b"), temperature=0.5, top_p=0.9, max_tokens=7),)
    assert sorted(asked.ignored) == ["logprobs", "seed"]
