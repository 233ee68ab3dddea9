"""One-off questions to the CLI: who is signed in, what it offers this login, how full the plan's windows are.

Calls no model and spends no tokens. Each question runs in a separate process; the workers of a running proxy are not
involved.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import orjson

from ...errors import CliCrashed, CliUnavailable, NotSignedIn, Overloaded
from ...events import JsonObject, Model
from ..process.channel import Timeouts, Unconfirmed
from ..process.spawn import ClaudeProcess
from ..process.worker import Worker
from ..wire.failure import SIGN_IN
from ..wire.models import models_of

# `claude auth status` takes 0.1 s on a quiet machine.
LOGIN_SECONDS = 10.0
# `get_usage` asks the service.
TIMEOUTS = Timeouts(step=30.0)

# While this is set the CLI (2.1.330) does not request the plan's usage and says `rate_limits: null`.
TRAFFIC_SWITCH = "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"


async def login(program: Path, environ: Mapping[str, str]) -> JsonObject:
    """What `claude auth status` prints: `loggedIn`, `authMethod`, and for a plan `subscriptionType`, `loginExpiresAt`.

    `environ` is the CLI's whole environment. Signed out is an answer too (`loggedIn` False, exit code 1). Raises
    CliCrashed when there is none. It holds no secret, but an e-mail address.
    """
    with tempfile.TemporaryDirectory(prefix="claude-max-", ignore_cleanup_errors=True) as cwd:
        try:
            process = await ClaudeProcess.spawn(program, ("auth", "status"), environ, Path(cwd))
        except (CliUnavailable, Overloaded) as error:
            raise CliCrashed(error.message) from None
        try:
            async with asyncio.timeout(LOGIN_SECONDS):
                output = await process.output()
        except TimeoutError:
            raise CliCrashed(f"`{program} auth status` gave no answer in {LOGIN_SECONDS:g} seconds.") from None
        finally:
            await process.close()
    with contextlib.suppress(orjson.JSONDecodeError):
        said = orjson.loads(output)
        if isinstance(said, dict) and isinstance(said.get("loggedIn"), bool):
            return said
    raise CliCrashed(f"`{program} auth status` said nothing that is known.")


async def cli_info(program: Path, environ: Mapping[str, str]) -> JsonObject:
    """The CLI's answer to `initialize`: `models`, `account`, `claude_code_version`.

    Raises NotSignedIn, CliCrashed, CliUnavailable.
    """
    async with _asked(program, environ) as worker:
        return worker.cli_info


async def models(program: Path, environ: Mapping[str, str]) -> tuple[Model, ...]:
    """The models that the CLI offers this login. Raises as `cli_info`."""
    return models_of(await cli_info(program, environ))


async def usage(program: Path, environ: Mapping[str, str]) -> JsonObject:
    """The CLI's answer to `get_usage` (SDKControlGetUsageResponse in the TypeScript SDK's `sdk.d.ts`).

    `rate_limits_available` False: the login has no plan windows. True with `rate_limits` None: the CLI could not get
    them. Raises NotSignedIn, CliCrashed, CliUnavailable.
    """
    async with _asked(program, environ) as worker:
        # Lifted only now: a CLI that starts without it also sends telemetry and asks for feature flags.
        await worker.channel.control("apply_flag_settings", settings={"env": {TRAFFIC_SWITCH: ""}})
        return await worker.channel.control("get_usage", skip_behaviors=True)


def signed_in(cli_info: JsonObject) -> bool:
    """Whether the `account` in the answer to `initialize` is one (a signed-out CLI says `tokenSource: none`)."""
    account = cli_info.get("account")
    if not isinstance(account, dict):
        return False
    source = account.get("tokenSource")
    return bool(account.get("subscriptionType") or account.get("apiKeySource") or (source and source != "none"))


def plan_of(cli_info: JsonObject) -> str | None:
    """The subscription in the answer to `initialize`, as `claude auth status` names it: "max" for "Claude Max"."""
    account = cli_info.get("account")
    plan = account.get("subscriptionType") if isinstance(account, dict) else None
    return plan.removeprefix("Claude ").lower() if isinstance(plan, str) else None


@contextlib.asynccontextmanager
async def _asked(program: Path, environ: Mapping[str, str]) -> AsyncIterator[Worker]:
    """A process that answered `initialize` and is signed in; gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="claude-max-", ignore_cleanup_errors=True) as cwd:
        worker = await Worker.spawn(program, environ, Path(cwd), TIMEOUTS)
        try:
            await worker.initialize("")
            if not signed_in(worker.cli_info):
                raise NotSignedIn(f"The Claude Code CLI is not signed in. {SIGN_IN}")
            yield worker
        except Unconfirmed as error:
            raise CliCrashed(f"The Claude Code CLI did not do as asked: {error}.") from None
        finally:
            await worker.close()
