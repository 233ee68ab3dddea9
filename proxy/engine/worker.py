"""One claude process, what it is known to hold, and how it is brought from there to a Turn.

The law: `state` changes only after the CLI confirmed a step. Whatever does not go as measured raises Doubt (nothing was
asked yet, another worker may serve the Turn) or a ProxyError (the model was asked); either way `settle` then says
whether this worker may be used again. A worker in doubt is closed, never repaired.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from .. import errors
from ..events import Event, JsonObject
from . import protocol
from .answer import Answer
from .channel import ODD, Channel, Doubt, Patience, Silent, odd
from .cli_schema import for_cli
from .command import ARGUMENTS
from .plan import (
    Append,
    Ask,
    Initialize,
    Interrupt,
    Plan,
    Resume,
    Rewind,
    RewindAll,
    SetLimits,
    SetSystem,
    SetTools,
    State,
    Step,
    descriptions,
    rewind_steps,
)
from .process import ClaudeProcess
from .schema_answer import SchemaAnswer
from .transcript import Entry

# How long the end of a turn may take after its answer: a `result`, a call delivered, an interrupt and a rewind.
SETTLE_SECONDS = 10.0


class Worker:
    """One process. Serves one Turn at a time: `run`, then `settle`, then perhaps `run` again."""

    def __init__(
        self, process: ClaudeProcess, patience: Patience, accept: Callable[[JsonObject], None] = lambda _: None
    ) -> None:
        """`accept` is told what the process says of itself, and raises Doubt where it must not be used."""
        self.channel = Channel(process, patience)
        self.state = State()
        self.born = self.used = time.monotonic()
        self.turns = 0
        self.about: JsonObject = {}
        self._silence = patience.silence
        self._accept = accept
        self._answer: Answer | None = None
        self._rate_limit: JsonObject | None = None

    @classmethod
    async def spawn(
        cls,
        program: Path,
        environ: Mapping[str, str],
        cwd: Path,
        patience: Patience,
        accept: Callable[[JsonObject], None] = lambda _: None,
    ) -> "Worker":
        """A new process that holds nothing yet; `accept` as above."""
        return cls(await ClaudeProcess.spawn(program, ARGUMENTS, environ, cwd), patience, accept)

    @property
    def alive(self) -> bool:
        """Whether the process runs and everything it said could be read."""
        return self.channel.alive

    @property
    def pid(self) -> int:
        """The process id."""
        return self.channel.process.pid

    async def run(self, plan: Plan) -> AsyncGenerator[Event]:
        """Takes the plan's steps, then yields the answer's events, the last of them Finished.

        Raises Doubt before the model was asked (CliUnavailable where no other worker would do better), a ProxyError
        afterwards. Call `settle` in every case, also when the iterator was left early.
        """
        self._answer = None
        *steps, last = plan.steps
        try:
            stale = self.channel.stale()
            if self.state.parked and any(line.get("type") == "result" for line in stale):
                raise Doubt("the parked turn ended by itself")
            for step in steps:
                await self.take(step)
        except errors.CliCrashed as error:
            raise Doubt(error.message) from None
        new = isinstance(plan.steps[0], Initialize)
        try:
            answer = await self._ask(last)
        except errors.CliCrashed as error:
            raise _lost(error, new) from None
        while answer.finished is None:
            events = _fed(answer, await self._line(answer, new))
            if answer.finished is not None and not answer.fits:
                # Before anybody is told: the CLI is about to ask the model again.
                self.channel.cut()
            for event in events:
                yield event

    async def settle(self) -> bool:
        """Waits for the CLI's turn to end, bounded, and takes back what must not stay. False: close this worker."""
        self.used = time.monotonic()
        self.turns += 1
        if self._answer is not None:
            self._rate_limit = self._answer.rate_limit
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._settle()
        except (Doubt, TimeoutError, errors.ProxyError):
            return False
        return self.alive

    async def close(self) -> None:
        """Ends the process; returns when it is gone."""
        if self._answer is not None and not self._answer.over and self.channel.process.alive:
            # A CLI whose stdin closes in mid-stream finishes its answer first; an interrupted one goes at once.
            self.channel.cut()
        await self.channel.close()

    async def take(self, step: Step) -> None:
        """One step that asks nothing of the model.

        Raises Doubt or CliCrashed; then the state is unknown. Raises CliUnavailable where a new process stays silent.
        """
        match step:
            case Initialize(system, schema):
                fields: JsonObject = {"jsonSchema": for_cli(schema)} if schema is not None else {}
                try:
                    self.about = await self.channel.control(
                        "initialize", systemPrompt=[system], systemPromptSnapshot=False, hooks={}, **fields
                    )
                except Silent:
                    # The next new process would say nothing either.
                    raise errors.CliUnavailable(
                        "The Claude Code CLI was started and said nothing. It asks the network before it answers: is "
                        "there one? `claude-max doctor` says more."
                    ) from None
                self._accept(self.about)
                self.state = replace(self.state, system=system, schema=schema)
            case Interrupt():
                await self.channel.control("interrupt")
                await self.channel.until(lambda line: line.get("type") == "result")
                self._unpark()
            case Rewind(target, keep):
                reply = await self.channel.control("rewind_conversation", target_message_uuid=target)
                if reply.get("rewound") is not True:
                    raise Doubt(f"a rewind was refused: {reply.get('reason')}")
                self.state = replace(self.state, transcript=self.state.transcript[:keep])
            case RewindAll():
                for back in rewind_steps(self.state.transcript, 0):
                    await self.take(back)
            case SetSystem(system, model):
                await self.channel.control("set_model", model=model, system_prompt=system)
                self.state = replace(self.state, system=system)
            case SetTools(server, tools):
                await self.channel.offer(server, tools)
                described = {**self.state.described, **descriptions(tools)}
                self.state = replace(self.state, tools=tools, server=server, described=described)
            case SetLimits(limits, settings):
                await self.channel.control("apply_flag_settings", settings=settings)
                self.state = replace(self.state, limits=limits)
            case Append(message) if message.role == "assistant":
                await self.channel.send(protocol.assistant_line(message))
                self._hold(Entry.of(message))
            case Append(message):
                # User lines are queued, assistant lines are not: without the wait they would change places.
                name = str(uuid.uuid4())
                await self.channel.send(protocol.user_line(message, name, query=False))
                await self.channel.until(lambda line: line.get("command_uuid") == name and line["state"] == "completed")
                self._hold(Entry.of(message, name))
            case Ask() | Resume():
                raise AssertionError("a plan asks once, at its end")

    async def _line(self, answer: Answer, new: bool) -> JsonObject:
        """The next line.

        Within milliseconds, and before it asks anyone, the CLI says that it took the message up. A process that died or
        stopped since its last turn is told by its silence then; the operating system may say so later.
        """
        try:
            return await (self.channel.line(self._silence) if answer.heard else self.channel.soon())
        except TimeoutError:
            raise errors.TimedOut(f"The model sent nothing for {self._silence:g} seconds.") from None
        except errors.CliCrashed as error:
            raise (error if answer.heard else _lost(error, new)) from None

    async def _ask(self, step: Step) -> Answer:
        names = [tool.name for tool in self.state.tools]
        schema = self.state.schema
        kind = Answer if schema is None else partial(SchemaAnswer, schema)
        match step:
            case Ask(message):
                name = str(uuid.uuid4())
                answer = self._answer = kind(name, names, self._rate_limit)
                self._hold(Entry.of(message, name))
                await self.channel.send(protocol.user_line(message, name, query=True))
                return answer
            case Resume(message, results):
                answer = self._answer = kind(None, names, self._rate_limit)
                self.state = replace(self.state, parked=frozenset())
                self._hold(Entry.of(message))
                for result in results:
                    await self.channel.answer_call(result)
                return answer
        raise AssertionError("a plan ends with a question")

    async def _settle(self) -> None:
        answer = self._answer
        if answer is None:
            raise Doubt("the steps were not completed")
        reason = answer.finished.reason if answer.finished else None
        if reason == "tool_use" and answer.fits and await self.channel.called(answer.calls):
            self._hold(Entry.of(answer.message))
            self.state = replace(self.state, parked=frozenset(answer.calls))
        elif reason in ("end_turn", "stop_sequence") and answer.message.content and self.state.schema is None:
            await self._read_to_end(answer)
            self._hold(Entry.of(answer.message))
        else:
            await self._take_back(answer)

    async def _take_back(self, answer: Answer) -> None:
        """Ends a turn that must leave no trace: cut by a limit, refused, empty, failed, or left by its client.

        After a limit, a refusal and an empty answer the CLI asks the model again by itself; in its schema mode it
        reminds the model of the schema in every later turn.
        """
        while not answer.started and not answer.over:
            # An interrupt sent before the CLI took the message up says success and is lost.
            self._feed(answer, await self.channel.line(SETTLE_SECONDS))
        if not answer.over:
            await self.channel.control("interrupt")
            await self._read_to_end(answer)
        self._unpark()
        transcript = self.state.transcript
        keep = max(i for i, item in enumerate(transcript) if item.uuid is not None)
        for step in rewind_steps(transcript, keep):
            await self.take(step)

    async def _read_to_end(self, answer: Answer) -> None:
        while not answer.over:
            self._feed(answer, await self.channel.line(SETTLE_SECONDS))

    def _feed(self, answer: Answer, line: JsonObject) -> None:
        """What the CLI says after its answer is of no interest, an error included: the client has left or was told."""
        with contextlib.suppress(errors.ProxyError):
            _fed(answer, line)

    def _hold(self, held: Entry) -> None:
        self.state = replace(self.state, transcript=(*self.state.transcript, held))

    def _unpark(self) -> None:
        self.channel.forget_calls()
        self.state = replace(self.state, parked=frozenset())


def _lost(error: errors.CliCrashed, new: bool) -> Exception:
    """What to make of a process that died before it took the message up: a `new` one may have died of that."""
    return error if new else Doubt(error.message)


def _fed(answer: Answer, line: JsonObject) -> list[Event]:
    try:
        return answer.feed(line, time.time())
    except ODD as error:
        raise odd(error) from error
