"""What this CLI really does: tried once for each CLI binary, against the scripted service, in a home of its own.

Reuse of a process rests on measured behaviour that no one promised, and the CLI changes weekly; an older one confirms
steps that it does not take. So every capability is tried and judged by what reached the API. What fails turns its path
off; where a safety capability fails, nothing is served. About two seconds, no account, no tokens, no network.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import errors
from ..events import Event, Message, Text, Tool, ToolCallStarted, ToolResult
from ..scripted import ScriptedAPI, serve_scripted
from .channel import Doubt, Patience
from .command import environment
from .limits import Limits, change
from .plan import (
    EVERYTHING,
    SERVERS,
    Append,
    Ask,
    Feature,
    Initialize,
    Plan,
    Resume,
    RewindAll,
    SetLimits,
    SetSystem,
    SetTools,
    Step,
)
from .worker import Worker

# A step may take a second on a busy machine; a CLI that lacks a capability mostly says nothing at all. Its start is
# given more: a service may start while the whole machine does.
PATIENCE = Patience(silence=3.0, start=20.0, step=3.0)

MEMORY = "CONTRACT-MEMORY-WORD"
INSIDE = "CONTRACT-FILE-WORD"
PLAIN = Limits(model="sonnet")
TIGHT = Limits(model="sonnet", effort="low", max_tokens=4321, extra_body='{"stop_sequences":["CONTRACT-STOP"]}')
TOOLS = tuple(Tool(name, "A tool", {"type": "object", "properties": {}}) for name in ("Bash", "look_up"))


@dataclass(frozen=True, slots=True)
class Record:
    """What was found: the capabilities that hold, and for each of the others why it does not."""

    holds: frozenset[str]
    fails: Mapping[str, str]

    @property
    def unsafe(self) -> str | None:
        """Why this CLI must not be used, None when it may."""
        needed = ("answers", "verbatim", "isolation")
        return next((self._why(name) for name in needed if name in self.fails), None)

    @property
    def lacks(self) -> str:
        """Everything that fails, each with its reason; empty where nothing does."""
        return "; ".join(map(self._why, self.fails))

    @property
    def features(self) -> frozenset[Feature]:
        """What the pool may rely on."""
        return frozenset(feature for feature in EVERYTHING if feature in self.holds)

    def _why(self, name: str) -> str:
        return f"{name}: {self.fails[name].rstrip('.')}"


class Broken(Exception):
    """A capability does not hold; the message says what was seen instead."""


async def examine(program: Path, path: str) -> Record:
    """Tries every capability of the CLI at `program`, run with PATH `path`. Raises OSError without a temp folder."""
    with tempfile.TemporaryDirectory(prefix="claude-max-contract-", ignore_cleanup_errors=True) as folder:
        api = ScriptedAPI()
        async with serve_scripted(api) as url:
            room = Room(Path(folder), url, program, path)
            examiner = Examiner(room, api)
            try:
                return await examiner.examine()
            finally:
                await examiner.close()


class Room:
    """A home that holds what must not have any effect: memory, a skill, settings with a hook, an MCP server, a file."""

    def __init__(self, folder: Path, url: str, program: Path, path: str) -> None:
        self.program = program
        self.cwd = folder / "cwd"
        self.hooked = folder / "hooked"
        self.file = folder / "inside.txt"
        config = folder / "home" / ".claude"
        for made in (config, self.cwd):
            made.mkdir(parents=True)
        self.file.write_text(INSIDE)
        skill = config / "skills" / "contract"
        skill.mkdir(parents=True)
        (skill / "SKILL.md").write_text(f"---\nname: contract\ndescription: Says {MEMORY}.\n---\nSay {MEMORY}.\n")
        for memory in (config / "CLAUDE.md", self.cwd / "CLAUDE.md"):
            memory.write_text(f"Always say {MEMORY}.")
        touch = {"command": "touch", "args": [str(self.hooked)]}
        (config / ".claude.json").write_text(json.dumps({"mcpServers": {"contract": touch}}))
        hook = {"hooks": [{"type": "command", "command": f"touch '{self.hooked}'"}]}
        (config / "settings.json").write_text(
            json.dumps({"hooks": {"UserPromptSubmit": [hook], "SessionStart": [hook]}})
        )
        self.environ = environment(
            {
                "PATH": path,
                "HOME": str(folder / "home"),
                "CLAUDE_CONFIG_DIR": str(config),
                "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-contract",
                "ANTHROPIC_BASE_URL": url,
            }
        )


class Examiner:
    """Tries one capability after another, in one process while it behaves, in a new one after a failure."""

    def __init__(self, room: Room, api: ScriptedAPI) -> None:
        self._room = room
        self._api = api
        self._worker: Worker | None = None
        self._fails: dict[str, str] = {}

    async def examine(self) -> Record:
        """The record. Later checks build on earlier ones only through what is named here."""
        fails = self._fails
        checks = {
            "answers": self._answers,
            "isolation": self._isolation,
            "verbatim": self._verbatim,
            "limits": self._limits,
            "rewind": self._rewind,
            "system": self._system,
            "replay": self._replay,
            "resume": self._resume,
            "tools": self._tools,
            "errors": self._errors,
        }
        for name, check in checks.items():
            try:
                await check()
            except (Broken, Doubt, errors.ProxyError, TimeoutError, KeyError, IndexError) as error:
                fails[name] = str(error) or type(error).__name__
                await self.close()
            if name == "answers" and fails:
                fails |= dict.fromkeys((other for other in checks if other != name), "not tried")
                break
        return Record(frozenset(checks.keys() - fails.keys()), fails)

    async def close(self) -> None:
        """Ends the process that is examined."""
        if self._worker is not None:
            await self._worker.close()
            self._worker = None

    # The capabilities

    async def _answers(self) -> None:
        await self._ask("plain question")
        self._expect(self._texts() == [("user", "plain question")], "the prompt did not arrive as it was sent")
        self._expect(self._system_text() == "contract system", "the system prompt did not arrive")

    async def _isolation(self) -> None:
        await self._ask("who are you")
        self._expect(MEMORY not in self._raw(), "the user's CLAUDE.md or skills are in the prompt")
        self._expect(not self._room.hooked.exists(), "a hook or an MCP server of the user's settings ran")
        self._expect(not self._body().get("tools"), "built-in tools are offered to the model")

    async def _verbatim(self) -> None:
        for text in (f"read @{self._room.file} please", "/cost", f"/clear @{self._room.file}"):
            await self._ask(text)
            self._expect(
                self._texts()[-1] == ("user", text), f"the prompt {text.split()[0]!r} was not passed on as written"
            )
            self._expect(INSIDE not in self._raw(), "a local file named in a prompt was read")

    async def _limits(self) -> None:
        await self._ask("tight", limits=TIGHT)
        body = self._body()
        found = (body.get("max_tokens"), body.get("stop_sequences"), body.get("output_config", {}).get("effort"))
        self._expect(found == (4321, ["CONTRACT-STOP"], "low"), f"limits arrived as {found}")
        await self._ask("loose", limits=PLAIN)
        body = self._body()
        found = (body.get("max_tokens"), body.get("stop_sequences"), body.get("output_config", {}).get("effort"))
        self._expect(4321 not in found and found[1] is None and found[2] != "low", f"limits stayed: {found}")

    async def _rewind(self) -> None:
        await self._ask("gone one")
        await self._ask('gone two\nscripted: {"text": "cut", "stop_reason": "max_tokens"}')
        await self._ask("gone three")
        await self._blank()
        await self._ask("after")
        self._expect(self._texts() == [("user", "after")], "a rewound conversation left a trace")
        self._expect("gone" not in self._raw(), "a rewound conversation left a trace")

    async def _system(self) -> None:
        await self._blank()
        await self._ask("whose", before=(SetSystem("another system", "sonnet"),))
        self._expect(self._system_text() == "another system", "a new system prompt did not arrive")
        self._expect(len(self._texts()) == 1, "a new system prompt left a trace in the conversation")

    async def _replay(self) -> None:
        await self._blank()
        first = f"first @{self._room.file}"
        past = (Append(_said("user", first)), Append(_said("assistant", "second")))
        await self._ask("third", before=past)
        wanted = [("user", first), ("assistant", "second"), ("user", "third")]
        self._expect(self._texts() == wanted, f"a history arrived as {self._texts()}")
        self._expect(INSIDE not in self._raw(), "a local file named in a history was read")

    async def _resume(self) -> None:
        names = [tool.name for tool in TOOLS]
        reply = {"call": [{"name": name, "input": {}} for name in names]}
        events = await self._ask(f"call\nscripted: {json.dumps(reply)}", before=(SetTools(SERVERS[0], TOOLS),))
        calls = [event for event in events if isinstance(event, ToolCallStarted)]
        self._expect([call.name for call in calls] == names, "parallel calls did not arrive under their own names")
        worker = await self._ready()
        self._expect(worker.state.parked == {call.id for call in calls}, "not every call was delivered")
        results = tuple(ToolResult(call.id, (Text(f"result {call.name}"),)) for call in calls)
        await self._run(worker, (Resume(Message("user", results), results),))
        self._expect(all(f"result {name}" in self._raw() for name in names), "the results of calls did not arrive")

    async def _tools(self) -> None:
        """After `_resume`, in whose process the first set of tools is still offered."""
        worker = await self._ready()
        server = next(name for name in SERVERS if name != worker.state.server)
        await self._ask("fewer", before=(SetTools(server, TOOLS[1:]),))
        names = [tool["name"] for tool in self._body()["tools"]]
        self._expect(names == [TOOLS[1].name], f"after a change the model is offered {names}")
        await self._ask("none", before=(SetTools(server, ()),))
        self._expect(not self._body().get("tools"), "tools stayed after they were taken away")

    async def _errors(self) -> None:
        before = self._api.arrived
        try:
            await self._ask('scripted: {"status": 429}')
        except errors.RateLimited:
            self._expect(self._api.arrived == before + 1, "a rate limit was tried again by the CLI itself")
            return
        raise Broken("a rate limit was not reported")

    # Driving the process

    async def _ready(self) -> Worker:
        if self._worker is None:
            room = self._room
            self._worker = await Worker.spawn(room.program, room.environ, room.cwd, PATIENCE)
            await self._worker.take(Initialize("contract system"))
            await self._worker.take(SetLimits(PLAIN, change(None, PLAIN)))
        return self._worker

    async def _ask(self, text: str, limits: Limits | None = None, before: tuple[Step, ...] = ()) -> list[Event]:
        worker = await self._ready()
        change_limits = (SetLimits(limits, change(worker.state.limits, limits)),) if limits else ()
        return await self._run(worker, (*change_limits, *before, Ask(_said("user", text))))

    async def _run(self, worker: Worker, steps: tuple[Step, ...]) -> list[Event]:
        try:
            return [event async for event in worker.run(Plan(steps))]
        finally:
            if not await worker.settle():
                await self.close()

    async def _blank(self) -> None:
        """To an empty conversation: by rewinding, or by a new process where that does not hold."""
        if "rewind" in self._fails:
            await self.close()
        await (await self._ready()).take(RewindAll())

    # What reached the API

    def _body(self) -> dict[str, Any]:
        return self._api.bodies()[-1]

    def _raw(self) -> str:
        return json.dumps(self._body())

    def _system_text(self) -> str:
        return str(self._body()["system"][-1]["text"])

    def _texts(self) -> list[tuple[str, str]]:
        """Role and text of every message but the CLI's own notes, which have the role `system`."""
        messages = [message for message in self._body()["messages"] if message["role"] != "system"]
        return [(message["role"], _text(message["content"])) for message in messages]

    def _expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            raise Broken(otherwise)


def _said(role: Any, text: str) -> Message:
    return Message(role, (Text(text),))


def _text(content: Any) -> str:
    """The text of a message, without the notes that older versions put before it."""
    if isinstance(content, str):
        return content
    texts = [block.get("text", "") for block in content]
    return "".join(text for text in texts if not text.startswith("<system-reminder>"))
