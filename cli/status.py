"""`claude-max status`: which servers are running, and what they are doing, as on their page.

Queries the server of `claude-max start`, the service, and any server at the configured port.
"""

import time
import webbrowser
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

import httpx2
import typer
from rich.console import Group
from rich.live import Live
from rich.text import Text

from claude_max.proxy.config import ConfigError, load
from claude_max.proxy.port_check import PROVIDER, Kind, address, listener

from . import background
from .output import Exit, fail, out, render
from .service.actions import settings_of
from .service.choose import choose, is_installed
from .service.spec import ServiceError
from .service.steps import Machine
from .status_view import Asked, How, Process, Server, Status, Workers
from .usage import Window

# On loopback an answer takes milliseconds; a server that is busy may take a moment.
ASK_SECONDS = 3.0
WATCH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """The address of a possible server. `key` is the key it requires, if known."""

    how: How
    url: str
    key: str | None
    pid: int | None = None


def status(*, json: bool, watch: bool, web: bool) -> NoReturn:
    """Prints what runs; with `watch` until Ctrl-C, with `web` opens the page. Exits as `Status.exit` says."""
    if json and (watch or web):
        fail("--json cannot be combined with --watch or --web.", Exit.USAGE, json=True)
    if web:
        _open()
    if watch:
        _watch()
    render(asked, json=json)


def asked() -> Status:
    """The running servers. Raises ConfigError."""
    places = _places()
    pids = {place.pid: place.how for place in places if place.pid is not None}
    servers, taken = [], ""
    for place in places:
        found, other = _ask(place, pids)
        servers += [found] if found is not None else []
        taken = taken or other
    return Status(tuple(servers), taken)


def _open() -> NoReturn:
    try:
        found = asked()
    except ConfigError as error:
        fail(str(error), Exit.USAGE)
    if not found.servers:
        fail("No claude-max server is running: `claude-max start`.", Exit.FAILED)
    url = f"{found.servers[0].url}/"
    out.print(Text(url), soft_wrap=True)
    if not webbrowser.open(url):
        fail("No browser could be opened; open the address by hand.", Exit.FAILED)
    raise typer.Exit(Exit.FINE)


def _watch() -> NoReturn:
    if not out.is_terminal:
        fail("--watch needs a terminal; `claude-max status --json` is for programs.", Exit.USAGE)
    found = Status(())
    try:
        found = asked()
        with Live(Group(*found.view()), console=out, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                time.sleep(WATCH_SECONDS)
                found = asked()
                live.update(Group(*found.view()), refresh=True)
    except ConfigError as error:
        fail(str(error), Exit.USAGE)
    except KeyboardInterrupt:
        raise typer.Exit(found.exit) from None


def _places() -> list[Place]:
    """Each address once. Raises ConfigError if the settings cannot be read and no other address is known."""
    found: list[Place] = []
    trouble: ConfigError | None = None
    key: str | None = None
    configured = ""
    try:
        settings = load()
        key = settings.api_key.get_secret_value() if settings.api_key is not None else None
        configured = address(settings) if settings.port else ""
    except ConfigError as error:
        trouble = error
    began = background.running()
    if began is not None:
        found.append(Place("background", began[1] or configured, key, began[0]))
    found += _service()
    if configured:
        found.append(Place("foreground", configured, key))
    if trouble is not None and not found:
        raise trouble
    return list({_bare(place.url): place for place in reversed(found) if place.url}.values())[::-1]


def _service() -> Iterator[Place]:
    machine = Machine()
    try:
        # Most users have no service, and querying the manager is slow.
        if not is_installed(machine):
            return
        manager = choose(machine)
        state, settings = manager.state(), settings_of(manager)
    except (ConfigError, ServiceError):
        # `claude-max service status` says what is wrong there.
        return
    if state.running:
        key = settings.api_key.get_secret_value() if settings.api_key is not None else None
        yield Place("service", address(settings), key, state.pid)


def _ask(place: Place, pids: Mapping[int, How]) -> tuple[Server | None, str]:
    """The server at this address; else the name of another program that listens there, empty for none."""
    headers = {} if place.key is None else {"authorization": f"Bearer {place.key}"}
    try:
        with httpx2.Client(base_url=place.url, timeout=ASK_SECONDS, trust_env=False) as http:
            health = _json(http.get("/health"))
            # The key is not for another program that listens there.
            if health.get("provider") != PROVIDER:
                return None, f"Another program listens at {place.url}{_named()}."
            answer = http.get("/page/state", headers=headers)
    except httpx2.ConnectError:
        return None, ""
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return None, f"{place.url} does not answer."
    if answer.status_code != 200:
        refused = answer.status_code in (401, 403)
        why = "It requires another key: set CLAUDE_MAX_API_KEY." if refused else "It is another version: restart it."
        return _server(place, pids, {"server": health}, why, refused=refused), ""
    return _server(place, pids, _json(answer)), ""


def _named() -> str:
    """The program at the configured port, if it can be determined."""
    found = listener(load())
    return f": {found.detail}" if found.kind is Kind.OTHER and found.detail else ""


def _server(
    place: Place, pids: Mapping[int, How], state: Mapping[str, Any], trouble: str = "", *, refused: bool = False
) -> Server:
    about, limits, workers = state["server"], state.get("limits", {}), state.get("workers")
    pid = about.get("pid", place.pid)
    return Server(
        how=pids.get(pid, place.how if place.pid in (None, pid) else "foreground"),
        url=place.url,
        pid=pid,
        since=_iso(about.get("since")),
        version=str(about.get("version", "")),
        cli_version=str(about.get("cli_version", "")),
        scripted=about.get("scripted") is True,
        signed_in=about.get("signed_in"),
        plan=about.get("plan"),
        ready=about.get("ready") is True,
        windows=tuple(_window(each) for each in limits.get("windows", ())),
        extra_usage=limits.get("extra_usage") is True,
        warnings=tuple(limits.get("warnings", ())),
        requests=tuple(_request(each) for each in state.get("running", ())),
        workers=None if workers is None else _workers(workers),
        trouble=trouble,
        key_refused=refused,
    )


def _window(told: Mapping[str, Any]) -> Window:
    used = told["used"]
    share = None if used is None else round(used * 100, 1)
    return Window(told["name"], told["label"], share, _iso(told["resets_at"]), _iso(told["full_at"]))


def _request(told: Mapping[str, Any]) -> Asked:
    since = _iso(told["at"]) or ""
    return Asked(told["id"], since, told["client"], told["dialect"], told["asked"], told["model"], told["state"])


def _workers(told: Mapping[str, Any]) -> Workers:
    processes = tuple(
        Process(each["id"], each["pid"], each["state"], each["turns"], _iso(each["since"]) or "", each["memory"])
        for each in told["processes"]
    )
    return Workers(told["most"], told["warm"], told["waiting"], told["queue"], processes)


def _json(answer: httpx2.Response) -> Mapping[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def _bare(url: str) -> str:
    """A normalized address, so that two names of the same address compare equal."""
    return url.replace("//localhost:", "//127.0.0.1:")
