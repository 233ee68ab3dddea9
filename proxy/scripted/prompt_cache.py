"""The service's prompt cache, by the documented rules, and what each request read from and wrote to it.

platform.claude.com, "Prompt caching": the prompt is a row of blocks in the order tools, system, messages. A mark writes
one entry, for the prefix that ends at its block, when that is long enough for the model. A read looks for an entry at
each mark, and at the 19 positions before it; an entry that is read lives on from then. Tools are cached by model;
messages also by thinking, effort, tool choice, and whether there is any image ("What invalidates the cache").
A mark at the top level of the request stands for one at its last block.

What is simpler here: a token is four characters of JSON; an entry is there as soon as its request is answered; effort
and thinking never touch tools and system (on some models they do); no thinking is ever cleared from a history.

Claude Code's first system block is a billing line (`x-anthropic-billing-header: cc_version=2.1.330.f8a; …`) without a
mark of its own. By 2.1.330 toward a service on loopback, its version ends in three hex digits that are a function of
the conversation's first user text (of the text that the CLI was given, not of the request's messages): the same in
every process and every turn of one conversation, different between conversations. Toward the real service it has more
parts, some of them new with each request (`cch=`, `cc_prev_msg=`; anthropics/claude-code#68900), and the CLI's own
conversations are cached there all the same, so the real service must leave it out of the prefix. That is not
documented, so it counts here as it arrives, unless `ignore_billing`.
"""

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .models import traits
from .walk import Body, content

POSITIONS = 20  # looked at for each mark, the mark's own included
SECONDS = {"5m": 300.0, "1h": 3600.0}
_SEEN = 200_000  # prefixes remembered to tell what is repeated; more than any test makes
_BILLING = "x-anthropic-billing-header"


@dataclass(frozen=True)
class CacheUse:
    """The cache use of one request, in tokens.

    `total` is the whole input: what was `read`, written for 5 minutes or an hour, and the rest. `repeated` is how much
    of it an earlier request had as its own beginning, marked or not: the most that could have been read. `marks` and
    `blocks` are numbers of them.
    """

    total: int
    read: int
    written_5m: int
    written_1h: int
    repeated: int
    marks: int
    blocks: int

    @property
    def written(self) -> int:
        """Tokens written, with any lifetime."""
        return self.written_5m + self.written_1h


@dataclass(frozen=True)
class CacheTotals:
    """The sum of several requests; `share` is the part of the repeated tokens that was read, 1.0 if none were
    repeated.
    """

    requests: int
    total: int
    read: int
    repeated: int

    @property
    def share(self) -> float:
        """`read` by `repeated`."""
        return min(self.read, self.repeated) / self.repeated if self.repeated else 1.0


@dataclass
class _Entry:
    expires: float
    seconds: float


@dataclass(frozen=True)
class _Position:
    """One block in the row: the digest of the prefix up to it, its tokens, and the ttl of its mark."""

    digest: bytes
    tokens: int
    ttl: str | None


class PromptCache:
    """A cache with the lifetime of its service. `clock` returns seconds; `minimum` None: the model's own minimum."""

    def __init__(
        self, clock: Callable[[], float] = time.time, minimum: int | None = None, *, ignore_billing: bool = False
    ) -> None:
        self._clock, self._minimum, self._ignore_billing = clock, minimum, ignore_billing
        self._entries: dict[bytes, _Entry] = {}
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()

    def use(self, body: Body) -> CacheUse:
        """Returns what `body` reads, and records what it writes."""
        row = list(self._row(body))
        least = traits(str(body.get("model"))).cacheable if self._minimum is None else self._minimum
        marks = [at for at, each in enumerate(row) if each.ttl and each.tokens >= least]
        now = self._clock()
        with self._lock:
            hit = max((found for mark in marks if (found := self._hit(row, mark, now)) is not None), default=None)
            repeated = self._repeated(row)
            for mark in marks:
                self._write(row[mark], now)
        read = 0 if hit is None else row[hit].tokens
        hour = max((row[mark].tokens for mark in marks if row[mark].ttl == "1h"), default=0)
        last = max((row[mark].tokens for mark in marks), default=0)
        written_1h = max(0, hour - read)
        return CacheUse(
            total=row[-1].tokens if row else 0,
            read=read,
            written_5m=max(0, last - read - written_1h),
            written_1h=written_1h,
            repeated=repeated,
            marks=sum(each.ttl is not None for each in row),
            blocks=len(row),
        )

    def clear(self) -> None:
        """Drops all entries, as after a long time."""
        with self._lock:
            self._entries.clear()
            self._seen.clear()

    def _hit(self, row: list[_Position], mark: int, now: float) -> int | None:
        for at in range(mark, max(-1, mark - POSITIONS), -1):
            entry = self._entries.get(row[at].digest)
            if entry is not None and entry.expires > now:
                entry.expires = now + entry.seconds
                return at
        return None

    def _write(self, position: _Position, now: float) -> None:
        seconds = SECONDS[position.ttl or "5m"]
        entry = self._entries.get(position.digest)
        if entry is None or entry.expires <= now or entry.seconds < seconds:
            self._entries[position.digest] = _Entry(now + seconds, seconds)

    def _repeated(self, row: list[_Position]) -> int:
        known = max((each.tokens for each in row if each.digest in self._seen), default=0)
        for each in row:
            self._seen[each.digest] = None
            self._seen.move_to_end(each.digest)
        while len(self._seen) > _SEEN:
            self._seen.popitem(last=False)
        return known

    def _row(self, body: Body) -> Iterator[_Position]:
        """Every block with its prefix. The last one has the mark of the request's top level, where there is one."""
        hashed = hashlib.sha256(str(body.get("model")).encode())
        automatic = body.get("cache_control")
        parts, tokens = list(self._blocks(body)), 0
        for index, (level, block) in enumerate(parts):
            if level == "messages" and (index == 0 or parts[index - 1][0] != "messages"):
                hashed.update(_settings(body))
            bare = {key: value for key, value in block.items() if key != "cache_control"}
            text = json.dumps([level, bare])
            hashed.update(text.encode())
            tokens += max(1, len(text) // 4)
            mark = block.get("cache_control") or (automatic if index == len(parts) - 1 else None)
            yield _Position(hashed.digest()[:16], tokens, mark.get("ttl", "5m") if mark else None)

    def _blocks(self, body: Body) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for tool in body.get("tools") or ():
            yield "tools", tool
        for block in content({"content": body.get("system")}):
            if not (self._ignore_billing and str(block.get("text")).startswith(_BILLING)):
                yield "system", block
        for message in body.get("messages") or ():
            rest = {key: value for key, value in message.items() if key != "content"}
            for block in content(message) or [{}]:
                yield "messages", {**block, "message": rest}


def _settings(body: Body) -> bytes:
    """The request's parameters that are part of the messages' cache key."""
    config = body.get("output_config")
    effort = config.get("effort") if isinstance(config, Mapping) else None
    images = any(
        block.get("type") == "image" or '"type": "image"' in json.dumps(block.get("content", ""))
        for message in body.get("messages") or ()
        for block in content(message)
    )
    thinking = {key: value for key, value in (body.get("thinking") or {}).items() if key in ("type", "budget_tokens")}
    return json.dumps([thinking, effort or "high", body.get("tool_choice"), images]).encode()
