"""Diagnoses problems, and names the command that fixes each. `finding` the result of a check · `machine` the inputs of
checks · `claude` the program and its login · `surroundings` environment, configuration, port, folders, memory ·
`service` the service that starts at login · `live` one tiny turn · `clients` the programs that are set up for it ·
`reach` the upstream service and a claude process · `checks` all of them in order, and running them.

A check is `check_NAME(machine) -> Finding | None`; None means that it does not apply. It prints nothing, leaves nothing
behind and reads no credentials. Its Machine says where to look, so that a test can cause every finding; the programs
found there may be run, the folders tried, and by `live` the proxy asked.
"""

from .checks import CHECKS, LIVE, describe, examine
from .finding import Check, Finding, Status
from .machine import ClientRecord, LegacyService, Machine, ServiceRecord, this_machine

__all__ = [
    "CHECKS",
    "LIVE",
    "Check",
    "ClientRecord",
    "Finding",
    "LegacyService",
    "Machine",
    "ServiceRecord",
    "Status",
    "describe",
    "examine",
    "this_machine",
]
