"""All checks, in a sensible order of diagnosis, and running them."""

from collections.abc import Iterator, Sequence

from .claude import check_cli, check_contract, check_login, check_managed, check_python, check_shadows
from .clients import check_clients
from .finding import Check, Finding, failed
from .live import check_live
from .machine import Machine
from .reach import check_network, check_start
from .service import check_service, check_service_environment
from .surroundings import check_aliases, check_config, check_environment, check_folders, check_memory, check_port

CHECKS: tuple[Check, ...] = (
    check_python,
    check_cli,
    check_shadows,
    check_managed,
    check_login,
    check_start,
    check_environment,
    check_network,
    check_config,
    check_aliases,
    check_port,
    check_contract,
    check_folders,
    check_service,
    check_service_environment,
    check_memory,
    check_clients,
)
# Spends tokens, so it only runs on request.
LIVE: Check = check_live


def describe(check: Check) -> tuple[str, str]:
    """A check's name and the condition that it verifies."""
    name = getattr(check, "__name__", repr(check))
    return name.removeprefix("check_").replace("_", "-"), (check.__doc__ or "").splitlines()[0]


def examine(machine: Machine, checks: Sequence[Check]) -> Iterator[Finding]:
    """The findings in order. A check that crashes is itself a finding."""
    for check in checks:
        try:
            found = check(machine)
        except Exception as error:  # noqa: BLE001 - one check that crashes must not hide the others
            name, _ = describe(check)
            summary = f"The check itself failed: {type(error).__name__}: {error}"
            found = failed(name, summary, "This is a fault of claude-max; the other checks are not affected.")
        if found is not None:
            yield found
