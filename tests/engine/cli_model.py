"""A small model of the CLI: what it holds after each step, and what it refuses. No tests here.

Only what was measured (`plan`'s docstring): it rewinds the latest user line only and never one with tool results, keeps
a tool's first description, ignores settings it does not know, and shows tools again only under another server name.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from claude_max.proxy.engine.limits import EXTRA_BODY, MAX_TOKENS, Limits
from claude_max.proxy.engine.planning.steps import (
    Append,
    Ask,
    Initialize,
    Interrupt,
    Resume,
    Rewind,
    RewindAll,
    SetLimits,
    SetSystem,
    SetTools,
    State,
    Step,
    ToolKey,
    descriptions,
    rewind_steps,
)
from claude_max.proxy.engine.transcript import Entry, carries_results, fingerprint
from claude_max.proxy.events import Message, Tool, ToolCall


@dataclass
class Line:
    """One message in the CLI; `uuid` as it was sent, results or not."""

    message: Message
    uuid: str | None


@dataclass
class CliModel:
    """The truth (its own fields) beside the books a worker keeps (`state`), each moved by the same steps."""

    state: State = field(default_factory=State)
    system: str | None = None
    schema: Any = None
    settings: dict[str, Any] = field(default_factory=dict)
    tools: tuple[Tool, ...] = ()
    server: str = ""
    known: dict[ToolKey, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    parked: bool = False
    asked: int = 0

    def take(self, step: Step) -> None:
        """One step; AssertionError where the CLI would refuse it or do something else."""
        state = self.state
        match step:
            case Initialize(system, schema):
                assert self.system is None, "a second initialize changes nothing"
                self.system, self.schema = system, schema
                self.state = replace(state, system=system, schema=schema)
            case Interrupt():
                assert self.parked
                self.parked = False
                self.state = replace(state, parked=frozenset())
            case Rewind(uuid, keep):
                assert not self.parked, "turn_running"
                at = max(i for i, line in enumerate(self.lines) if line.uuid and not carries_results(line.message))
                assert self.lines[at].uuid == uuid, "stale_target"
                assert at == keep
                del self.lines[at:]
                self.state = replace(state, transcript=state.transcript[:keep])
            case RewindAll():
                for back in rewind_steps(state.transcript, 0):
                    self.take(back)
            case SetSystem(system, model):
                assert system, "a system prompt must not be empty"
                assert self.system, "none cannot become one"
                assert not self.parked, "does not apply to a resumed turn"
                assert model == self.settings["model"], "would write a /model command"
                self.system = system
                self.state = replace(state, system=system)
            case SetTools(server, tools):
                assert not self.parked, "fails the call"
                if tools:
                    assert server != self.server, "keeps the stale tools"
                    self.server = server
                self.tools = tuple(self._shown(tool) for tool in tools)
                described = {**state.described, **descriptions(tools)}
                self.state = replace(state, tools=tools, server=server, described=described)
            case SetLimits(limits, settings):
                assert "model" not in settings or not self.lines, "would write a /model command"
                self._apply(settings)
                self.state = replace(state, limits=limits)
            case Append(message):
                assert not self.parked
                self._hold(message)
            case Ask(message):
                assert not self.parked, "would become a note"
                self._hold(message)
            case Resume(message, _):
                assert self.parked
                self.parked = False
                self.lines.append(Line(message, "cli"))
                self.state = replace(state, parked=frozenset())
                self._book(Entry.of(message))

    def answered(self, message: Message) -> None:
        """The model's answer; calls in it park the CLI."""
        self.lines.append(Line(message, None))
        self._book(Entry(fingerprint(message)))
        calls = frozenset(item.id for item in message.content if isinstance(item, ToolCall))
        self.parked = bool(calls)
        self.state = replace(self.state, parked=calls)

    def limits(self) -> Limits:
        """The settings in force, as the engine names them."""
        env = self.settings.get("env", {})
        tokens = env.get(MAX_TOKENS)
        return Limits(
            self.settings.get("model", ""),
            self.settings.get("effortLevel"),
            None if tokens is None else int(tokens),
            env.get(EXTRA_BODY, ""),
        )

    def _apply(self, settings: dict[str, Any]) -> None:
        for name, value in settings.items():
            if name == "env":
                env = {**self.settings.get("env", {}), **value}
                self.settings["env"] = {key: text for key, text in env.items() if text}
            elif value is None:
                self.settings.pop(name, None)
            else:
                assert value != "", "acknowledged and ignored"
                self.settings[name] = value

    def _shown(self, tool: Tool) -> Tool:
        (key,) = descriptions([tool])
        return replace(tool, description=self.known.setdefault(key, tool.description))

    def _hold(self, message: Message) -> None:
        name: str | None = None
        if message.role == "user":
            self.asked += 1
            name = f"u{self.asked}"
        self.lines.append(Line(message, name))
        self._book(Entry.of(message, name))

    def _book(self, held: Entry) -> None:
        self.state = replace(self.state, transcript=(*self.state.transcript, held))
