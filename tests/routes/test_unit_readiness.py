"""Who is signed in: what a process says counts at once, and the CLI is asked only once that is old."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from claude_max.proxy import readiness
from claude_max.proxy.engine.probe.queries import plan_of, signed_in
from claude_max.proxy.errors import CliCrashed
from claude_max.proxy.readiness import FIRST_SECONDS, FRESH_SECONDS, Login

# What 2.1.332 says in its reply to `initialize`, and what is told of it.
ACCOUNTS: list[tuple[Any, bool, str | None]] = [
    ({"tokenSource": "CLAUDE_CODE_OAUTH_TOKEN", "apiProvider": "firstParty"}, True, None),
    ({"subscriptionType": "Claude Max", "apiProvider": "firstParty"}, True, "max"),
    ({"subscriptionType": "Claude Pro", "email": "ada@example.com"}, True, "pro"),
    ({"apiKeySource": "ANTHROPIC_API_KEY", "tokenSource": "none"}, True, None),
    ({"tokenSource": "none", "apiProvider": "firstParty"}, False, None),
    ({"subscriptionType": None}, False, None),
    ({}, False, None),
    (None, False, None),
    ("Claude Max", False, None),
]


class Clock:
    """The time, and what the CLI says when it is asked."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.asked = 0
        self.says: dict[str, Any] | None = {"loggedIn": True, "subscriptionType": "team"}

    def monotonic(self) -> float:
        return self.now

    async def login(self, program: Path, environ: Any) -> dict[str, Any]:
        self.asked += 1
        if self.says is None:
            raise CliCrashed("nothing")
        return self.says


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(readiness, "login", made.login)
    monkeypatch.setattr(readiness, "time", made)
    return made


async def looked(login: Login) -> bool | None:
    """What is known once a query that this started has ended."""
    login.look()
    for _ in range(3):
        await asyncio.sleep(0)
    return login.signed_in


@pytest.mark.parametrize(("account", "is_in", "plan"), ACCOUNTS)
def test_what_an_account_says(account: object, is_in: bool, plan: str | None) -> None:
    assert (signed_in({"account": account}), plan_of({"account": account})) == (is_in, plan)


async def test_a_new_process_is_believed_and_nobody_asked(clock: Clock) -> None:
    login = Login(Path("claude"), {})
    assert await looked(login) is None
    login.told({"account": {"subscriptionType": "Claude Max"}})
    clock.now += FRESH_SECONDS - 1
    assert (await looked(login), login.plan, clock.asked) == (True, "max", 0)
    clock.now += 2
    assert (await looked(login), login.plan, clock.asked) == (True, "team", 1)
    assert (await looked(login), clock.asked) == (True, 1)
    login.told({"account": {"tokenSource": "none"}})
    assert (await looked(login), login.plan, clock.asked) == (False, None, 1)


async def test_where_no_process_comes_the_cli_is_asked(clock: Clock) -> None:
    login = Login(Path("claude"), {})
    clock.now += FIRST_SECONDS + 1
    clock.says = None
    assert (await looked(login), clock.asked) == (None, 1)
    clock.now += FRESH_SECONDS + 1
    clock.says = {"loggedIn": False}
    assert (await looked(login), clock.asked) == (False, 2)


async def test_a_process_does_not_contradict_the_cli(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Of a login that is no longer good the file is still there. Once it is renewed, the next query says so."""
    login = Login(Path("claude"), {})
    login.told({"account": {"subscriptionType": "Claude Max"}})
    clock.now += FRESH_SECONDS + 1
    clock.says = {"loggedIn": False}
    assert await looked(login) is False
    for _ in range(3):
        login.told({"account": {"subscriptionType": "Claude Max"}})
    assert login.signed_in is False
    assert len([record for record in caplog.records if "no longer signed in" in record.message]) == 1
    clock.now += FRESH_SECONDS + 1
    clock.says = {"loggedIn": True, "subscriptionType": "max"}
    assert (await looked(login), login.plan) == (True, "max")
