"""Names and ids that the service takes, made from a client's own. Pure."""

import hashlib
import re

# The service's own rule ("Define tools", platform.claude.com). OpenAI allows 64 characters.
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_OTHER = re.compile(r"[^a-zA-Z0-9_-]+")
_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")

# What the client is told of calls that go under another name.
OTHER_NAMES = "names of calls that the service does not take"


def api_name(name: str) -> str:
    """The name of a function at the service: the client's own where it has the right form, else one made from it.

    It depends on the name alone, so that a call in the history and the tool agree. No name at all stays none.
    """
    if _NAME.fullmatch(name) or not name:
        return name
    return f"{_OTHER.sub('_', name)[:100]}_{digest(name)[:8]}"


def api_id(given: str) -> str:
    """An id the service takes: the client's own where it has the right form, else one made from it."""
    return given if _ID.fullmatch(given) else f"call_{digest(given)}"


def digest(text: str) -> str:
    """24 hexadecimal digits, the same for the same text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
