"""One row of "what clients send, and what happens": the data of a test, and of the table in docs/."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Shape:
    """What a client sends and what happens, in words for the table, and as data for the test.

    `given` is what the client sends, `expected` what becomes of it; what both hold is the test's own affair.
    `repaired` are words of the header `x-claude-max-repaired`, "" where it is not there; with the setting `strict` such
    a request is refused.
    """

    sends: str
    happens: str
    given: Any
    expected: Any = field(default_factory=dict)
    repaired: str = ""
