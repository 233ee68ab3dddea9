"""LiteLLM in front of two of these endpoints, as docs/team.md has it, with the file of templates/compose.

Keys refused, load shared, one endpoint killed, budgets reached, streams and tools through it.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest
from certified.conftest import installed
from certified.programs import LITELLM
from harness.asking import TOOL, directive
from harness.machine import eventually, free_port
from harness.proxy import RunningProxy, running_proxy, scripted

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("certified")]
CONFIGURATION = Path(__file__).parents[2] / "templates" / "compose" / "team.yaml"
KEYS = {"ada": "sk-of-ada", "bob": "sk-of-bob"}
KEY = "a long random word"


@dataclass(frozen=True)
class Team:
    """A client of LiteLLM, and the endpoints behind it."""

    client: openai.OpenAI
    endpoints: tuple[RunningProxy, RunningProxy]

    def ask(self, **reply: Any) -> Any:
        """One answer of sonnet."""
        messages: Any = [{"role": "user", "content": directive(**reply)}]
        return self.client.chat.completions.create(model="sonnet", messages=messages)

    def arrived(self) -> list[int]:
        """How many requests each endpoint has passed on."""
        return [endpoint.api.api.arrived for endpoint in self.endpoints if endpoint.api is not None]


@contextmanager
def running_team(folder: Path, **changed: str) -> Iterator[Team]:
    """LiteLLM with two endpoints; `changed` are other values in its file."""
    text = CONFIGURATION.read_text(encoding="utf-8")
    for name, value in changed.items():
        text, count = re.subn(rf"{name}: \S+", f"{name}: {value}", text)
        assert count, name
    (folder / "team.yaml").write_text(text)
    shutil.copy(CONFIGURATION.with_name("team_keys.py"), folder)
    places, _ = installed(LITELLM)
    with ExitStack() as stack:
        first, second = (_endpoint(stack, folder / name) for name in ("first", "second"))
        port = free_port()
        log = stack.enter_context((folder / "log.txt").open("wb"))
        server = subprocess.Popen(
            [str(places[0] / "litellm"), "--config", str(folder / "team.yaml"), "--port", str(port)],
            env={
                "PATH": f"{places[0]}{os.pathsep}{os.environ['PATH']}",
                "HOME": str(folder),
                # Otherwise it asks another host for prices first.
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_MASTER_KEY": "sk-a-long-random-word",
                "TEAM_KEYS": json.dumps(KEYS),
                "CLAUDE_MAX_API_KEY": KEY,
                "FIRST_URL": f"{first.url}/v1",
                "SECOND_URL": f"{second.url}/v1",
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: _up(url), 120, said=lambda: (folder / "log.txt").read_text())
            client = openai.OpenAI(base_url=f"{url}/v1", api_key=KEYS["ada"], max_retries=0, timeout=60)
            yield Team(stack.enter_context(client), (first, second))
        finally:
            server.terminate()
            server.wait(20)


def _endpoint(stack: ExitStack, home: Path) -> RunningProxy:
    home.mkdir()
    api = stack.enter_context(scripted())
    return stack.enter_context(running_proxy(home, api=api, environ={"CLAUDE_MAX_API_KEY": KEY}))


def _up(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health/liveliness", timeout=5).is_success
    except httpx2.HTTPError:
        return False


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """The file as it is."""
    with running_team(tmp_path_factory.mktemp("team")) as running:
        yield running


def test_another_key_is_refused(team: Team) -> None:
    """By LiteLLM, which knows each person's, and by the endpoints, which have one, too."""
    before = team.arrived()
    for key in ("sk-of-nobody", "sk-of-ad", KEY):
        with pytest.raises(openai.AuthenticationError):
            replace(team, client=team.client.with_options(api_key=key)).ask(text="no")
    bob = replace(team, client=team.client.with_options(api_key=KEYS["bob"]))
    for endpoint in team.endpoints:
        with pytest.raises(openai.AuthenticationError):
            endpoint.client.models.list()
    assert team.arrived() == before
    assert bob.ask(text="for Bob").choices[0].message.content == "for Bob"


def test_a_stream(team: Team) -> None:
    messages: Any = [{"role": "user", "content": directive(words=40)}]
    chunks = list(team.client.chat.completions.create(model="sonnet", messages=messages, stream=True))
    texts = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert len(texts) > 5
    assert "".join(texts).split() == [f"word{n + 1}" for n in range(40)]


def test_tools(team: Team) -> None:
    """Parallel calls, streamed; their results may go to the other endpoint, which answers."""
    calls = [{"name": "look", "input": {"at": n}} for n in range(2)]
    messages: list[Any] = [{"role": "user", "content": directive(call=calls, then={"text": "Seen."})}]
    with team.client.chat.completions.stream(model="sonnet", messages=messages, tools=[TOOL]) as stream:
        first = stream.get_final_completion().choices[0].message
    assert [call.function.arguments for call in first.tool_calls or ()] == ['{"at": 0}', '{"at": 1}']
    messages.append(first.model_dump(exclude_none=True, exclude={"parsed": True}))
    messages += [{"role": "tool", "tool_call_id": call.id, "content": "fine"} for call in first.tool_calls or ()]
    last = team.client.chat.completions.create(model="sonnet", messages=messages, tools=[TOOL])
    assert last.choices[0].message.content == "Seen."


def test_both_endpoints_serve(team: Team) -> None:
    before = team.arrived()
    with ThreadPoolExecutor(6) as several:
        answers = [several.submit(team.ask, words=30) for _ in range(12)]
        assert all(each.result().choices[0].message.content for each in answers)
    grown = [now - then for now, then in zip(team.arrived(), before, strict=True)]
    assert sum(grown) == 12
    assert min(grown) > 2


def test_a_budget_is_reached(tmp_path: Path) -> None:
    """Of one endpoint, then of the other, then the smaller model's that stands in; then it is a 429."""
    with running_team(tmp_path, max_budget="0.001") as tight:
        models: list[str] = []

        def spent() -> str:
            try:
                models.append(tight.ask(text="ok").model)
            except openai.RateLimitError as error:
                return str(error)
            return ""

        said = eventually(spent, 60)
    assert "crossed budget" in said
    assert models[0] == "sonnet"
    assert "haiku" in models[-1]
    assert min(tight.arrived()) > 2


def test_one_endpoint_is_killed(team: Team) -> None:
    """Last, since it stays so. Nobody sees it."""
    gone, left = team.endpoints
    gone.process.kill()
    gone.process.wait()
    assert left.api is not None
    before = left.api.api.arrived
    assert [team.ask(text=f"answer {n}").choices[0].message.content for n in range(6)] == [
        f"answer {n}" for n in range(6)
    ]
    assert left.api.api.arrived == before + 6
