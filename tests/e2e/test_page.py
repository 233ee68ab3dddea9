"""The page at `/` in headless Chromium: what a person sees of a running server, and what other pages cannot.

Screenshots for docs/page.md: `just screenshots`.
"""

import io
import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from harness.asking import CHAT, ask, directive
from harness.browser import barriers, chromium, program
from harness.command import claude_max
from harness.machine import eventually, free_port
from harness.past_requests import FILE, month
from harness.proxy import RunningProxy, running_proxy, scripted
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, ViewportSize, expect

from claude_max.proxy.store import ledger

pytestmark = [
    pytest.mark.browser,
    # One browser for all of them.
    pytest.mark.xdist_group("page"),
    pytest.mark.skipif(program() is None, reason="no Chromium on PATH (Debian: package chromium-headless-shell)"),
]

ROWS = 10_000
KEY = "a key of the tests"
LIMITS = {"status": "allowed", "claim": "five_hour", "reset": "+3600", "5h": 0.62, "7d": 0.31}
NASTY = "<img src=x onerror=alert(1)>"
# Where `just screenshots` wants them.
SHOTS = os.environ.get("CLAUDE_MAX_SCREENSHOTS")
DESK: ViewportSize = {"width": 1200, "height": 1400}
PHONE: ViewportSize = {"width": 390, "height": 844}
MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """A server after a month of use, which has just answered some requests."""
    home = tmp_path_factory.mktemp("home")
    month(home, ROWS)
    with scripted() as api, running_proxy(home, "--workers", "3", api=api) as running:
        for agent in ("codex_cli_rs/1.0", "claude-cli/2.1", "opencode/1.4"):
            said = directive(words=40, limits=LIMITS)
            body = {"model": "sonnet", "messages": [{"role": "user", "content": said}]}
            assert running.http.post(CHAT, json=body, headers={"user-agent": agent}).status_code == 200
        yield running


@pytest.fixture
def opened(browser: Browser) -> Iterator[Any]:
    """Opens a page, and fails where a page has an error, shows a dialog, or breaks its policy."""
    with ExitStack() as stack:
        said: list[str] = []

        def told(message: ConsoleMessage) -> None:
            if "Content Security" in message.text:
                said.append(message.text)

        def shown(dialog: Dialog) -> None:
            said.append(dialog.message)
            dialog.dismiss()

        def open_page(url: str, *, context: BrowserContext | None = None, **more: Any) -> Page:
            if context is None:
                context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **more})
                stack.callback(context.close)
            page = context.new_page()
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("dialog", shown)
            page.on("console", told)
            page.goto(url)
            return page

        yield open_page
        assert said == []


def ready(page: Page) -> Page:
    """Waits until there is something to see."""
    expect(page.locator("#finished tr").first).to_be_visible()
    expect(page.locator("[data-period]")).to_have_count(3)
    return page


def test_it_fits_a_desk_and_a_phone(used: RunningProxy, opened: Any) -> None:
    page = ready(opened(used.url, color_scheme="light", viewport=DESK, device_scale_factor=1 if SHOTS is None else 1.5))
    expect(page.get_by_role("status").first).to_have_text("Ready")
    shot(page, "page-light")
    page.emulate_media(color_scheme="dark")
    shot(page, "page-dark", at="#usage")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(PHONE)
    shot(page, "page-phone")
    page.locator("#connect").scroll_into_view_if_needed()
    page.get_by_label("Client", exact=True).select_option("codex")
    expect(page.locator("#recipe")).to_contain_text("claude-max connect codex")
    page.locator("summary").first.click()
    wide, there = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    assert wide <= there


def shot(page: Page, name: str, at: str = "#now") -> None:
    """A screenshot for the docs, where it is wanted."""
    if SHOTS is None:
        return
    page.locator(at).evaluate("(section) => section.scrollIntoView({behavior: 'instant'})")
    with Image.open(io.BytesIO(page.screenshot())) as image:
        file = Path(SHOTS) / f"{name}.webp"
        image.save(file, quality=80, method=6)
    assert file.stat().st_size < MOST_BYTES


def test_requests_as_they_happen_and_figures_of_the_ledger(used: RunningProxy, opened: Any, marker: str) -> None:
    page = ready(opened(used.url))
    agent = {"user-agent": f"{marker}/1"}
    body = {"model": "opus", "messages": [{"role": "user", "content": directive(words=30, pause=0.03)}]}
    with ThreadPool() as later:
        later.run(lambda: used.http.post(CHAT, json=body, headers=agent))
        expect(page.locator("#running tr")).to_contain_text([marker])
        expect(page.locator("#status-text")).to_have_text("Answering 1")
    row = page.locator("#finished tr").first
    expect(row).to_contain_text(marker)
    expect(row).to_contain_text("200")
    expect(page.locator("#windows")).to_contain_text("Five-hour limit62 %full at")
    expect(page.locator("#workers")).to_contain_text("turns served")

    def written() -> Any:
        found = claude_max(used.home, "usage", "--by", "client", "--json").json
        return found if marker in [line["name"] for line in found["rows"]] else None

    told = eventually(written, 10)
    total = told["total"]
    expect(page.locator("[data-period='30 days'] .big")).to_have_text(f"${total['value_usd']:,.2f}")
    expect(page.locator("[data-period='30 days']")).to_contain_text(
        f"{total['requests']:,} requests, {total['failed']:,} failed"
    )
    page.locator("#by-client summary").click()
    shown = {
        cells[0]: cells[1:]
        for line in page.locator("#by-client tbody tr").all()
        if (cells := line.locator("th, td").all_text_contents())
    }
    assert list(shown) == [line["name"] for line in told["rows"]]
    for line in told["rows"]:
        prompt = line["input_tokens"] + line["cache_read_tokens"] + line["cache_write_tokens"]
        counted = [line["requests"], line["failed"], prompt]
        assert shown[line["name"]][:3] == [f"{number:,}" for number in counted]
        assert shown[line["name"]][4] == f"{line['output_tokens']:,}"
    days = claude_max(used.home, "usage", "--by", "day", "--json").json["rows"]
    page.locator("#measure").select_option("requests")
    drawn = [title for title in page.locator("#by-day rect title").all_text_contents() if not title.endswith(": 0")]
    assert drawn == [f"{line['name']}: {line['requests']:,}" for line in days]


class ThreadPool:
    """One request beside the browser, awaited at the end."""

    def __enter__(self) -> "ThreadPool":
        return self

    def run(self, work: Any) -> None:
        self._thread = threading.Thread(target=work)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join(30)


def test_a_streamed_answer_with_its_receipt(used: RunningProxy, opened: Any, marker: str) -> None:
    ask(used, directive(text="a", limits=LIMITS))
    page = ready(opened(used.url))
    page.get_by_label("Model", exact=True).select_option("haiku")
    page.get_by_label("System prompt").fill(f"system {marker}")
    page.get_by_label("Message").fill(directive(words=40, pause=0.02))
    page.get_by_label("Message").press("Control+Enter")
    answer = page.locator("#answer-text")
    expect(answer).to_contain_text("word1 word2")
    assert "word40" not in answer.inner_text()
    expect(answer).to_have_text(" ".join(f"word{number}" for number in range(1, 41)))
    receipt = page.locator("#receipt")
    for words in ("Prepared in", "exact, ", "claude-haiku-5-5", "40 tokens", "List price", "five_hour;used="):
        expect(receipt).to_contain_text(words)
    (sent,) = used.bodies(marker)
    assert sent["messages"][0]["content"][0]["text"].startswith("scripted:")


def test_answers_that_fail_or_are_stopped(used: RunningProxy, opened: Any, marker: str) -> None:
    page = ready(opened(used.url))
    message, error = page.get_by_label("Message"), page.locator("#answer-error")
    message.fill(directive(status=429, message=f"too much {NASTY}"))
    page.get_by_role("button", name="Send").click()
    expect(error).to_contain_text("429: ")
    expect(error).to_contain_text(NASTY)
    expect(error).to_contain_text("Try again in ")
    expect(page.locator("#finished tr").first).to_contain_text("429 rate limited")
    message.fill(directive(words=400, pause=0.05))
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer-text")).to_contain_text("word3")
    page.get_by_role("button", name="Stop").click()
    expect(error).to_have_text("Stopped.")
    expect(page.locator("#running tr")).to_have_count(0)
    message.fill(directive(text=NASTY, thinking=NASTY))
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer-text")).to_have_text(NASTY)


def test_names_with_html_in_them_are_text(used: RunningProxy, opened: Any) -> None:
    with closing(sqlite3.connect(used.home / FILE, isolation_level=None)) as database:
        (row,) = ledger.rows(database, 1)
        ledger.put(database, [replace(row, id="req_nasty", client=NASTY, asked=NASTY, model=NASTY, error=NASTY)], [])
    ask(used, directive(text="a"))
    used.http.post(CHAT, json={"model": "claude-<b>x", "messages": []}, headers={"user-agent": "<script>alert(1)"})
    # A reading of half a second before, for the page of another test, would be shown to this one.
    eventually(lambda: "img src=x" in used.http.get("/page/usage").text, 5)
    page = ready(opened(used.url))
    nasty = page.locator("tr[data-id=req_nasty]")
    expect(nasty).to_contain_text(NASTY)
    expect(page.locator("#by-model .ranking")).to_contain_text(NASTY)
    expect(page.locator("#finished")).to_contain_text("<script>alert(1)")
    assert page.locator("#content img, #content b, #content script").count() == 0


def test_ten_thousand_rows_page_by_page(used: RunningProxy, opened: Any) -> None:
    page = ready(opened(used.url))
    lines = page.locator("#finished tr")
    older = page.get_by_role("button", name="Show older")
    expect(older).to_be_visible()
    expect(lines).to_have_count(15)
    for expected in (115, 215):
        older.click()
        expect(lines).to_have_count(expected)
    ids = [line.get_attribute("data-id") for line in lines.all()]
    with closing(sqlite3.connect(used.home / FILE)) as database:
        latest = database.execute("SELECT id FROM requests ORDER BY at DESC, id DESC LIMIT ?", (len(ids),))
        assert ids == [id for (id,) in latest]


def test_a_ledger_that_is_gone_or_broken(used: RunningProxy, opened: Any) -> None:
    page = ready(opened(used.url))
    file, aside = used.home / FILE, used.home / "aside.db"
    trouble = page.locator("#usage-trouble")
    file.rename(aside)
    try:
        ask(used, directive(text="a"))
        expect(trouble).to_contain_text("The ledger begins with the first request.")
        file.write_text("not a database at all" * 1000)
        ask(used, directive(text="a"))
        expect(trouble).to_contain_text("cannot be read now")
        # The page itself goes on.
        expect(page.locator("#status-text")).to_have_text("Ready")
    finally:
        aside.rename(file)
    ask(used, directive(text="a"))
    expect(trouble).to_be_hidden()
    expect(page.locator("[data-period]")).to_have_count(3)


HIDDEN = """(value) => {
  Object.defineProperty(document, "hidden", {value, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_tab_that_sleeps_holds_nothing_and_sees_all_afterwards(used: RunningProxy, opened: Any, marker: str) -> None:
    page = ready(opened(used.url))
    page.evaluate(HIDDEN, True)
    used.http.post(
        CHAT,
        json={"model": "sonnet", "messages": [{"role": "user", "content": directive(text="a")}]},
        headers={"user-agent": marker},
    )
    expect(page.locator("#finished")).not_to_contain_text(marker)
    page.evaluate(HIDDEN, False)
    expect(page.locator("#finished tr").first).to_contain_text(marker)


def test_keyboard_and_names(used: RunningProxy, opened: Any) -> None:
    page = ready(opened(used.url))
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    for section in ("Requests", "Usage", "Try it", "Connect a client", "Doctor"):
        expect(page.get_by_role("region", name=section, exact=True)).to_have_count(1)
    page.get_by_role("link", name="Try it").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Message")).to_be_in_viewport()


def test_signed_out_stopped_and_back(home: Path, opened: Any) -> None:
    port = str(free_port())
    with scripted() as api:
        with running_proxy(home, "--port", port, api=api, ready=False, environ={"CLAUDE_CODE_OAUTH_TOKEN": ""}) as out:
            page = opened(out.url)
            expect(page.locator("#status-text")).to_have_text("Not signed in")
            expect(page.locator("#notes")).to_contain_text("claude-max login")
            ended = claude_max(home, "status", "--json", environ={"CLAUDE_MAX_PORT": port})
            assert (ended.code, ended.json["servers"][0]["signed_in"]) == (4, False)
        expect(page.locator("#status-text")).to_have_text("Connection lost")
        assert barriers(page, "color-contrast") == []
        with running_proxy(home, "--port", port, api=api) as back:
            expect(page.locator("#status-text")).to_have_text("Ready")
            expect(page.locator("#notes")).to_be_empty()
            assert claude_max(home, "status", environ={"CLAUDE_MAX_PORT": port}).code == 0
            with back.http.stream("GET", "/page/events") as events:
                lines = events.iter_lines()
                assert next(lines) == "event: snapshot"
                back.process.send_signal(signal.SIGTERM)
                # An open page is told, and not cut off after a wait: the stream has an end.
                assert all(line.startswith(("event: ", "data: ", ":")) for line in lines if line)


class Foreign(BaseHTTPRequestHandler):
    """A page of another origin on this machine, which is the same site for a cookie."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>elsewhere</title>")

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


ATTACK = """async ([url, body]) => {
  const tried = {};
  const send = (name, path, options) => fetch(url + path, {credentials: "include", ...options})
    .then((answer) => answer.text()).then((text) => { tried[name] = text; }, () => { tried[name] = "refused"; });
  await send("read", "/page/state");
  await send("usage", "/page/usage");
  await send("post", "/v1/chat/completions", {method: "POST", headers: {"content-type": "application/json"}, body});
  await send("text", "/v1/chat/completions", {method: "POST", mode: "no-cors", body});
  await send("doctor", "/page/doctor", {method: "POST", mode: "no-cors", body: "{}"});
  await send("out", "/page/session", {method: "DELETE"});
  const listened = new Promise((done) => {
    const source = new EventSource(url + "/page/events", {withCredentials: true});
    source.onmessage = source.onopen = () => done("opened");
    source.onerror = () => done("refused");
  });
  tried.events = await listened;
  const script = document.createElement("script");
  tried.script = await new Promise((done) => {
    script.onload = () => done("loaded"); script.onerror = () => done("refused");
    script.src = url + "/page/app.js"; document.head.append(script);
  });
  const frame = document.createElement("iframe");
  frame.src = url; document.body.append(frame);
  await new Promise((done) => { frame.onload = done; });
  return tried;
}"""


def test_a_key_opens_the_page_and_nothing_to_others(home: Path, opened: Any, browser: Browser, marker: str) -> None:
    with scripted() as api, running_proxy(home, api=api, environ={"CLAUDE_MAX_API_KEY": KEY}) as own:
        context = browser.new_context()
        # Of another server at this machine: browsers send it here too.
        context.add_cookies([{"name": "a[b]", "value": '{"c": 1}', "url": own.url}])
        page = opened(own.url, context=context)
        key = page.get_by_label("Key")
        expect(key).to_be_focused()
        expect(page.locator("#content")).to_be_hidden()
        assert barriers(page) == []
        key.fill("wrong")
        key.press("Enter")
        expect(page.get_by_role("alert").first).to_have_text("The key is wrong.")
        key.fill(KEY)
        key.press("Enter")
        expect(page.locator("#status-text")).to_have_text("Ready")
        _, cookie = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        assert KEY not in str(context.storage_state())
        page.get_by_label("Message").fill(directive(text=f"said {marker}"))
        page.get_by_role("button", name="Send").click()
        expect(page.locator("#answer-text")).to_have_text(f"said {marker}")
        own.http.post(CHAT, json={}, headers={"authorization": f"Bearer {KEY}"})
        expect(page.locator("#finished tr")).to_have_count(2)
        expect(page.locator("[data-period='today']")).to_contain_text("2 requests, 1 failed")
        page.locator("#connect").scroll_into_view_if_needed()
        page.get_by_label("Client", exact=True).select_option("home-assistant")
        page.get_by_label("Client", exact=True).select_option("codex")
        expect(page.locator("#recipe")).to_contain_text("Bearer YOUR_KEY")
        page.locator("summary").first.click()
        page.get_by_role("button", name="Look now").click()
        expect(page.locator("#doctor-summary")).to_contain_text("checks at", timeout=60_000)
        expect(page.locator("#findings")).to_contain_text("claude starts and lists its models")
        assert barriers(page) == []
        page.emulate_media(color_scheme="dark")
        assert barriers(page, "color-contrast") == []

        looked = {"authorization": f"Bearer {KEY}"}
        doctor = own.http.get("/page/doctor", headers=looked).json()
        body = f'{{"model": "sonnet", "messages": [{{"role": "user", "content": "stolen {marker}"}}]}}'
        with ThreadingHTTPServer(("127.0.0.1", 0), Foreign) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            elsewhere = context.new_page()
            elsewhere.goto(f"http://localhost:{server.server_port}/")
            tried = elsewhere.evaluate(ATTACK, [own.url, body])
            framed = elsewhere.frames[1]
            assert framed.url.startswith("chrome-error:") or framed.locator("#main").count() == 0
            server.shutdown()
        # What a page may send without asking first comes back as nothing.
        assert {name: said for name, said in tried.items() if said not in ("refused", "")} == {}
        assert own.bodies(f"stolen {marker}") == []
        assert own.http.get("/page/doctor", headers=looked).json() == doctor
        expect(page.locator("#status-text")).to_have_text("Ready")

        other = opened(own.url, context=context)
        expect(other.locator("#status-text")).to_have_text("Ready")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Key")).to_be_visible()
        expect(page.locator("#finished tr")).to_have_count(0)
        expect(page.locator("#answer-text")).to_be_empty()
        # Every tab of the session, and what it is sent.
        expect(other.get_by_label("Key")).to_be_visible()
        assert [cookie["name"] for cookie in context.cookies()] == ["a[b]"]
        page.reload()
        page.get_by_label("Key").fill(KEY)
        page.get_by_label("Key").press("Enter")
        # Doctor is not asked again, but what it found is there.
        expect(page.locator("#findings")).to_contain_text("claude starts and lists its models")
        context.close()
