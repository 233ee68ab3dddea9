"""Headless Chromium, Debian's or whichever is on PATH, driven by Playwright; and axe, which looks for barriers."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

# The first one is Chromium without windows, which takes half as long.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Milliseconds that a test waits for what should be there at once.
PATIENCE = 10_000


def program() -> str | None:
    """The browser's program, None where there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program())
        yield browser
        browser.close()


def barriers(page: Page, *rules: str) -> list[dict[str, Any]]:
    """What axe finds, as rule and places; by these rules, or all of them."""
    # It would make a list of every node without one, too.
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = Axe().run(page, options=options).response["violations"]
    return [{"rule": each["id"], "at": [node["html"][:200] for node in each["nodes"]]} for each in found]
