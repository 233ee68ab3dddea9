"""What a check says. Pure data."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from .machine import Machine


class Status(StrEnum):
    """How bad it is: a warning still lets requests be answered."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is one sentence, `why` what it leads to, `mend` the commands to type, one a line."""

    name: str
    status: Status
    what: str
    why: str = ""
    mend: tuple[str, ...] = ()


Check = Callable[[Machine], Finding | None]


def ok(name: str, what: str, why: str = "") -> Finding:
    """All is well."""
    return Finding(name, Status.OK, what, why)


def warning(name: str, what: str, why: str, *mend: str) -> Finding:
    """It works, but not as one may think."""
    return Finding(name, Status.WARNING, what, why, mend)


def failed(name: str, what: str, why: str, *mend: str) -> Finding:
    """It does not work."""
    return Finding(name, Status.FAILED, what, why, mend)
