"""The legacy completions endpoint, with the real SDK."""

from typing import Any

import pytest
from harness.proxy import RunningProxy
from harness.upstream import expected, seen, user


def test_whole_and_streamed(proxy: RunningProxy, marker: str) -> None:
    prompt = f'{marker}\nscripted: {{"text": "one two"}}'
    whole = proxy.client.completions.create(model="sonnet", prompt=prompt, echo=True)
    assert whole.object == "text_completion"
    assert whole.choices[0].text == f"{prompt}one two"
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage is not None
    assert whole.usage.completion_tokens == 2
    assert seen(proxy.bodies(marker)[0]) == expected(user(prompt))
    chunks = list(
        proxy.client.completions.create(
            model="sonnet", prompt=[prompt], stream=True, n=2, stream_options={"include_usage": True}
        )
    )
    texts = ["", ""]
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.text
    assert texts == ["one two", "one two"]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 4


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"suffix": "end"}, "suffix"),
        ({"best_of": 3}, "best_of"),
        ({"max_tokens": "5"}, "max_tokens"),
    ],
)
def test_what_cannot_be_done_is_said(proxy: RunningProxy, fields: dict[str, Any], param: str) -> None:
    answer = proxy.http.post("/v1/completions", json={"model": "sonnet", "prompt": "x", **fields})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
