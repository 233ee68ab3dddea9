"""The upstream of a proxy that is started here: the real service, or in a demo a scripted one."""

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from claude_max.proxy.app import Upstream
from claude_max.proxy.scripted import ScriptedAPI, serve_scripted

DEMO_LOGIN = "sk-ant-oat01-scripted-demo"


@contextlib.asynccontextmanager
async def upstream(demo: bool, api: ScriptedAPI | None = None) -> AsyncIterator[Upstream]:
    """The real service, or a scripted one with a temporary home, so that the user's login is not used.

    `api` is that service, if it should not be a new one.
    """
    if not demo:
        yield Upstream(os.environ)
        return
    with tempfile.TemporaryDirectory(prefix="claude-max-demo-", ignore_cleanup_errors=True) as home:
        async with serve_scripted(api or ScriptedAPI()) as url:
            environ = {
                **{name: os.environ[name] for name in ("PATH", "LANG", "TERM") if name in os.environ},
                "HOME": home,
                "CLAUDE_CONFIG_DIR": str(Path(home) / ".claude"),
                "CLAUDE_CODE_OAUTH_TOKEN": DEMO_LOGIN,
                "ANTHROPIC_BASE_URL": url,
            }
            yield Upstream(environ, scripted=True)
