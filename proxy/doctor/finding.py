"""The result of a check. Pure data."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from .machine import Machine


class Status(StrEnum):
    """The severity: with a warning, requests can still be answered."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """`summary` is one sentence, `detail` its consequence, `fix` the commands to run, one per line."""

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
    """It works, but may not do what the user expects."""
    return Finding(name, Status.WARNING, summary, detail, fix)


def failed(name: str, summary: str, detail: str, *fix: str) -> Finding:
    """It does not work."""
    return Finding(name, Status.FAILED, summary, detail, fix)
