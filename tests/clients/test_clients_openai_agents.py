"""The OpenAI Agents SDK, which asks the Responses API by default: a tool loop, a handoff, typed output."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import openai
from harness.later import Later
from harness.proxy import RunningProxy
from harness.upstream import seen
from pydantic import BaseModel

if TYPE_CHECKING:
    import agents
else:
    agents = Later("agents")

Prompt = Callable[..., str]
Make: TypeAlias = "Callable[[agents.OpenAIResponsesModel], agents.Agent[Any]]"
CALLS = [{"name": "get_weather", "input": {"city": city}} for city in ("Paris", "Rome")]


class Forecast(BaseModel):
    city: str
    high: int


def ran(proxy: RunningProxy, make: Make, prompt: str, **more: Any) -> agents.RunResult:
    """One run of an agent, its connections closed at the end."""

    async def run() -> agents.RunResult:
        async with openai.AsyncOpenAI(base_url=f"{proxy.url}/v1", api_key="anything", max_retries=0) as client:
            agent = make(agents.OpenAIResponsesModel("sonnet", client))
            return await agents.Runner.run(agent, prompt, run_config=agents.RunConfig(tracing_disabled=True), **more)

    return asyncio.run(run())


def results(body: dict[str, Any]) -> list[str]:
    """The texts of the tool results in a body's last message."""
    return [block["content"][0]["text"] for block in seen(body)["messages"][-1]["content"]]


def test_a_tool_loop(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    called: list[str] = []

    @agents.function_tool
    def get_weather(city: str) -> str:
        """Weather of a city."""
        called.append(city)
        return f"sun in {city}"

    settings = agents.ModelSettings(reasoning=openai.types.shared.Reasoning(summary="auto"))

    def agent(model: agents.OpenAIResponsesModel) -> agents.Agent[Any]:
        return agents.Agent(
            "Weather", instructions="Be brief.", model=model, tools=[get_weather], model_settings=settings
        )

    run = ran(proxy, agent, prompt(thinking="Hm.", call=CALLS, then={"text": "Both are sunny."}))
    assert run.final_output == "Both are sunny."
    assert sorted(called) == ["Paris", "Rome"]
    asked, resumed = proxy.bodies(marker)
    assert seen(asked)["system"] == "Be brief."
    assert sorted(results(resumed)) == ["sun in Paris", "sun in Rome"]
    # The thinking of a kept response comes back with its call.
    assert seen(resumed)["messages"][1]["content"][0]["thinking"] == "Hm."


def test_a_handoff(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    def agent(model: agents.OpenAIResponsesModel) -> agents.Agent[Any]:
        other = agents.Agent(
            "Billing", instructions="You know the bills.", model=model, handoff_description="Knows bills"
        )
        return agents.Agent("Desk", instructions="You answer the door.", model=model, handoffs=[other])

    handed = {"name": "transfer_to_billing", "input": {}}
    run = ran(proxy, agent, prompt(call=handed, then={"text": "It is paid."}))
    assert run.final_output == "It is paid."
    assert run.last_agent.name == "Billing"
    first, second = proxy.bodies(marker)
    assert [seen(body)["system"] for body in (first, second)] == ["You answer the door.", "You know the bills."]
    assert [tool["name"] for tool in first["tools"]] == ["transfer_to_billing"]


def test_the_server_keeps_the_conversation(proxy: RunningProxy, prompt: Prompt, marker: str) -> None:
    def agent(model: agents.OpenAIResponsesModel) -> agents.Agent[Any]:
        return agents.Agent("Plain", model=model)

    first = ran(proxy, agent, prompt(text="One."))
    second = ran(proxy, agent, 'And?\nscripted: {"text": "Two."}', previous_response_id=first.last_response_id)
    assert second.final_output == "Two."
    roles = [message["role"] for message in seen(proxy.bodies(marker)[-1])["messages"]]
    assert roles == ["user", "assistant", "user"]


def test_typed_output(proxy: RunningProxy, prompt: Prompt) -> None:
    def agent(model: agents.OpenAIResponsesModel) -> agents.Agent[Any]:
        return agents.Agent("Forecast", model=model, output_type=Forecast)

    rome = Forecast(city="Rome", high=20)
    assert ran(proxy, agent, prompt(text=rome.model_dump_json())).final_output == rome
