"""What the real API refuses about a POST /v1/messages: the list of rules, and which of them apply. Pure.

With a scripted API that accepted everything, a proxy could pass its tests and still fail for users. The rules are those
that are publicly documented or known from reports, worded like the real messages; each rules_*.py names its sources and
what of it is only reported. Requests in the form that Claude Code itself sends are accepted.

Some rules have a name, and can be left out: ScriptedAPI(strict=...). ALL is every name, STRICT what is in force when
nothing is said: all but `prefill`, so that a history may end with the assistant whatever the model.

Documented (platform.claude.com), of the rules that stand here: "Thinking" and "Migration guide" (sampling: models since
Opus 4.1 take one of `temperature` and `top_p`, since 4.7 only their defaults), "Errors" (prefill), "Models overview"
(`max_tokens`). The sentences of sampling are reported (skydiscover-ai/skydiscover#15, altic-dev/FluidVoice#285), those
of stop sequences too (BerriAI/litellm#3286).
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import rules_cache, rules_media, rules_thinking, rules_tools, signing
from .models import traits
from .reply import Failure
from .rules_messages import complaints, notes
from .rules_schema import complaints as schema_complaints
from .walk import Body

EFFORTS = ("low", "medium", "high", "xhigh", "max")  # what `initialize` lists for every model (Claude Code 2.1.330)
Rule = Callable[[Body], Iterator[str]]


def refusal(body: Body, strict: frozenset[str] | None = None, betas: frozenset[str] = frozenset()) -> Failure | None:
    """The 400 the real API would answer to `body` (a POST /v1/messages), for the first rule it breaks; else None.

    `strict` names the rules that may be left out and are not (default STRICT); `betas` are those of the request's
    `anthropic-beta` header.
    """
    asked = STRICT if strict is None else strict
    if unknown := asked - ALL:
        raise ValueError(f"unknown rules: {', '.join(sorted(unknown))}; available: {', '.join(sorted(ALL))}")
    for rule in _BASE:
        for message in rule(body):
            return Failure(400, "invalid_request_error", message)
    # These require a body with a valid shape.
    for name, rule in _NAMED:
        for message in rule(body) if name in asked else ():
            return Failure(400, "invalid_request_error", message)
    for message in signing.complaints(body, betas) if "signatures" in asked else ():
        return Failure(400, "invalid_request_error", message)
    return None


def unsupported(body: Body, refuse: frozenset[str]) -> Failure | None:
    """The 400 of a model that does not take a parameter, for the first of `refuse` that `body` carries; else None.

    Each entry is a dotted path into the body (`temperature`, `output_config.format`; `effort` is short for
    `output_config.effort`), may end in `=value` (`thinking.type=disabled`), and may begin with a part of a model's name
    and a colon (`haiku:temperature`), to be refused by those models only.
    """
    for entry in sorted(refuse):
        model, _, parameter = entry.rpartition(":")
        if model not in str(body.get("model", "")):
            continue
        path, _, wanted = parameter.partition("=")
        value: Any = body
        for part in ("output_config.effort" if path == "effort" else path).split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value is not None and (not wanted or str(value) == wanted):
            return Failure(400, "invalid_request_error", f"{path}: this model does not support {parameter}")
    return None


def _conversation(body: Body) -> Iterator[str]:
    yield from complaints(body.get("messages"))
    system = body.get("system")
    for place, block in enumerate(system if isinstance(system, list) else ()):
        if not (isinstance(block, Mapping) and block.get("text")):
            yield f"system.{place}: text content blocks must be non-empty"


def _limits(body: Body) -> Iterator[str]:
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield "model: Field required"
    if "max_tokens" not in body:
        yield "max_tokens: Field required"
    elif not _is_number(body["max_tokens"], int):
        yield "max_tokens: Input should be a valid integer"
    elif body["max_tokens"] < 1:
        yield "max_tokens: Input should be greater than or equal to 1"
    stops = body.get("stop_sequences", [])
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        yield "stop_sequences: Input should be a valid list of strings"
    elif not all(stop.strip() for stop in stops):
        yield "stop_sequences: each stop sequence must contain non-whitespace"


def _ranges(body: Body) -> Iterator[str]:
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is not None and not (_is_number(value, (int, float)) and 0 <= value <= 1):
            yield f"{name}: range: 0..1"


def _effort(body: Body) -> Iterator[str]:
    config = body.get("output_config") or {}
    effort = config.get("effort") if isinstance(config, dict) else config
    if effort is not None and effort not in EFFORTS:
        yield f"output_config.effort: Input should be {', '.join(map(repr, EFFORTS[:-1]))} or {EFFORTS[-1]!r}"


def _max_tokens(body: Body) -> Iterator[str]:
    most = traits(body["model"]).max_tokens
    if most is not None and body["max_tokens"] > most:
        yield (
            f"max_tokens: {body['max_tokens']} > {most}, which is the maximum allowed number of output tokens for"
            f" {body['model']}"
        )


def _sampling(body: Body) -> Iterator[str]:
    takes = traits(body["model"]).sampling
    if takes == "default":
        for name, default in (("temperature", 1), ("top_p", 1), ("top_k", None)):
            if body.get(name) not in (None, default):
                yield f"`{name}` is deprecated for this model."
    if takes != "any" and body.get("temperature") is not None and body.get("top_p") is not None:
        yield "`temperature` and `top_p` cannot both be specified for this model. Please use only one."


def _prefill(body: Body) -> Iterator[str]:
    spoken = [message["role"] for message in body["messages"] if message["role"] != "system"]
    if spoken[-1:] == ["assistant"] and not traits(body["model"]).prefill:
        yield "This model does not support assistant message prefill. The conversation must end with a user message."


def _schemas(body: Body) -> Iterator[str]:
    config = body.get("output_config")
    wanted = config.get("format") if isinstance(config, Mapping) else None
    if isinstance(wanted, Mapping) and wanted.get("type") == "json_schema":
        yield from schema_complaints("output_config.format.schema", wanted.get("schema"))
    yield from rules_tools.strict_tools(body)


def _notes(body: Body) -> Iterator[str]:
    yield from notes(body["messages"])


def _is_number(value: Any, kinds: type | tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)


# Marks come before the conversation: an empty text with a mark is refused for the mark.
_BASE: tuple[Rule, ...] = (
    _limits,
    rules_cache.complaints,
    _conversation,
    rules_tools.tools,
    rules_tools.choice,
    _ranges,
    rules_thinking.configuration,
    _effort,
)
_NAMED: tuple[tuple[str, Rule], ...] = (
    ("max_tokens", _max_tokens),
    ("notes", _notes),
    ("images", rules_media.complaints),
    ("sampling", _sampling),
    ("thinking_type", rules_thinking.of_model),
    ("forced_choice", rules_tools.choice_of_model),
    ("clear_thinking", rules_thinking.clearing),
    ("final_thinking", rules_thinking.final),
    ("schemas", _schemas),
    ("prefill", _prefill),
)
ALL = frozenset(name for name, _ in _NAMED) | {"signatures"}
STRICT = ALL - {"prefill"}
