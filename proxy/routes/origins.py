"""Which web origins and which hosts may call. Pure."""

from collections.abc import Mapping
from ipaddress import ip_address

from ..config import Settings

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# Origins that do not identify the sender: pages opened from a file and sandboxed frames have them.
NAMELESS = frozenset({"null", "file://"})


def is_allowed(origin: str, settings: Settings) -> bool:
    """Whether an `Origin` is one of `cors_origins`, or fits a pattern there; a nameless one only with a key."""
    given = origin.lower()
    if given in NAMELESS and settings.api_key is None:
        return False
    return any(_fits(given, allowed) for allowed in settings.cors_origins)


def is_same(origin: str, headers: Mapping[str, str]) -> bool:
    """Whether an `Origin` is this server's own.

    One of HTTPS is, where a proxy before this server speaks it: the browser must say so itself, since another server
    may have that port.
    """
    scheme, _, authority = origin.lower().partition("://")
    if authority != headers.get("host", "").strip().lower():
        return False
    return scheme == "http" or (scheme == "https" and headers.get("sec-fetch-site") == "same-origin")


def is_local_address(host: str, local: str | None) -> bool:
    """Whether the IP address in a `Host` header is the one that the connection came to.

    A page cannot achieve this with its own host name (DNS rebinding): then the header has that name.
    """
    try:
        return local is not None and ip_address(host) == _unmapped(local)
    except ValueError:
        return False


def _unmapped(address: str) -> object:
    found = ip_address(address.partition("%")[0])
    return getattr(found, "ipv4_mapped", None) or found


def _fits(origin: str, allowed: str) -> bool:
    """`scheme://*` is any host of that scheme, `http://host:*` any port of that host."""
    if not allowed.endswith("*"):
        return origin == allowed
    rest = origin.removeprefix(allowed[:-1])
    if rest == origin or not rest:
        return False
    return rest.isdigit() if allowed.endswith(":*") else "/" not in rest
