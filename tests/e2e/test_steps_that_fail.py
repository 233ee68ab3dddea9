"""Steps that fail between two requests: another worker answers, and the doubtful one is gone."""

from typing import Any

import pytest
from harness.asking import TOOL, directive
from harness.filtered_cli import filtered, vouched
from harness.proxy import OwnProxy, RunningProxy
from harness.upstream import expected, seen, user

STEPS = ("rewind_conversation", "apply_flag_settings", "set_model")


@pytest.fixture(scope="module")
def spoilt(own_proxy: OwnProxy, tmp_path_factory: pytest.TempPathFactory) -> RunningProxy:
    """A proxy of one worker whose CLI refuses a step, or dies at it, after a prompt told it to."""
    acts = {f"{how.upper()}-{step}.": f"{how} {step}" for how in ("refuse", "die at") for step in STEPS}
    program = filtered(
        tmp_path_factory.mktemp("filter"), acts={key.replace(" ", "-"): act for key, act in acts.items()}
    )
    return own_proxy("--claude-path", str(program), "--workers", "1", environ=vouched(program))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["REFUSE", "DIE-AT"])
def test_another_worker_answers(spoilt: RunningProxy, marker: str, how: str, step: str) -> None:
    def ask(text: str, **fields: Any) -> Any:
        system = f"system {text.partition(' ')[0]} {marker}"
        messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
        return spoilt.http.post("/v1/chat/completions", json={"model": "sonnet", "messages": messages, **fields})

    before = {process.pid for process in spoilt.claudes()}
    # The settings are taken back while the answer comes, so a process that dies of that cannot complete a slow one.
    dies_early = (how, step) == ("DIE-AT", "apply_flag_settings")
    reply = directive(words=100, pause=0.1) if dies_early else ""
    assert ask(f"first {marker} {how}-{step}.\n{reply}").status_code == (502 if dies_early else 200)
    text = f"second {marker}"
    answer = ask(text, max_tokens=5000, tools=[TOOL])
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"].endswith(text)
    (body,) = spoilt.bodies(text)
    tool = {"name": "look", "input_schema": {"type": "object", "properties": {}}}
    assert seen(body) == expected(user(text), system=f"system {text}", max_tokens=5000, tools=[tool])
    assert not before & {process.pid for process in spoilt.claudes()}
