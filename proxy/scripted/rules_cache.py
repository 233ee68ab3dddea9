"""What the real API refuses about cache marks: more than four, a longer one after a shorter, wrong places. Pure.

Documented (platform.claude.com, "Prompt caching"): at most four, automatic caching counted; an hour's mark comes before
any of five minutes, in the order tools, system, messages; empty texts and thinking take none. The wording is that of
public reports: agno-agi/agno#8406, anthropics/claude-code#55302, tghamm/Anthropic.SDK#50. Reported, not documented:
that a thinking block with a mark is `Extra inputs are not permitted`.
"""

from collections.abc import Iterator
from typing import Any

from .walk import Body, blocks

MOST = 4
_TTLS = ("5m", "1h")


def complaints(body: Body) -> Iterator[str]:
    """Every reason to refuse the marks of `body`, each as the error message's text."""
    marks = [(path, block, block["cache_control"]) for path, block in blocks(body) if block.get("cache_control")]
    for path, block, mark in marks:
        yield from _mark(path, block.get("type"), mark)
        if block.get("type") == "text" and block.get("text") == "":
            yield f"{path}.text: cache_control cannot be set for empty text blocks"
    found = len(marks) + bool(body.get("cache_control"))
    if found > MOST:
        yield f"A maximum of {MOST} blocks with cache_control may be provided. Found {found}."
    yield from _order([(path, mark) for path, _, mark in marks if isinstance(mark, dict)])


def _mark(path: str, kind: Any, mark: Any) -> Iterator[str]:
    if kind in ("thinking", "redacted_thinking"):
        yield f"{path}.{kind}.cache_control: Extra inputs are not permitted"
    elif not isinstance(mark, dict) or mark.get("type") != "ephemeral":
        yield f"{path}.cache_control.type: Input should be 'ephemeral'"
    elif mark.get("ttl", "5m") not in _TTLS:
        yield f"{path}.cache_control.ttl: Input should be '5m' or '1h'"


def _order(marks: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    short = False
    for path, mark in marks:
        if mark.get("ttl", "5m") == "5m":
            short = True
        elif short:
            yield (
                f"{path}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control"
                " block. Note that blocks are processed in the following order: `tools`, `system`, `messages`."
            )
