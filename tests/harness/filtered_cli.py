"""The real CLI with a filter in between: lines removed, changed or added, as an older or a broken CLI would.

`filtered(folder, ...)` makes an executable that passes everything on but what it is told to spoil.
"""

import sys
from functools import cache
from pathlib import Path
from typing import Any

from claude_max.proxy.app import VERSION
from claude_max.proxy.engine.planning.body import Defaults
from claude_max.proxy.engine.probe.contract import CAPABILITIES, ContractResult
from claude_max.proxy.engine.probe.contract_store import key, remember
from claude_max.proxy.engine.probe.locate import Cli, locate

PROGRAM = '''#!{python}
"""A filter around the real claude; see tests/harness/filtered_cli.py."""
import os, sys

SPOIL = {spoil!r}
REAL = {real!r}
if sys.argv[1:] == SPOIL.get("hang"):
    import time

    time.sleep(600)
if sys.argv[1:] == ["--version"] and "version" in SPOIL:
    sys.exit(print(SPOIL["version"]))
if "--input-format" not in sys.argv:
    os.execv(REAL, [REAL, *sys.argv[1:]])
# Only now: they take longer than all of the above, which is asked often.
import json, re, signal, subprocess, threading, time

if os.path.exists(SPOIL.get("silent", "")):
    sys.stdin.buffer.read()
    sys.exit()
arguments = [a for a in sys.argv[1:] if a not in SPOIL.get("arguments", [])]
# Not our stderr: the CLI would make the pipe that it shares with us non-blocking.
child = subprocess.Popen(
    [REAL, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
)
lock = threading.Lock()
refusing, deadly = set(), set()


def out(data):
    with lock:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def inward():
    for raw in sys.stdin.buffer:
        line = json.loads(raw)
        request = line.get("request", {{}})
        if request.get("subtype") in SPOIL.get("swallow", []):
            reply = {{"subtype": "success", "request_id": line["request_id"], "response": {{"rewound": True}}}}
            out(json.dumps({{"type": "control_response", "response": reply}}).encode() + b"\\n")
            continue
        if request.get("subtype") in SPOIL.get("ignore", []):
            continue
        if request.get("subtype") in refusing:
            refusing.discard(request["subtype"])
            reply = {{"subtype": "error", "request_id": line["request_id"], "error": "spoilt"}}
            out(json.dumps({{"type": "control_response", "response": reply}}).encode() + b"\\n")
            continue
        if request.get("subtype") in deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        for key in SPOIL.get("strip", []):
            line.pop(key, None)
            request.pop(key, None)
        text = json.dumps(line)
        act(SPOIL.get("acts", {{}}), text)
        for old, new in SPOIL.get("rename", {{}}).items():
            text = text.replace(old, new)
        child.stdin.write(text.encode() + b"\\n")
        child.stdin.flush()
    child.stdin.close()


def first_time(word):
    try:
        os.close(os.open(f"{{__file__}}.{{word}}", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def act(acts, text):
    for word, what in acts.items():
        if word not in text:
            continue
        if what == "half line":
            out(b'{{"type": "stream_ev')
            os._exit(0)
        elif what == "not json":
            out(b"Segmentation fault\\n")
        elif what.startswith("say "):
            out(what[4:].encode() + b"\\n")
        elif what == "long line":
            out(b'{{"type": "noise", "x": "' + b"x" * 20_000_000 + b'"}}\\n')
        elif what == "stderr":
            sys.stderr.write("noise " * 400_000)
        elif what.startswith("refuse "):
            refusing.add(what.removeprefix("refuse "))
        elif what.startswith("die at "):
            deadly.add(what.removeprefix("die at "))
        elif what == "die" or (what == "die once" and first_time(word)):
            os.kill(os.getpid(), signal.SIGKILL)


if SPOIL.get("stubborn"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
threading.Thread(target=inward, daemon=True).start()
for raw in child.stdout:
    if any(word in raw.decode() for word in SPOIL.get("stall", [])):
        out(raw[: len(raw) // 2])
        break
    act(SPOIL.get("answers", {{}}), raw.decode())
    if "version" in SPOIL:
        raw = re.sub(rb'("claude_code_version": ?)"[^"]*"', rb'\\1"' + SPOIL["version"].encode() + b'"', raw)
    if not any(word in raw.decode() for word in SPOIL.get("mute", [])):
        out(raw)
child.wait()
while SPOIL.get("stubborn"):
    time.sleep(60)
'''


@cache
def real_cli() -> Cli:
    """The tested one."""
    return locate(None, {})


def filtered(folder: Path, **spoil: Any) -> Path:
    """An executable around the real CLI.

    `arguments`: launch arguments left out. `swallow`: control requests answered with success and not passed on.
    `ignore`: control requests neither passed on nor answered. `strip`: keys removed from what is written to the CLI.
    `mute`: lines of the CLI that hold one of these words do not come through. `stall`: half of a line that holds one of
    these words comes through, and nothing after it. `acts`: what happens when a word is in a line written to the CLI;
    `answers`: the same for one that the CLI writes. `rename`: text replaced in what is written to the CLI. `stubborn`:
    stays after its stdin is closed and after SIGTERM. `silent`: while this file exists, a new process says nothing at
    all. `hang`: a command line that says nothing and does not end. `version`: what it says it is.
    """
    program = folder / "claude"
    real = str(real_cli().path)
    program.write_text(PROGRAM.format(python=sys.executable, spoil=spoil, real=real))
    program.chmod(0o755)
    return program


def vouched(program: Path, *lacks: str) -> dict[str, str]:
    """An environment in which the contract check of `program` was done: it has all capabilities except for `lacks`.

    The check takes three seconds of CPU time for each program. A test whose filter spoils nothing that is checked does
    without; a change of the program is examined all the same. The records, one of them of the real CLI, have a cache
    folder of their own, since the shared one keeps only the last eight.
    """
    cache = program.parent / "cache"
    defaults = {f"claude-{name}-5-5": Defaults(128_000) for name in ("opus", "sonnet", "haiku")}
    for cli, lost in ((locate(str(program), {}), lacks), (real_cli(), ())):
        record = ContractResult(frozenset(CAPABILITIES).difference(lost), dict.fromkeys(lost, "spoilt"), defaults, "1h")
        remember(cache / "claude-max" / "contracts.json", key(cli, VERSION), record)
    return {"XDG_CACHE_HOME": str(cache)}
