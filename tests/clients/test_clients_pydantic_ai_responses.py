"""pydantic-ai's `openai:` models, which ask the Responses API by default."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import openai
from harness.proxy import RunningProxy
from harness.upstream import seen
from pydantic import BaseModel
from pydantic_ai import Agent, AgentRunResult, ModelMessage, NativeOutput, TextPart, ThinkingPart
from pydantic_ai.models import infer_model
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.providers.openai import OpenAIProvider

Prompt = Callable[..., str]
T = TypeVar("T")
LOOK = [{"name": "get_weather", "input": {"city": city}} for city in ("Paris", "Rome")]


class Forecast(BaseModel):
    city: str
    high: int


def ran(
    proxy: RunningProxy, agent: Agent[None, T], prompt: str, history: Sequence[ModelMessage] = ()
) -> AgentRunResult[T]:
    """One run of the agent, with the model that `openai:sonnet` means."""

    async def run() -> AgentRunResult[T]:
        async with openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="anything", max_retries=0) as client:
            model = infer_model("openai:sonnet", lambda name: OpenAIProvider(openai_client=client))
            assert isinstance(model, OpenAIResponsesModel)
            return await agent.run(prompt, model=model, message_history=history)

    return asyncio.run(run())


def test_an_agent_with_a_tool(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    agent = Agent(instructions="Be brief.")
    called: list[str] = []

    @agent.tool_plain
    def get_weather(city: str) -> str:
        """Weather of a city."""
        called.append(city)
        return f"sun in {city}"

    run = ran(proxy, agent, prompt(call=LOOK, then={"text": "Both are sunny."}))
    assert run.output == "Both are sunny."
    assert sorted(called) == ["Paris", "Rome"]
    asked, resumed = proxy.bodies(marker)
    assert seen(asked)["system"] == "Be brief."
    found = [block["content"][0]["text"] for block in seen(resumed)["messages"][-1]["content"]]
    assert sorted(found) == ["sun in Paris", "sun in Rome"]


def test_thinking_comes_back(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    # By itself it sends thinking back for models only whose names it knows.
    settings = OpenAIResponsesModelSettings(openai_reasoning_summary="auto", openai_send_reasoning_ids=True)
    agent: Agent[None, Any] = Agent(model_settings=settings)
    first = ran(proxy, agent, prompt(thinking="Let me see.", text="Good day"))
    thought, text = first.response.parts
    assert isinstance(thought, ThinkingPart)
    assert isinstance(text, TextPart)
    assert (thought.content, text.content) == ("Let me see.", "Good day")
    second = ran(proxy, agent, 'On.\nscripted: {"text": "Good night"}', first.all_messages())
    assert second.output == "Good night"
    assert seen(proxy.bodies(marker)[-1])["messages"][1]["content"][0]["thinking"] == "Let me see."


def test_output_in_the_models_own_format(proxy: RunningProxy, prompt: Prompt) -> None:
    rome = Forecast(city="Rome", high=20)
    assert ran(proxy, Agent(output_type=NativeOutput(Forecast)), prompt(text=rome.model_dump_json())).output == rome
