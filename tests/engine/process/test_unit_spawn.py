"""A process that cannot be started: whose fault it is, and whether trying again may help."""

import asyncio
import errno
from pathlib import Path
from typing import Any

import pytest

from claude_max.proxy import errors
from claude_max.proxy.engine.process.spawn import ClaudeProcess


@pytest.mark.parametrize(
    ("number", "kind", "should_retry"),
    [
        (errno.EMFILE, errors.Overloaded, None),
        (errno.ENOMEM, errors.Overloaded, None),
        (errno.ENOENT, errors.CliUnavailable, False),
        (errno.EACCES, errors.CliUnavailable, False),
    ],
)
def test_why_it_cannot_be_started(
    monkeypatch: pytest.MonkeyPatch, number: int, kind: type[errors.ProxyError], should_retry: bool | None
) -> None:
    async def fails(*_: Any, **__: Any) -> None:
        raise OSError(number, "the reason", "/a/path")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", fails)
    with pytest.raises(kind) as caught:
        asyncio.run(ClaudeProcess.spawn(Path("claude"), (), {}, Path()))
    assert caught.value.should_retry is should_retry
    assert "the reason" in caught.value.message
    assert "/a/path" not in caught.value.message
