"""What the CLI asks for with a model: known from the contract check, or asked once."""

import asyncio
from pathlib import Path

import pytest

from claude_max.proxy import errors
from claude_max.proxy.engine.planning.body import Defaults
from claude_max.proxy.engine.probe import defaults as module
from claude_max.proxy.engine.probe.contract import ContractResult, defaults_of
from claude_max.proxy.engine.probe.defaults import ModelDefaults
from claude_max.proxy.events import Model

KNOWN = Defaults(64_000, {"type": "adaptive"})
ASKED = Defaults(8192, None)
CONTRACT = ContractResult(frozenset(), {}, {"claude-sonnet-9": KNOWN})
OFFERED = (Model("sonnet", "claude-sonnet-9"), Model("new", "claude-new-1"))


class Cli:
    """Stands for the examiner: counts who asks, and how many at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.now = self.peak = 0
        self.begun, self.gate = asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.closed = 0

    async def plain(self, model: str) -> dict[str, object]:
        self.asked.append(model)
        self.now += 1
        self.peak = max(self.peak, self.now)
        self.begun.set()
        try:
            await self.gate.wait()
        finally:
            self.now -= 1
        if self.error is not None:
            raise self.error
        return {"max_tokens": 8192}

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Cli:
    made = Cli()
    monkeypatch.setattr(module, "Examiner", lambda home, api: made)
    return made


@pytest.fixture
def defaults() -> ModelDefaults:
    return ModelDefaults(Path("claude"), "/bin", CONTRACT, lambda: OFFERED)


@pytest.mark.parametrize("name", ["sonnet", "claude-sonnet-9"])
async def test_what_the_contract_check_knows(cli: Cli, defaults: ModelDefaults, name: str) -> None:
    assert await defaults.of(name) == KNOWN
    assert cli.asked == []


async def test_a_request_before_the_first_process_has_said_what_it_offers(cli: Cli) -> None:
    """It would wait for a process of its own; but where the name may mean one or the other it must."""
    early = ModelDefaults(Path("claude"), "/bin", CONTRACT, lambda: ())
    assert await early.of("sonnet") == KNOWN
    assert cli.asked == []
    early.replace(ContractResult(frozenset(), {}, {"claude-sonnet-9": KNOWN, "claude-sonnet-8": KNOWN, "odd": KNOWN}))
    assert await early.of("sonnet") == ASKED
    assert cli.asked == ["sonnet"]


async def test_another_model_is_asked_about_once(cli: Cli, defaults: ModelDefaults) -> None:
    for name in ("new", "claude-new-1", "new"):
        assert await defaults.of(name) == ASKED
    assert cli.asked == ["claude-new-1"]
    assert cli.closed == 1


async def test_those_who_ask_together_share_one_answer(cli: Cli, defaults: ModelDefaults) -> None:
    cli.gate.clear()
    tasks = [asyncio.create_task(defaults.of("new")) for _ in range(5)]
    await cli.begun.wait()
    tasks[0].cancel()
    cli.gate.set()
    assert await asyncio.gather(*tasks[1:]) == [ASKED] * 4
    assert cli.asked == ["claude-new-1"]


async def test_names_that_a_client_makes_up_start_one_process_at_a_time(cli: Cli, defaults: ModelDefaults) -> None:
    """Any `claude-…` id is passed on; each process takes 155 MB and half a second of processor."""
    cli.gate.clear()
    tasks = [asyncio.create_task(defaults.of(f"claude-{number}")) for number in range(5)]
    await cli.begun.wait()
    cli.gate.set()
    assert await asyncio.gather(*tasks) == [ASKED] * 5
    assert sorted(cli.asked) == [f"claude-{number}" for number in range(5)]
    assert cli.peak == 1


@pytest.mark.parametrize("error", [errors.CliCrashed("died"), TimeoutError(), KeyError("max_tokens")])
async def test_what_cannot_be_learned_is_guessed(cli: Cli, defaults: ModelDefaults, error: Exception) -> None:
    cli.error = error
    assert await defaults.of("new") == Defaults()
    assert cli.closed == 1


async def test_another_cli_is_asked_anew(cli: Cli, defaults: ModelDefaults) -> None:
    await defaults.of("new")
    defaults.replace(ContractResult(frozenset(), {}, {"claude-new-1": KNOWN}))
    assert await defaults.of("new") == KNOWN
    assert await defaults.of("sonnet") == ASKED


async def test_an_answer_of_the_cli_before_is_not_kept(cli: Cli, defaults: ModelDefaults) -> None:
    cli.gate.clear()
    asking = asyncio.create_task(defaults.of("new"))
    await cli.begun.wait()
    defaults.replace(CONTRACT)
    cli.gate.set()
    await asking
    await defaults.of("new")
    assert cli.asked == ["claude-new-1"] * 2


async def test_a_question_under_way_ends_with_the_server(cli: Cli, defaults: ModelDefaults) -> None:
    """Also one whose answer is no longer wanted: each has a process."""
    cli.gate.clear()
    waiting = asyncio.create_task(defaults.of("new"))
    await cli.begun.wait()
    defaults.replace(CONTRACT)
    await defaults.close()
    assert cli.closed == 1
    assert cli.now == 0
    with pytest.raises(errors.ShuttingDown):
        await waiting


async def test_who_waits_at_the_end_is_told_at_once(cli: Cli, defaults: ModelDefaults) -> None:
    """While the process that is asked still runs; and who comes later starts none."""
    cli.gate.clear()
    waiting = [asyncio.create_task(defaults.of(name)) for name in ("new", "new", "claude-other")]
    await cli.begun.wait()
    defaults.stop()
    found = await asyncio.gather(*waiting, defaults.of("claude-late"), return_exceptions=True)
    assert [type(each) for each in found] == [errors.ShuttingDown] * 4
    assert (cli.asked, cli.now) == (["claude-new-1"], 1)
    await defaults.close()
    assert cli.now == 0


def test_the_fields_of_a_request() -> None:
    assert defaults_of({"max_tokens": 5, "thinking": {"type": "adaptive"}}) == Defaults(5, {"type": "adaptive"})
    assert defaults_of({"max_tokens": 5}) == Defaults(5, None)
