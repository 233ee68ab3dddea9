"""Thinking signed by the scripted service, and checked when it comes back. Pure.

As documented for models with preserved thinking (platform.claude.com, "Preserved thinking"): a block is bound to its
own text, to the model, to `system`, `tools` and every message before it, and to the thinking block before it. Not part
of it: other thinking blocks, cache marks, tools with `defer_loading`, every parameter of the request. So thinking may
be left out at the front of a history, and not in its middle. Messages of one role in a row count as one turn; what the
assistant said in the same turn before a block is not looked at here. Redacted thinking is not checked.

The wording is the documented one, without a reason where the block itself was changed ("Troubleshooting thinking").
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .models import traits
from .reply import Reply, ThinkingBlock
from .walk import Body, content

BETA = "thinking-binding-controls-2026-08-01"
THINKING = ("thinking", "redacted_thinking")
# Not a secret: anyone with the source can sign. It only has to detect blocks that were not signed.
_KEY = b"claude-max scripted service"
_SIZE = 12  # bytes of each digest in a signature
_FIELDS = ("text", "model", "system", "tools", "messages", "before")


@dataclass(frozen=True)
class Binding:
    """What one thinking block is bound to: a digest of each part, `before` that of the thinking block before it."""

    text: bytes
    model: bytes
    system: bytes
    tools: bytes
    messages: bytes
    before: bytes

    @property
    def signature(self) -> str:
        """The block's signature, as the service gives it out."""
        parts = b"".join(getattr(self, field) for field in _FIELDS)
        return base64.b64encode(parts + hmac.digest(_KEY, parts, "sha256")[:_SIZE]).decode()


def signed(reply: Reply, body: Body) -> Reply:
    """`reply` to `body` with a signature at each thinking block that has none of its own."""
    before, state = b"", _Prefix(body)
    for message in body.get("messages") or ():
        state.add(message)
        for sent in content(message):
            if sent.get("type") == "thinking":
                before = _digest(str(sent.get("signature")))
    made: list[Any] = []
    for block in reply.blocks:
        if isinstance(block, ThinkingBlock) and block.signature is None:
            block = replace(block, signature=state.binding(block.thinking, before).signature)
        if isinstance(block, ThinkingBlock) and block.signature:
            before = _digest(block.signature)
        made.append(block)
    return replace(reply, blocks=tuple(made))


def sign(thinking: str, body: Body, before: str = "") -> str:
    """The signature of a block that answers `body`, for histories that a test makes up.

    `body` needs `model`, `messages`, and `system` and `tools` where there are some; `before` is the signature of the
    thinking block before this one.
    """
    state = _Prefix(body)
    for message in body.get("messages") or ():
        state.add(message)
    return state.binding(thinking, _digest(before) if before else b"").signature


def complaints(body: Body, betas: frozenset[str] = frozenset()) -> Iterator[str]:
    """Every thinking block of `body` that the service did not sign as it stands there, as the error message's text."""
    thinking = body.get("thinking") or {}
    bound = thinking.get("block_binding")
    if bound is not None and BETA not in betas:
        yield f"thinking.{thinking.get('type')}.block_binding: Extra inputs are not permitted"
    dropped = isinstance(bound, Mapping) and bound.get("prefix_mismatch_behavior") == "drop_block"
    for path, reason in mismatches(body):
        message = f"{path}: Invalid `signature` in `thinking` block"
        if not reason:
            yield message
        elif not dropped:
            header = (
                "" if BETA in betas else f" That setting requires the `{BETA}` value in the `anthropic-beta` header."
            )
            yield (
                f"{message}. The block is bound to a different conversation. Remove the block, or set"
                f' `thinking.block_binding.prefix_mismatch_behavior` to "drop_block".{header} {reason}'
            )


def mismatches(body: Body) -> Iterator[tuple[str, str]]:
    """The path of each block that does not fit, and what differs; "" where the block itself was changed.

    Blocks of another model are not listed: the service silently drops them.
    """
    before, state = b"", _Prefix(body)
    binds = traits(str(body.get("model"))).preserves
    for index, message in enumerate(body.get("messages") or ()):
        state.add(message)
        for place, block in enumerate(content(message)):
            if message["role"] != "assistant" or block.get("type") != "thinking":
                continue
            path, given = f"messages.{index}.content.{place}", _parsed(block.get("signature"))
            if given is None or given.text != _digest(str(block.get("thinking"))):
                yield path, ""
            elif given.model == state.model and binds and (reason := _reason(given, state, before)):
                yield path, reason
            before = _digest(str(block.get("signature")))


class _Prefix:
    """What stands before a place in a conversation, hashed as it grows."""

    def __init__(self, body: Body) -> None:
        self.model = _digest(str(body.get("model")))
        self.system = _digest(_bare(content({"content": body.get("system")})))
        self.tools = _digest([_bare(tool) for tool in body.get("tools") or () if not tool.get("defer_loading")])
        self._hash = hashlib.sha256()
        self._role = ""
        self._turn = b""

    def add(self, message: Mapping[str, Any]) -> None:
        """A message that stands before whatever comes next."""
        if message["role"] != self._role:
            self._turn = self.messages
            self._role = message["role"]
            self._hash.update(f"\0{self._role}".encode())
        for block in content(message):
            if block.get("type") not in THINKING:
                self._hash.update(_bytes(_bare(block)))

    @property
    def messages(self) -> bytes:
        """What a block here is bound to: everything before the assistant's turn that it is part of."""
        return self._turn if self._role == "assistant" else self._hash.digest()[:_SIZE]

    def binding(self, thinking: str, before: bytes) -> Binding:
        return Binding(_digest(thinking), self.model, self.system, self.tools, self.messages, before or bytes(_SIZE))


def _start(body: Body) -> _Prefix:
    return _Prefix(body)


def _reason(given: Binding, state: _Prefix, before: bytes) -> str:
    if given.system != state.system:
        return "The `system` prompt differs from the one this block was created with."
    if given.tools != state.tools:
        return "The `tools` list differs from the one this block was created with."
    if given.messages != state.messages:
        return "Content that preceded this block when it was created differs in this request."
    # Thinking left out at the front is fine; any other must be the block that was there.
    return "A thinking block before this one is missing from this request." if before and given.before != before else ""


def _parsed(signature: Any) -> Binding | None:
    """The binding that a signature of this service holds, None for any other."""
    try:
        data = base64.b64decode(str(signature), validate=True)
    except ValueError:
        return None
    parts, mac = data[:-_SIZE], data[-_SIZE:]
    if len(parts) != _SIZE * len(_FIELDS) or not hmac.compare_digest(hmac.digest(_KEY, parts, "sha256")[:_SIZE], mac):
        return None
    return Binding(*(parts[at : at + _SIZE] for at in range(0, len(parts), _SIZE)))


def _bare(value: Any) -> Any:
    """Without cache marks, at any depth where blocks stand."""
    if isinstance(value, Mapping):
        return {key: _bare(each) if key == "content" else each for key, each in value.items() if key != "cache_control"}
    return [_bare(each) for each in value] if isinstance(value, list) else value


def _bytes(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _digest(value: Any) -> bytes:
    return hashlib.sha256(_bytes(value)).digest()[:_SIZE]
