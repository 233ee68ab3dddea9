"""Forks a command from a process that has loaded its modules already: a program, started by `forked`.

Its arguments are a descriptor and the modules. On the descriptor it reads a request as one line of JSON, with the three
streams beside it, and writes a line with the process id. When such a process has ended, it writes a line with its exit
code.
"""

import atexit
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
import termios
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    import coverage

LINE = 1 << 20
ROOT = Path(__file__).parents[2]
# Where the coverage of what is forked is kept; coverage adds the process id. Empty for none.
MEASURED = os.environ.get("MEASURED", "")
measuring: "list[coverage.Coverage]" = []


def load(names: list[str]) -> None:
    """Imports these modules and every one in them, as a command may import them when they are needed."""
    gc.disable()
    for name in names:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{name}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    if MEASURED:
        import coverage

        config = str(ROOT / "pyproject.toml")
        measuring.append(coverage.Coverage(MEASURED, data_suffix=True, auto_data=True, config_file=config))
        # The first start of this takes 40 ms, one after a fork none.
        measuring[0].start()
        measuring[0].stop()
    gc.collect()
    gc.freeze()
    gc.enable()


def received(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """The next request and its streams; None where nobody is left to ask."""
    text, streams, _, _ = socket.recv_fds(channel, LINE, 3)
    while text and not text.endswith(b"\n"):
        text += channel.recv(LINE)
    return (json.loads(text), streams) if text else None


def serve(channel: socket.socket) -> bool:
    """Forks until nobody asks any more, then returns False. True: this is a process that has been forked."""
    awake, wake = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    selector = selectors.DefaultSelector()
    selector.register(channel, selectors.EVENT_READ)
    selector.register(awake, selectors.EVENT_READ)
    running: set[int] = set()
    while True:
        for key, _ in selector.select():
            if key.fileobj is awake:
                awake.recv(LINE)
                for pid in list(running):
                    ended, status = os.waitpid(pid, os.WNOHANG)
                    if ended:
                        running.discard(pid)
                        _say(channel, {"pid": pid, "code": os.waitstatus_to_exitcode(status)})
                continue
            request = received(channel)
            if request is None:
                return False
            if (pid := os.fork()) == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for end in (selector, channel, awake, wake):
                    end.close()
                become(*request)
                return True
            for stream in request[1]:
                os.close(stream)
            running.add(pid)
            _say(channel, {"pid": pid, "code": None})


def _say(channel: socket.socket, line: dict[str, Any]) -> None:
    channel.sendall(json.dumps(line).encode() + b"\n")


def become(request: dict[str, Any], streams: list[int]) -> None:
    """Takes the arguments, the environment, the folder and the streams of the process that was asked for."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if request["terminal"]:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    sys.argv[:] = request["arguments"]
    for each in measuring:
        each.start()
    _look_again()


def _look_again() -> None:
    """What was made of the streams and of variables such as COLUMNS while modules were loaded is made of these."""
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())
    if "claude_max.cli.output" in sys.modules:
        from claude_max.cli import output

        for console in (output.out, output.err):
            vars(console).update(vars(output._console(stderr=console.stderr)))


def leave(code: int) -> NoReturn:
    """Ends as the interpreter does, but does not take all modules apart: that is a third of a short command's CPU."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    load(sys.argv[2:])
    if serve(socket.socket(fileno=int(sys.argv[1]))):
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as ended:
            if isinstance(ended.code, int):
                leave(ended.code)
            raise
