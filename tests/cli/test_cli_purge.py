"""`claude-max purge`: what is stored is listed, and gone once it is purged, beside a running server too."""

import re
import sqlite3
from pathlib import Path

import pytest
from harness.asking import CHAT, directive
from harness.command import claude_max
from harness.machine import eventually
from harness.proxy import running_proxy, scripted

from claude_max.cli.stored import everything
from claude_max.cli.values import STORED
from claude_max.proxy.config import Settings

STATE = Path(".local/state/claude-max")
DOCS = Path(__file__).parents[2] / "docs" / "storage.md"


def test_a_running_server_goes_on(home: Path) -> None:
    with scripted() as api, running_proxy(home, api=api) as own:

        def ask() -> None:
            said = [{"role": "user", "content": directive(text="a")}]
            assert own.http.post(CHAT, json={"model": "sonnet", "messages": said}).status_code == 200

        def rows() -> int:
            database = sqlite3.connect(home / STATE / "ledger.db")
            try:
                return int(database.execute("SELECT count(*) FROM requests").fetchone()[0])
            except sqlite3.OperationalError:
                return 0
            finally:
                database.close()

        ask()
        answer = own.http.post("/v1/responses", json={"model": "sonnet", "input": "a secret word"})
        assert answer.status_code == 200
        eventually(lambda: rows() == 2, 10)
        listed = {each["name"]: each for each in claude_max(home, "purge", "--json").json["stored"]}
        assert listed["ledger"]["bytes"] > 0
        assert listed["responses"]["content"]
        assert claude_max(home, "purge", "ledger", "responses").code == 0
        assert rows() == 0
        assert own.http.get(f"/v1/responses/{answer.json()['id']}").status_code == 404
        assert all(b"secret word" not in file.read_bytes() for file in (home / STATE).iterdir())
        ask()
        eventually(lambda: rows() == 1, 10)
    assert not [line for line in own.log if "not written" in line or "not stored" in line]


def test_all_of_it(home: Path) -> None:
    state = home / STATE
    state.mkdir(parents=True)
    for name in ("conversation.json", "chat_history", "server.log"):
        (state / name).write_text("a secret word")
    (state / "ledger.db").write_text("no database " * 500)
    shown = claude_max(home, "purge", environ={"XDG_CACHE_HOME": str(home / "cache")})
    assert "26 bytes" in shown.out
    assert "purge all" in shown.out
    ended = claude_max(home, "purge", "all", "--json", environ={"XDG_CACHE_HOME": str(home / "cache")})
    assert {each["name"] for each in ended.json["stored"]} == set(STORED)
    assert list(state.iterdir()) == []
    # Nothing there is nothing to fail by.
    assert claude_max(home, "purge", "all", environ={"XDG_CACHE_HOME": str(home / "cache")}).code == 0


@pytest.mark.parametrize("name", ["login", "Ledger"])
def test_an_unknown_name_removes_nothing(home: Path, name: str) -> None:
    (home / STATE).mkdir(parents=True)
    (home / STATE / "chat_history").write_text("x")
    ended = claude_max(home, "purge", "chat", name)
    assert ended.code == 2
    assert "ledger, responses, chat" in ended.err
    assert (home / STATE / "chat_history").exists()


def test_the_docs_name_all_of_it() -> None:
    text = DOCS.read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert set(rows) == {each.name for each in everything()} == set(STORED)
    for each in everything():
        assert all(f"`{file.name}`" in rows[each.name] for file in each.files)
        cells = [cell.strip() for cell in rows[each.name].split("|")]
        assert cells[3].startswith("yes") is each.content
    for name in re.findall(r"`(\w+_(?:days|mb|content))`", text):
        assert name in Settings.model_fields
    assert "`ledger_keep_days` (90)" in text
    assert Settings.model_fields["ledger_keep_days"].default == 90
