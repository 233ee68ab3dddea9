"""One claude process that serves Turns, one after another.

Between turns it holds no more than `holds` says: every turn is rewound and its settings are reset. `run` raises
Unconfirmed while the model has not been asked, so that another worker can serve the Turn, and a ProxyError afterwards.
`finish_turn` returns whether the worker can be reused. A worker in an unknown state is closed, never repaired.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

from ... import errors
from ...events import Event, Finished, JsonObject, ReasoningDelta, TextDelta, ToolCallStarted
from ...receipts import Spent
from ..planning.steps import Append, Ask, Configure, Offer, SetSystem, Step, steps
from ..planning.want import BARE, NO_TEXT, SETTINGS_ID, Holds, Want, at_start, reset
from ..wire import protocol
from ..wire.answer import Answer
from ..wire.command import ARGUMENTS, SERVER
from ..wire.failure import INVALID_URL
from .channel import LINE_ERRORS, Channel, NoReply, Timeouts, Unconfirmed, unexpected_line
from .spawn import ClaudeProcess

# Limit for everything after the answer: the `result` line, an interrupt, the rewind.
FINISH_SECONDS = 10.0
RESET_ID = "reset"
# Limit for holding back the first delta of a process until a second one proves that the body was sent (see `_proves`).
HOLD_SECONDS = 0.5
# Most user lines that are rewound. Each takes a request; 800 take 0.4 s, about as long as a new process.
REWINDS = 400

# Why the CLI refuses to rewind to a line of tool results.
SPLITS_CALL = "target_splits_tool_call"

Accept = Callable[[JsonObject], None]


class Worker:
    """One process. Serves one Turn at a time: `run`, then `finish_turn`, then perhaps `run` again."""

    def __init__(self, process: ClaudeProcess, timeouts: Timeouts, accept: Accept = lambda _: None) -> None:
        """`accept` gets the reply to `initialize`, and raises Unconfirmed where the process must not be used."""
        self.channel = Channel(process, timeouts)
        self.channel.on_start = self._reset
        self.holds = BARE
        self.cli_info: JsonObject = {}
        self._silence = timeouts.silence
        self._accept = accept
        self._answer: Answer | None = None
        self._want: Want | None = None
        self._lines: list[str] = []
        self.rate_limit: JsonObject | None = None
        # What the latest turn used, once it is finished; None where the model was not asked.
        self.spent: Spent | None = None
        self._is_reset = False
        self._requested: float | None = None
        # Whether an answer has proved that the CLI sends the body it is given.
        self._proved = False

    @classmethod
    async def spawn(
        cls,
        program: Path,
        environ: Mapping[str, str],
        cwd: Path,
        timeouts: Timeouts,
        accept: Accept = lambda _: None,
    ) -> "Worker":
        """Starts a process, which still has to be initialized; `accept` as above."""
        return cls(await ClaudeProcess.spawn(program, ARGUMENTS, environ, cwd), timeouts, accept)

    @property
    def alive(self) -> bool:
        """Whether the process is running and all its output could be parsed."""
        return self.channel.alive

    @property
    def pid(self) -> int:
        """The process id."""
        return self.channel.process.pid

    @property
    def silent(self) -> float:
        """For how many seconds the model has not begun to answer, 0 while it is not asked."""
        waits = self._requested is not None and self._answer is not None and not self._answer.begun
        return time.monotonic() - (self._requested or 0) if waits else 0.0

    async def run(self, want: Want) -> AsyncGenerator[Event]:
        """Takes the steps to the want, then yields the answer's events, the last of them Finished.

        Raises Unconfirmed before the model was asked (CliUnavailable where no other worker would do better), a
        ProxyError afterwards. Always call `finish_turn` afterwards, also when the iterator was not exhausted.
        """
        self._answer, self._want, self._is_reset, self.spent, self._requested = None, want, False, None, None
        try:
            self.channel.begin_turn()
            for step in steps(self.holds, want):
                await self.take(step)
        except errors.CliCrashed as error:
            raise Unconfirmed(error.message) from None
        answer = self._answer
        assert answer is not None, "the last step asks"
        held: list[Event] = []
        holds = not self._proved
        said = False
        while answer.finished is None:
            line = await self._line(answer, hold=bool(held))
            self._check_settings(answer)
            if line is None:
                # An answer to the trigger alone would have ended by now: the model is just slow.
                events, held, holds = held, [], False
            else:
                events = _fed(answer, line)
            if answer.requested and self._requested is None:
                self._requested = time.monotonic()
            said = said or any(isinstance(event, TextDelta | ReasoningDelta | ToolCallStarted) for event in events)
            if answer.finished is not None:
                _check_limit(want, answer.finished, said=said)
            if holds:
                held += events
                if not self._proves(answer, held):
                    continue
                events, held, holds = held, [], False
            for event in events:
                yield event

    async def finish_turn(self) -> bool:
        """Waits for the end of the CLI's turn, at most FINISH_SECONDS, and undoes it. False: close this worker."""
        answer = self._answer
        if answer is None:
            return False
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await self._take_back(answer)
        except (Unconfirmed, TimeoutError, errors.ProxyError):
            return False
        finally:
            # The CLI reports limits and costs after the answer.
            self.rate_limit, self.spent = answer.rate_limit, answer.spent
            for request_id in (SETTINGS_ID, RESET_ID):
                self.channel.forget(request_id)
        # Last, because `close` interrupts a turn that did not end.
        self._answer = self._want = None
        self.channel.idle = True
        return self.alive

    async def close(self) -> None:
        """Ends the process, and returns when it has exited."""
        if self._answer is not None and not self._answer.over and self.channel.process.alive:
            # When its stdin closes in mid-stream, the CLI finishes the answer first, unless it is interrupted.
            self.channel.interrupt_nowait()
        await self.channel.close()

    async def take(self, step: Step) -> None:
        """Takes one step. After Unconfirmed or CliCrashed the state of the process is unknown."""
        match step:
            case SetSystem(system, model):
                await self.channel.control("set_model", model=model, system_prompt=system)
                self.holds = replace(self.holds, system=system)
            case Configure(want) if want.way == "exact":
                # Written together with the line that asks: each settings request costs about 10 ms.
                pass
            case Configure(want):
                with self.channel.expecting(SETTINGS_ID) as reply:
                    await self.channel.send(want.encoded)
                    await self.channel.confirmed(reply, "apply_flag_settings")
            case Offer(tools, encoded):
                self.holds = replace(self.holds, tools=encoded)
                await self.channel.offer(SERVER, tools)
            case Append(message) if message.role == "assistant":
                await self.channel.send(protocol.assistant_line(message))
            case Append(message):
                # User lines are queued and assistant lines are not: without the wait they would be reordered.
                name = str(uuid.uuid4())
                await self.channel.send(protocol.user_line(protocol.content(message), name, query=False))
                self._lines.append(name)
                await self.channel.read_until(
                    lambda line: line.get("command_uuid") == name and line["state"] == "completed"
                )
            case Ask(want):
                await self._ask(want)

    async def prepare(self, system: str) -> None:
        """Initializes a new process, and applies settings once, which is slow the first time."""
        await self.initialize(system)
        await self.channel.control("apply_flag_settings", settings=reset())

    async def warm_up(self) -> None:
        """Runs a turn that sends no request, so that the first real one needs 40 ms instead of 95 to its first token.

        Without the service's address the CLI gets as far as its request, which fails with "Invalid URL" before a socket
        is opened. Raises Unconfirmed where it ends in any other way: such a process must not be used.
        """
        self.channel.begin_turn()
        name = str(uuid.uuid4())
        self._lines.append(name)
        await self.channel.send(protocol.user_line(NO_TEXT, name, query=True))
        while (line := await self.channel.next_reply()).get("type") != "result":
            pass
        if INVALID_URL not in str(line.get("result")):
            raise Unconfirmed("a message reached the service, or something else, while the address was taken away")
        await self.rewind()
        self.channel.idle = True

    async def initialize(self, system: str) -> None:
        """The first request to a process. Raises Unconfirmed, or CliUnavailable where there is no reply."""
        try:
            self.cli_info = await self.channel.control(
                "initialize", systemPrompt=[at_start(system)], systemPromptSnapshot=False, hooks={}
            )
        except NoReply:
            # Another new process would not reply either.
            raise errors.CliUnavailable(
                "The Claude Code CLI was started and said nothing. It asks the network before it answers: is there "
                "one? `claude-max doctor` says more."
            ) from None
        self._accept(self.cli_info)
        self.holds = Holds(system)

    async def _ask(self, want: Want) -> None:
        self._answer = Answer(want.uuid, want.tools, self.rate_limit)
        self._lines.append(want.uuid)
        if want.way == "exact":
            self.channel.expect(SETTINGS_ID)
            await self.channel.send(want.encoded, protocol.user_line(want.trigger, want.uuid, query=True))
        else:
            last = protocol.content(want.turn.messages[-1])
            await self.channel.send(protocol.user_line(last, want.uuid, query=True))

    async def _line(self, answer: Answer, *, hold: bool) -> JsonObject | None:
        """The next line; None after HOLD_SECONDS without one while events are held back.

        The CLI acknowledges a message within milliseconds, before it sends a request. Without that, the process died or
        was stopped since its last turn, which the operating system may report only later.
        """
        try:
            if not answer.heard:
                return await self.channel.next_reply()
            return await self.channel.line(HOLD_SECONDS if hold else self._silence)
        except TimeoutError:
            if hold:
                return None
            # The service may have sent pings, which the CLI does not show.
            raise errors.TimedOut(
                f"Nothing of the model's answer came for {self._silence:g} seconds (setting timeout)."
            ) from None
        except errors.CliCrashed as error:
            raise (error if answer.heard else Unconfirmed(error.message)) from None

    def _proves(self, answer: Answer, held: list[Event]) -> bool:
        """Whether the events held back so far prove that the body was sent.

        Only the first answer of a process is held back, and only by one delta: a CLI that ignored the body stops at the
        one token that its own settings allow.
        """
        want = self._want
        assert want is not None
        if want.outside is None:
            return True
        finished = answer.finished
        if finished is not None:
            self._proved = finished.usage.output > want.outside
            return True
        called = any(isinstance(event, ToolCallStarted) for event in held)
        self._proved = called or sum(isinstance(event, TextDelta | ReasoningDelta) for event in held) > want.outside
        return self._proved

    def _check_settings(self, answer: Answer) -> None:
        """Raises Unconfirmed where the CLI refused the settings with the body. It sends no request then."""
        reply = self.channel.awaited(SETTINGS_ID)
        if reply is None or not reply.done() or reply.exception() is not None:
            return
        if reply.result().get("subtype") != "success":
            if answer.begun:
                raise errors.CompositionIgnored("The Claude Code CLI refused the request that it was given.")
            raise Unconfirmed(f"its settings were refused: {reply.result().get('error')}")

    def _reset(self) -> None:
        """Once a turn, when the CLI has sent its request: requests of its own must not reach the service."""
        if self._is_reset:
            return
        self._is_reset = True
        self.channel.expect(RESET_ID)
        self.channel.process.post(protocol.control_request(RESET_ID, "apply_flag_settings", settings=reset()))

    async def _take_back(self, answer: Answer) -> None:
        """Ends the turn, resets the settings and rewinds the conversation."""
        want = self._want
        assert want is not None
        while not answer.started and not answer.over:
            # An interrupt before the CLI has begun with the message is confirmed but has no effect.
            self._feed(answer, await self.channel.line(FINISH_SECONDS))
        calls_lines_tool = want.way == "lines" and answer.finished is not None and answer.finished.reason == "tool_use"
        if not answer.over and (answer.finished is None or calls_lines_tool):
            await self.channel.control("interrupt")
        while not answer.over:
            self._feed(answer, await self.channel.line(FINISH_SECONDS))
        self._reset()
        if want.way == "exact":
            await self._confirm(SETTINGS_ID)
        await self._confirm(RESET_ID)
        await self.rewind()

    async def rewind(self) -> None:
        """Removes every user line, and what followed it, from the conversation. Raises Unconfirmed."""
        if len(self._lines) > REWINDS:
            raise Unconfirmed("a conversation too long to rewind")
        while self._lines:
            reply = await self.channel.control("rewind_conversation", target_message_uuid=self._lines[-1])
            # A line of results goes together with the calls that it answers, and so with the line before them.
            goes_along = reply.get("reason") == SPLITS_CALL and len(self._lines) > 1
            if reply.get("rewound") is not True and not goes_along:
                raise Unconfirmed(f"a rewind was refused: {reply.get('reason')}")
            self._lines.pop()

    async def _confirm(self, request_id: str) -> None:
        reply = self.channel.awaited(request_id)
        if reply is not None:
            await self.channel.confirmed(reply, "apply_flag_settings")

    def _feed(self, answer: Answer, line: JsonObject) -> None:
        """Ignores errors after the answer: the client has left, or has been told already."""
        with contextlib.suppress(errors.ProxyError):
            _fed(answer, line)


def _check_limit(want: Want, finished: Finished, *, said: bool) -> None:
    """Raises CompositionIgnored where an answer kept to the limit outside the body rather than to the one in it.

    With one token an answer that says anything ends at its limit: the end of a turn would take another.
    """
    if want.outside is None:
        return
    output = finished.usage.output
    at_outside = finished.reason == "max_tokens" and output <= want.outside and want.max_tokens != output
    ended = finished.reason == "end_turn" and not finished.unknown
    if at_outside or (want.max_tokens == 1 and said and ended):
        raise errors.CompositionIgnored(
            "The Claude Code CLI did not send the request that it was given: its documented setting "
            "CLAUDE_CODE_EXTRA_BODY has no effect here (a managed policy may forbid it). `claude-max check` says what "
            'works with this CLI; `composition = "lines"` may.'
        )


def _fed(answer: Answer, line: JsonObject) -> list[Event]:
    try:
        return answer.feed(line, time.time())
    except LINE_ERRORS as error:
        raise unexpected_line(error) from error
