"""Repairs of a request that another server would refuse. Pure.

Each repair is named to the client (header `x-claude-max-repaired`); with the setting `strict` it is a BadRequest.
"""

from urllib.parse import quote

from ...errors import BadRequest

# The maximum number of repairs, and of characters of each. Many clients accept headers of at most 8 KB.
NAMED, SHOWN = 20, 160
# Characters allowed in the header: no comma, which separates repairs.
_PLAIN = " !#$&'()*+/:;<=>?@[]`{|}~\""


class Repairs:
    """Collects the repairs of one request; `strict` refuses instead."""

    def __init__(self, *, strict: bool = False) -> None:
        self.strict = strict
        self._told: dict[str, None] = {}

    def note(self, where: str, what: str, *, refusal: str = "", param: str | None = None) -> None:
        """Records a repair at the path `where`.

        Raises BadRequest where `strict`: its words are `refusal`, else those of the repair; it names `param`, else
        `where`.
        """
        if self.strict:
            raise BadRequest(refusal or f"{where}: {what} (setting strict).", param=param or where)
        self.tell(where, what)

    def tell(self, where: str, what: str) -> None:
        """Records a change that is not the client's mistake: named, never refused."""
        self._told.setdefault(f"{where}: {what}")

    @property
    def names(self) -> tuple[str, ...]:
        """The repairs, fit for a header."""
        shown = [quote(each, safe=_PLAIN)[:SHOWN].strip() for each in list(self._told)[:NAMED]]
        more = len(self._told) - len(shown)
        return (*shown, f"{more} more") if more else tuple(shown)


class _Refusing(Repairs):
    """Keeps nothing: it is shared by all requests."""

    def tell(self, where: str, what: str) -> None:
        """Reports nothing."""


REFUSING: Repairs = _Refusing(strict=True)
"""For callers that repair nothing."""
