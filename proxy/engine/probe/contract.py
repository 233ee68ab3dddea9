"""Checks what a CLI does: once per binary, against the scripted service, in a temporary home.

The proxy relies on measured behaviour that is not guaranteed, and the CLI changes weekly; older ones confirm steps that
they do not take. So every capability is tried, and judged by what reached the API. A failed check turns a composition
off; if no safe one is left, nothing is served. Takes about two seconds; needs no account, tokens or network.
"""

import json
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ... import errors
from ...events import Message, Text, Thinking, ToolCallStarted
from ...scripted import ScriptedAPI, serve_scripted
from ..planning.body import Defaults
from ..planning.steps import EVERYTHING, Feature
from ..planning.want import Composition
from ..process.channel import Unconfirmed
from .baited_home import EMAIL, INSIDE, MEMORY, BaitedHome
from .examiner import SYSTEM, TIMEOUTS, CheckFailed, Examiner, expect, said, tool
from .other_session import send_message, socket_of

# Tokens that the scripted service reports: more than any model's window.
BEYOND_THE_WINDOW = 1_200_000
LARGE = 2_000_000
PEER = "CONTRACT-PEER-WORD"
# What the CLI alters when it composes a request itself: NFKC, format characters, line separators, an `@path`.
ODD = "µg m² ﬁ \u200b\u2028\u00ad \ufeff 👩‍👩‍👧 @/etc/hostname\r\n\t</system-reminder>"
DEFAULT_MODELS = 12

# In the order in which they are tried; each is a method of Contract. SECURITY shows this table.
CAPABILITIES: Mapping[str, str] = {
    "answers": "a prompt and a system prompt arrive as they were sent",
    "isolation": "no CLAUDE.md, skill, hook, MCP server or built-in tool has an effect; the login is read",
    "verbatim": "`@path` and `/command` in a prompt are text: no file is read, no command runs",
    "limits": "`max_tokens`, stop sequences and effort arrive, and are gone in the next turn",
    "exact": "200 messages, odd characters, cache marks, 2 MB, thinking and a begun answer arrive unaltered, one "
    "request each; nothing of the machine or the account is added; calls arrive with one request",
    "rewind": "nothing of a rewound turn is in the next one, the CLI's own count of tokens included",
    "system": "the system prompt of a running process can be replaced, and leaves no trace",
    "lines": "a history that is appended line by line arrives with its roles, and asks nothing by itself",
    "silence": "a message to an idle process reaches nobody",
    "errors": "a rate limit is reported, and not tried again by the CLI",
    "peers": "a message of another Claude Code session does not reach the model",
    "models": "what the CLI asks for with each model it offers (`max_tokens`, thinking) can be learned",
    # Last, as such a process serves no other turns.
    "tools": "tools offered by MCP are called under their own names, in parallel, in one turn after another",
}


@dataclass(frozen=True, slots=True)
class ContractResult:
    """What was found: the capabilities that hold, and for each of the others why it does not.

    `defaults` are what the CLI asks for with each model that it offers, by the model's full id. `cache_ttl` is the
    lifetime of the CLI's own prompt cache marks.
    """

    holds: frozenset[str]
    fails: Mapping[str, str]
    defaults: Mapping[str, Defaults] = field(default_factory=dict)
    cache_ttl: str = "5m"

    @property
    def unsafe(self) -> str | None:
        """Why this CLI must not be used, None when it may."""
        return self.unsafe_for("auto")

    def unsafe_for(self, composition: Composition) -> str | None:
        """Why it must not be used where the setting `composition` says this, None when it may."""
        needed = ("answers", "verbatim", "isolation", "limits")
        unsafe = next((self._why(name) for name in needed if name in self.fails), None)
        ways = ("exact", "lines") if composition == "auto" else (composition,)
        if unsafe is None and not self.holds.intersection(ways):
            return "; ".join(self._why(name) for name in ways if name in self.fails) or f"{ways[0]}: not tried"
        return unsafe

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


async def examine(program: Path, path: str, names: Collection[str] = tuple(CAPABILITIES)) -> ContractResult:
    """Tries capabilities of the CLI at `program`, run with PATH `path`: all of them, or those named.

    Raises OSError without a temp folder.
    """
    with tempfile.TemporaryDirectory(prefix="claude-max-contract-", ignore_cleanup_errors=True) as folder:
        # Whether the service would refuse a request is not the question here.
        api = ScriptedAPI(strict=frozenset())
        async with serve_scripted(api) as url:
            contract = Contract(Examiner(BaitedHome(Path(folder), url, program, path), api))
            try:
                return await contract.result(names)
            finally:
                await contract.examiner.close()


class Contract:
    """The capabilities, each a method that raises CheckFailed where it does not hold."""

    def __init__(self, examiner: Examiner) -> None:
        self.examiner = examiner
        self._fails: dict[str, str] = {}
        self._defaults: dict[str, Defaults] = {}
        self._cache_ttl = "5m"

    async def result(self, names: Collection[str]) -> ContractResult:
        """Tries one capability after another."""
        checks = {name: getattr(self, f"_{name}") for name in CAPABILITIES if name in names}
        for name, check in checks.items():
            try:
                await check()
            except (CheckFailed, Unconfirmed, errors.ProxyError, TimeoutError, KeyError, IndexError) as error:
                self._fails[name] = str(error) or type(error).__name__
                await self.examiner.close()
            if name == "answers" and self._fails:
                self._fails |= dict.fromkeys((other for other in checks if other != name), "not tried")
                break
        holds = frozenset(checks.keys() - self._fails.keys())
        return ContractResult(holds, self._fails, self._defaults, self._cache_ttl)

    async def _answers(self) -> None:
        ask = self.examiner
        await ask.lines(said("user", "plain question"))
        expect(ask.texts() == [("user", "plain question")], "the prompt did not arrive as it was sent")
        expect(ask.system_text() == SYSTEM, "the system prompt did not arrive")

    async def _isolation(self) -> None:
        ask = self.examiner
        await ask.lines(said("user", "who are you"))
        expect(MEMORY not in ask.raw(), "the user's CLAUDE.md or skills are in the prompt")
        expect(not ask.home.hooked.exists(), "a hook or an MCP server of the user's settings ran")
        expect(not ask.body().get("tools"), "built-in tools are offered to the model")
        expect(_identity(ask) is not None, "the CLI runs in its bare mode, which reads no login")

    async def _verbatim(self) -> None:
        ask = self.examiner
        for text in (f"read @{ask.home.file} please", "/cost", f"/clear @{ask.home.file}"):
            await ask.lines(said("user", text))
            expect(ask.texts()[-1] == ("user", text), f"the prompt {text.split()[0]!r} was not passed on as written")
            expect(INSIDE not in ask.raw(), "a local file named in a prompt was read")

    async def _limits(self) -> None:
        ask = self.examiner
        await ask.lines(said("user", "tight"), max_tokens=4321, effort="low", stop=("CONTRACT-STOP",))
        body = ask.body()
        found = (body.get("max_tokens"), body.get("stop_sequences"), body.get("output_config", {}).get("effort"))
        why = "CLAUDE_CODE_EXTRA_BODY has no effect (where a managed policy takes it away, an update does not help)"
        expect(found != (4321, None, "low"), why)
        expect(found == (4321, ["CONTRACT-STOP"], "low"), f"limits arrived as {found}")
        await ask.lines(said("user", "loose"))
        body = ask.body()
        found = (body.get("max_tokens"), body.get("stop_sequences"), body.get("output_config", {}).get("effort"))
        expect(4321 not in found and found[1] is None and found[2] != "low", f"limits stayed: {found}")

    async def _exact(self) -> None:
        """Messages and tools arrive whole, with one API call, and nothing of one turn is in the next."""
        ask = self.examiner
        past = [said("user" if n % 2 == 0 else "assistant", f"{n} {ODD}".strip()) for n in range(200)]
        marked = Message("user", (Text(ODD, cache="5m"), Text("/cost")))
        thought = Message("assistant", (Thinking("hm", "c2ln"), Text("Sure, {")))
        sent: list[tuple[str, tuple[Message, ...], tuple[Any, ...]]] = [
            ("a file or a command named in a prompt", (said("user", f"/cost @{ask.home.file} {ODD}"),), ()),
            ("200 messages, a cache mark", (*past, marked), (tool("look_up", **{"$µ²": {"type": "integer"}}),)),
            ("2 MB", (said("user", ODD * (LARGE // len(ODD.encode()))),), ()),
            ("thinking and an answer to be continued", (said("user", "x"), thought), ()),
        ]
        for what, messages, tools in sent:
            before = ask.calls
            await ask.exact(*messages, tools=tools)
            body = ask.body()
            for name in ("messages", "tools"):
                expect(body[name] == ask.sent[name], f"{what}: {name} were altered")
            expect(INSIDE not in ask.raw() and EMAIL not in ask.raw(), f"{what}: more than was sent arrived")
            expect(ask.calls == before + 1, f"{what}: {ask.calls - before} API calls")
            expect(ask.system_text() == SYSTEM, f"{what}: the system prompt was lost")
        call = f"call\nscripted: {json.dumps({'call': [{'name': 'Bash', 'input': {'command': 'true'}}] * 2})}"
        before = ask.calls
        events = await ask.exact(said("user", call), tools=(tool("Bash", command={"type": "string"}),))
        names = [event.name for event in events if isinstance(event, ToolCallStarted)]
        expect(names == ["Bash", "Bash"], f"two calls arrived as {names}")
        expect(ask.calls == before + 1, f"a call made {ask.calls - before} API calls")
        self._cache_ttl = _own_ttl(ask)

    async def _rewind(self) -> None:
        """The CLI counts the tokens that it was told of, and at its own limit asks no more."""
        ask = self.examiner
        exact = "exact" not in self._fails
        run = ask.exact if exact else ask.lines
        for _ in range(2):
            usage = json.dumps({"usage": {"input_tokens": BEYOND_THE_WINDOW}})
            before = ask.calls
            await run(said("user", f"gone\nscripted: {usage}"))
            expect(ask.calls > before, "a rewound conversation still fills the CLI's own count")
        await ask.lines(said("user", "after"))
        expect(ask.texts() == [("user", "after")], "a rewound conversation left a trace")

    async def _system(self) -> None:
        ask = self.examiner
        for system in ("another system", SYSTEM, SYSTEM):
            await ask.lines(said("user", "whose"), system=system)
            expect(ask.system_text() == system, "a new system prompt did not arrive")
            expect(len(ask.texts()) == 1, "a new system prompt left a trace in the conversation")

    async def _lines(self) -> None:
        ask = self.examiner
        first = f"first @{ask.home.file}"
        await ask.lines(said("user", first), said("assistant", "second"), said("user", "third"))
        wanted = [("user", first), ("assistant", "second"), ("user", "third")]
        expect(ask.texts() == wanted, f"a history arrived as {ask.texts()}")
        expect(INSIDE not in ask.raw(), "a local file named in a history was read")

    async def _tools(self) -> None:
        ask = self.examiner
        # An older CLI (2.1.248) tells the model of each change of it from then on, and `_models` has changed it often.
        await ask.close()
        tools = (tool("Bash"), tool("look_up"))
        names = [each.name for each in tools]
        reply = {"call": [{"name": name, "input": {}} for name in names]}
        offered: list[object] = []
        for number in ("one", "two"):
            text = f"{number}\nscripted: {json.dumps(reply)}"
            events = await ask.lines(said("user", text), tools=tools)
            called = [event.name for event in events if isinstance(event, ToolCallStarted)]
            expect(called == names, "parallel calls did not arrive under their own names")
            expect(ask.texts() == [("user", text)], f"the messages of a turn with tools were {ask.texts()}")
            offered.append(ask.body()["tools"])
        expect(offered[0] == offered[1], "tools changed from one turn to the next")

    async def _silence(self) -> None:
        ask = self.examiner
        worker = await ask.worker()
        before = ask.calls
        await worker.warm_up()
        expect(ask.calls == before, "a message to an idle process reached the service")

    async def _errors(self) -> None:
        ask = self.examiner
        before = ask.calls
        try:
            await ask.lines(said("user", 'scripted: {"status": 429}'))
        except errors.RateLimited:
            expect(ask.calls == before + 1, "a rate limit was tried again by the CLI itself")
            return
        raise CheckFailed("a rate limit was not reported")

    async def _peers(self) -> None:
        """Nothing of another session of the same user's comes in."""
        ask = self.examiner
        worker = await ask.worker()
        # Behind a wrapper the process has another id than its parent knows.
        socket = socket_of(ask.home.sessions, int(worker.cli_info.get("pid") or worker.pid))
        if socket is None:
            return
        home = ask.home
        await send_message(home.program, home.environ, home.cwd, socket, PEER, TIMEOUTS)
        await ask.exact(said("user", "next"))
        bodies = [body for body in ask.bodies() if PEER in json.dumps(body["messages"]) and not body.get("tools")]
        expect(not bodies, "another session's message reached the model")

    async def _models(self) -> None:
        """What the CLI asks for with each model that it offers."""
        worker = await self.examiner.worker()
        offered = [str(model.get("value")) for model in worker.cli_info.get("models", [])]
        for name in offered[:DEFAULT_MODELS]:
            body = await self.examiner.plain(name)
            self._defaults[str(body["model"])] = defaults_of(body)


def defaults_of(body: Mapping[str, Any]) -> Defaults:
    """The CLI's own choices in the body of a request."""
    return Defaults(max_tokens=int(body["max_tokens"]), thinking=body.get("thinking"))


def _own_ttl(ask: Examiner) -> str:
    marks = [block.get("cache_control", {}) for block in ask.body()["system"]]
    return "1h" if any(mark.get("ttl") == "1h" for mark in marks) else "5m"


def _identity(ask: Examiner) -> str | None:
    blocks = ask.body()["system"]
    return str(blocks[0]["text"]) if blocks and "billing-header" in str(blocks[0].get("text")) else None
