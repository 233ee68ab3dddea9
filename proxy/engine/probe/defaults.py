"""The CLI's own `max_tokens` and `thinking` for a model.

The exact composition sets both, and a client without a limit should get the CLI's. The contract check learns them for
the models that the CLI offers; for any other model they are learned once, against the scripted service.
"""

import asyncio
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from ... import errors
from ...events import Model
from ...scripted import ScriptedAPI, serve_scripted
from ..planning.body import Defaults
from ..process.channel import Unconfirmed
from .baited_home import BaitedHome
from .contract import ContractResult, defaults_of
from .examiner import Examiner

log = logging.getLogger("claude_max.engine")


class ModelDefaults:
    """The defaults of every model that was asked about."""

    def __init__(
        self, program: Path, path: str, contract: ContractResult, offered: Callable[[], tuple[Model, ...]]
    ) -> None:
        """`contract` knows some; `offered` returns which id a name means with this login."""
        self._program = program
        self._path = path
        self.contract = contract
        self._known = dict(contract.defaults)
        self._offered = offered
        self._asking: dict[str, asyncio.Task[Defaults]] = {}
        # With those whose answer is no longer wanted (`replace`).
        self._tasks: set[asyncio.Task[Defaults]] = set()
        self._one_at_a_time = asyncio.Lock()
        self._stopped = asyncio.Event()

    def replace(self, contract: ContractResult) -> None:
        """Forgets everything: the CLI is another one."""
        self.contract = contract
        self._known = dict(contract.defaults)
        self._asking.clear()

    def stop(self) -> None:
        """No more questions: who waits for an answer, or asks, gets ShuttingDown."""
        self._stopped.set()

    async def close(self) -> None:
        """Ends the process of a question under way."""
        self.stop()
        asking = list(self._tasks)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def of(self, model: str) -> Defaults:
        """The defaults of a model, by the name that a Turn has. Raises ShuttingDown."""
        offered = {each.name: each.id for each in self._offered()} or self._families()
        model = offered.get(model, model)
        known = self._known.get(model)
        if known is not None:
            return known
        if self._stopped.is_set():
            raise errors.ShuttingDown("The proxy is shutting down.")
        asking = self._asking.get(model)
        if asking is None:
            asking = self._asking[model] = asyncio.create_task(self._learn(model))
            self._tasks.add(asking)
            asking.add_done_callback(self._tasks.discard)
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait({asking, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        if self._stopped.is_set():
            raise errors.ShuttingDown("The proxy is shutting down.")
        return asking.result()

    def _families(self) -> dict[str, str]:
        """What `sonnet` means before a process has listed its models: the only known one of that name."""
        ids = [id.split("-") for id in self._known]
        names = [parts[1] for parts in ids if len(parts) > 1]
        return {parts[1]: "-".join(parts) for parts in ids if len(parts) > 1 and names.count(parts[1]) == 1}

    async def _learn(self, model: str) -> Defaults:
        task = asyncio.current_task()
        try:
            # Clients can make names up, and each costs a process.
            async with self._one_at_a_time:
                found = await self._ask(model)
            if found is not None and self._asking.get(model) is task:
                self._known[model] = found
            return found or Defaults()
        finally:
            if self._asking.get(model) is task:
                del self._asking[model]

    async def _ask(self, model: str) -> Defaults | None:
        """What the CLI asks for; None where it did not say, so that the next Turn tries again."""
        try:
            with tempfile.TemporaryDirectory(prefix="claude-max-", ignore_cleanup_errors=True) as folder:
                api = ScriptedAPI(strict=frozenset())
                async with serve_scripted(api) as url:
                    examiner = Examiner(BaitedHome(Path(folder), url, self._program, self._path), api)
                    try:
                        return defaults_of(await examiner.plain(model))
                    finally:
                        await examiner.close()
        except (errors.ProxyError, Unconfirmed, OSError, TimeoutError, KeyError, IndexError) as error:
            log.warning("what the CLI asks for with %s is not known (%s)", model, error)
            return None
