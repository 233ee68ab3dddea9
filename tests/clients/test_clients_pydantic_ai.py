"""pydantic-ai agents: tools really called, typed output both ways it is asked for, text as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import openai
import pytest
from harness.later import Later
from harness.proxy import RunningProxy
from harness.upstream import seen
from pydantic import BaseModel

if TYPE_CHECKING:
    import pydantic_ai as ai
    import pydantic_ai.models.openai as models
    import pydantic_ai.providers.openai as providers
else:
    ai = Later("pydantic_ai")
    models = Later("pydantic_ai.models.openai")
    providers = Later("pydantic_ai.providers.openai")

Prompt = Callable[..., str]
T = TypeVar("T")


class Forecast(BaseModel):
    city: str
    high: int
    days: list[str]


ROME = Forecast(city="Rome", high=20, days=["sun", "rain"])
LOOK = [{"name": "get_weather", "input": {"city": city}} for city in ("Paris", "Rome")]
# Where pydantic-ai is loaded for the other file.
pytestmark = pytest.mark.xdist_group("test_clients_pydantic_ai_responses")


@asynccontextmanager
async def sonnet(proxy: RunningProxy) -> AsyncIterator[models.OpenAIChatModel]:
    """The model, its connections closed at the end."""
    async with openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="anything", max_retries=0) as client:
        yield models.OpenAIChatModel("sonnet", provider=providers.OpenAIProvider(openai_client=client))


def ran(
    proxy: RunningProxy,
    agent: ai.Agent[None, T],
    prompt: str,
    history: Sequence[ai.ModelMessage] = (),
) -> ai.AgentRunResult[T]:
    """One run of the agent."""

    async def run() -> ai.AgentRunResult[T]:
        async with sonnet(proxy) as model:
            return await agent.run(prompt, model=model, message_history=history)

    return asyncio.run(run())


def with_weather(agent: ai.Agent[None, Any]) -> list[str]:
    """Gives the agent a tool; what it was called with."""
    called: list[str] = []

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """Weather of a city."""
        called.append(city)
        return f"sun in {city}"

    return called


def results(body: dict[str, Any]) -> list[str]:
    """The texts of the tool results in a body's last message."""
    return [block["content"][0]["text"] for block in seen(body)["messages"][-1]["content"]]


def test_an_agent_with_a_tool(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    agent = ai.Agent(instructions="Be brief.")
    called = with_weather(agent)
    run = ran(proxy, agent, prompt(call=LOOK, then={"text": "Both are sunny."}))
    assert run.output == "Both are sunny."
    assert sorted(called) == ["Paris", "Rome"]
    assert (run.usage.requests, run.usage.tool_calls) == (2, 2)
    asked, resumed = proxy.bodies(marker)
    assert seen(asked)["system"] == "Be brief."
    assert sorted(results(resumed)) == ["sun in Paris", "sun in Rome"]


def test_output_through_a_tool(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    """Its own default: a tool must be called, `final_result` is one of them."""
    agent = ai.Agent(output_type=ai.ToolOutput(Forecast))
    called = with_weather(agent)
    then = {"call": {"name": "final_result", "input": ROME.model_dump()}}
    assert ran(proxy, agent, prompt(call=LOOK, then=then)).output == ROME
    assert sorted(called) == ["Paris", "Rome"]
    assert [body["tool_choice"]["type"] for body in proxy.bodies(marker)] == ["any", "any"]


def test_output_in_the_models_own_format(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    """Without a directive the scripted model answers the smallest instance of the schema that reached it."""
    agent = ai.Agent(output_type=ai.NativeOutput(Forecast))
    assert ran(proxy, agent, prompt(text=ROME.model_dump_json())).output == ROME
    assert ran(proxy, agent, marker).output == Forecast(city="scripted", high=0, days=[])


def test_output_that_does_not_fit_is_asked_for_again(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    """The refusal goes up as the result of the call, and the second answer counts."""
    right = {"call": {"name": "final_result", "input": ROME.model_dump()}}
    wrong = {"name": "final_result", "input": {"city": "Rome"}}
    assert ran(proxy, ai.Agent(output_type=ai.ToolOutput(Forecast)), prompt(call=wrong, then=right)).output == ROME
    _, corrected = proxy.bodies(marker)
    (refusal,) = results(corrected)
    assert "Field required" in refusal


def test_text_as_it_comes(proxy: RunningProxy, prompt: Prompt) -> None:
    agent = ai.Agent()
    called = with_weather(agent)

    async def run() -> tuple[list[str], int]:
        asked = prompt(call=LOOK, then={"words": 4})
        async with sonnet(proxy) as model, agent.run_stream(asked, model=model) as stream:
            pieces = [piece async for piece in stream.stream_text(delta=True, debounce_by=None)]
            return pieces, stream.usage.output_tokens

    pieces, tokens = asyncio.run(run())
    assert pieces == ["word1", " word2", " word3", " word4"]
    assert sorted(called) == ["Paris", "Rome"]
    assert tokens > 4


def test_a_conversation_goes_on(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    agent = ai.Agent()
    with_weather(agent)
    first = ran(proxy, agent, prompt(call=LOOK, then={"text": "Both are sunny."}))
    second = ran(proxy, agent, 'And now?\nscripted: {"text": "Still."}', first.all_messages())
    assert second.output == "Still."
    roles = [message["role"] for message in seen(proxy.bodies(marker)[-1])["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "user"]


def test_thinking_is_a_part_of_its_own(proxy: RunningProxy, prompt: Prompt) -> None:
    agent = ai.Agent(model_settings=models.OpenAIChatModelSettings(openai_reasoning_effort="low"))
    first = ran(proxy, agent, prompt(thinking="Let me see.", text="Good day"))
    thought, said = first.response.parts
    assert isinstance(thought, ai.ThinkingPart)
    assert isinstance(said, ai.TextPart)
    assert (thought.content, said.content) == ("Let me see.", "Good day")
    assert ran(proxy, agent, 'On.\nscripted: {"text": "Good night"}', first.all_messages()).output == "Good night"


def test_a_failure(proxy: RunningProxy, prompt: Prompt) -> None:
    with pytest.raises(ai.ModelHTTPError) as error:
        ran(proxy, ai.Agent(), prompt(status=429))
    assert error.value.status_code == 429
    assert isinstance(error.value.body, dict)
    assert error.value.body["code"] == "rate_limit_exceeded"
