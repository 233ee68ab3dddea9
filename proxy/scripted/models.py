"""What the models of the real service accept, by name: limits, thinking, sampling, prefill, forced calls. Pure.

Sources: platform.claude.com, "Troubleshooting thinking" (thinking by model), "Thinking" (sampling parameters), "Errors"
(prefill), "Models overview" (output limits, context), "Images and vision" (images), "Prefix checks on thinking blocks"
(preserved thinking), all read in November 2026. That Opus 5.5 and Fable 5.1 take no forced `tool_choice` is only
reported (can1357/oh-my-pi#12939, experientiallabs/experiential#804). A name that says no version, such as `haiku`, is
a model that takes everything: what is not known is not refused.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

_NAME = re.compile(r"claude-(?P<family>[a-z]+)-(?P<major>\d)(?:-(?P<minor>\d{1,2}))?(?!\d)")
_ALWAYS_THINK = ("fable", "mythos")
# The smallest prompt that is cached, in tokens ("Prompt caching", cache limitations). 1,024 where nothing is said.
_CACHEABLE = {
    ("opus", 5, 0): 512,
    ("fable", 5, 0): 512,
    ("mythos", 5, 0): 512,
    ("opus", 4, 7): 2048,
    ("opus", 4, 6): 4096,
    ("opus", 4, 5): 4096,
    ("haiku", 4, 5): 4096,
}

Sampling = Literal["any", "one", "default"]


@dataclass(frozen=True)
class Traits:
    """What one model accepts.

    `max_tokens` and `cacheable` are tokens, None: no limit is known. `images` is the most images of a request.
    `thinks`: whether it thinks where a request says nothing of it. `refuses`: the `thinking.type` values it refuses.
    `sampling`: temperature and top_p both (`any`), `one` of them, or only their `default` of 1. `preserves`: binds its
    thinking blocks to what came before them. `capped`: thinking can be off only below the effort `xhigh`.
    """

    max_tokens: int | None = None
    cacheable: int = 1024
    images: int = 100
    thinks: bool = False
    refuses: frozenset[str] = frozenset()
    sampling: Sampling = "any"
    prefill: bool = True
    forced: bool = True
    preserves: bool = False
    capped: bool = False


UNKNOWN = Traits()


@cache
def traits(model: str) -> Traits:
    """The traits of a model by its id, as `claude-sonnet-5-5` or `claude-haiku-4-5-20251001`."""
    found = _NAME.search(model)
    if found is None:
        return UNKNOWN
    family, version = found["family"], (int(found["major"]), int(found["minor"] or 0))
    always = family in _ALWAYS_THINK
    return Traits(
        max_tokens=_max_tokens(family, version),
        cacheable=_CACHEABLE.get((family, *version), 1024),
        images=600 if version >= (4, 6) else 100,
        thinks=always or version >= (5, 0),
        refuses=_refuses(family, version),
        sampling="default" if version >= (4, 7) else "one" if version >= (4, 1) else "any",
        prefill=version < (4, 6),
        forced=not (version >= (5, 1) if always else family == "opus" and version >= (5, 5)),
        preserves=version >= (5, 5) or (always and version >= (5, 1)),
        capped=family == "opus" and version >= (5, 0),
    )


def _max_tokens(family: str, version: tuple[int, int]) -> int | None:
    if version >= (4, 6):
        return 128_000
    if family == "opus" and version < (4, 5):
        return 32_000
    return 64_000 if version >= (4, 0) else None


def _refuses(family: str, version: tuple[int, int]) -> frozenset[str]:
    if version < (4, 6):
        return frozenset({"adaptive"})
    if version < (4, 7):
        return frozenset()
    # Opus 5.5 is reported to refuse "disabled" (confident-ai/deepeval#3348).
    off = family in _ALWAYS_THINK or (family == "opus" and version >= (5, 5))
    return frozenset({"enabled", "disabled"} if off else {"enabled"})
