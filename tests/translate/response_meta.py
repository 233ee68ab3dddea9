"""What a response takes from outside, always the same. No tests here."""

from itertools import count

from claude_max.proxy.translate.common.dialect import ResponseMeta

CREATED = 1_700_000_000


def response_meta(model: str = "sonnet") -> ResponseMeta:
    """Ids are `id0`, `id1`, …; the clock stands half a second after CREATED."""
    ids = count()
    return ResponseMeta("id", CREATED + 0.5, model, "req_1", lambda: f"id{next(ids)}", lambda: CREATED + 0.5)
