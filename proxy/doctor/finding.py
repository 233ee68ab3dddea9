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
    """`summary` is one sentence, `detail` what it leads to, `fix` the commands to type, one a line."""

    name: str
    status: Status
    summary: str
    detail: str = ""
    fix: tuple[str, ...] = ()


Check = Callable[[Machine], Finding | None]


def ok(name: str, summary: str, detail: str = "") -> Finding:
    """All is well."""
    return Finding(name, Status.OK, summary, detail)


def warning(name: str, summary: str, detail: str, *fix: str) -> Finding:
    """It works, but not as one may think."""
    return Finding(name, Status.WARNING, summary, detail, fix)


def failed(name: str, summary: str, detail: str, *fix: str) -> Finding:
    """It does not work."""
    return Finding(name, Status.FAILED, summary, detail, fix)
