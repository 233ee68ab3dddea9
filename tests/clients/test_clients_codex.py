"""The Codex CLI: it makes a file through its own tools, and goes on from there in a second turn.

Its tools depend on what it takes the model for. A name that it does not know has functions; an older OpenAI name has
`apply_patch` as a custom tool; a newer one has all its tools in an item, one of which runs JavaScript.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from harness.proxy import RunningProxy, running_proxy, scripted
from harness.upstream import assistant, seen, user

Prompt = Callable[..., str]
# The first of them may have to install it.
pytestmark = pytest.mark.timeout(400)
ALIASES = {"gpt-5.5-codex": "sonnet", "gpt-6-astra": "sonnet"}
# A provider of one's own, as the documentation has it, and OpenAI's with another address.
OWN = """
model_provider = "claudemax"
[model_providers.claudemax]
name = "claude-max"
base_url = "{url}/v1"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
"""
OPENAIS = 'openai_base_url = "{url}/v1"\n'
SHELL = {"name": "exec_command", "input": {"cmd": "echo made > made.txt"}}
PATCH = {
    "name": "apply_patch",
    "input": {"input": "*** Begin Patch\n*** Add File: made.txt\n+made\n*** End Patch\n"},
}
SCRIPT = {
    "name": "functions__exec",
    "input": {"input": 'await tools.exec_command({cmd: "echo made > made.txt"})'},
}


@pytest.fixture(scope="module")
def aliased(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """A proxy that answers to OpenAI's names of models."""
    with ExitStack() as stack:
        api = stack.enter_context(scripted())
        home = tmp_path_factory.mktemp("home")
        yield stack.enter_context(
            running_proxy(home, "--workers", "2", api=api, environ={"CLAUDE_MAX_ALIASES": json.dumps(ALIASES)})
        )


class Codex:
    """The CLI with a home and a folder to work in of its own."""

    def __init__(self, program: Path, proxy: RunningProxy, folder: Path, provider: str, model: str) -> None:
        self.work = folder / "work"
        self._program = program
        self._home = folder / "home"
        (self._home / ".codex").mkdir(parents=True)
        self.work.mkdir()
        config = f'model = "{model}"\n' + provider.format(url=proxy.url)
        (self._home / ".codex" / "config.toml").write_text(config)

    def run(self, *arguments: str) -> list[dict[str, Any]]:
        """The events of one `codex exec`."""
        done = subprocess.run(
            [str(self._program), "exec", *arguments[:-1], "--json", "--skip-git-repo-check",
             "--dangerously-bypass-approvals-and-sandbox", arguments[-1]],
            cwd=self.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100,
            env={"PATH": os.environ["PATH"], "HOME": str(self._home), "OPENAI_API_KEY": "x", "CODEX_API_KEY": "x"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]


def said(events: list[dict[str, Any]], kind: str = "agent_message") -> list[str]:
    """What Codex shows of one kind."""
    items = [event["item"] for event in events if event["type"] == "item.completed"]
    return [item["text"] for item in items if item["type"] == kind]


@pytest.mark.parametrize(
    ("provider", "model", "call"),
    [(OWN, "sonnet", SHELL), (OPENAIS, "gpt-5.5-codex", PATCH), (OWN, "gpt-6-astra", SCRIPT)],
    ids=["shell", "apply_patch", "javascript"],
)
def test_codex_makes_a_file_and_goes_on(
    aliased: RunningProxy, codex: Path, tmp_path: Path, prompt: Prompt, marker: str, provider: str, model: str,
    call: dict[str, Any],
) -> None:  # fmt: skip
    cli = Codex(codex, aliased, tmp_path, provider, model)
    asked = prompt(text="On it.", thinking="I make it.", call=call, then={"text": "It is made."})
    events = cli.run(asked)
    assert said(events) == ["On it.", "It is made."]
    assert (cli.work / "made.txt").read_text() == "made\n"
    assert events[-1]["usage"]["cached_input_tokens"] > 0
    assert said(cli.run("resume", "--last", 'And now?\nscripted: {"text": "Done."}')) == ["Done."]
    first, result, second = aliased.bodies(marker)
    assert call["name"] in [tool["name"] for tool in first["tools"]]
    assert "web_search" not in str([tool["name"] for tool in first["tools"]])
    answer = seen(result)["messages"][-2]
    thought, text, use = answer["content"]
    assert (thought["thinking"], text["text"]) == ("I make it.", "On it.")
    assert (use["name"], use["input"]) == (call["name"], call["input"])
    # The second turn has all of the first, as it was.
    *before, last = seen(second)["messages"]
    assert before == [*seen(result)["messages"], assistant("It is made.")]
    assert last == user('And now?\nscripted: {"text": "Done."}')


def test_its_web_socket_is_refused_at_once(aliased: RunningProxy, codex: Path, tmp_path: Path, prompt: Prompt) -> None:
    """OpenAI's own provider tries one first; told 426 it does not try again."""
    before = len(aliased.log)
    cli = Codex(codex, aliased, tmp_path, OPENAIS, "sonnet")
    assert said(cli.run(prompt(text="Good day", thinking="Hm."))) == ["Good day"]
    refused = [line for line in aliased.log[before:] if '"method": "GET", "path": "/v1/responses"' in line]
    assert [('"status": 426' in line) for line in refused] == [True]


@pytest.mark.parametrize("provider", [OWN, OPENAIS], ids=["by itself", "by the server"])
def test_it_compacts_a_long_conversation(
    aliased: RunningProxy, codex: Path, tmp_path: Path, prompt: Prompt, marker: str, provider: str
) -> None:
    """Its own prompt is asked without tools, to which the thinking was bound: it is asked again without that."""
    limit = "model_auto_compact_token_limit = 30000\n"
    cli = Codex(codex, aliased, tmp_path, limit + provider, "sonnet")
    cli.run(prompt(thinking="Hm.", text="One.", usage={"input_tokens": 50_000}))
    assert said(cli.run("resume", "--last", 'And now?\nscripted: {"text": "Two."}')) == ["Two."]
    *_, summing, second = aliased.bodies(marker)
    assert seen(summing)["messages"][-2]["content"][-1] == {"type": "text", "text": "One."}
    assert [message["role"] for message in seen(second)["messages"]] == ["user"]
    texts = [block["text"] for block in seen(second)["messages"][0]["content"]]
    assert "summary" in texts[-2]
    assert texts[-1] == 'And now?\nscripted: {"text": "Two."}'
