"""Plays launchctl and launchd in one: starts what a property list says, with no more environment than that gives.

Run as `launchctl` from a folder on PATH; what it knows of its only job is in the file `job` beside it. Not launchd:
restarts nothing, and no domain but the one it is told exists.
"""

import os
import plistlib
import subprocess
import sys
from pathlib import Path

import psutil

JOB = Path(sys.argv[0]).with_name("job")


def process() -> psutil.Process | None:
    """The job's process, None when it has ended."""
    try:
        found = psutil.Process(int(JOB.read_text().split("\n")[0]))
        return None if found.status() == psutil.STATUS_ZOMBIE else found
    except psutil.NoSuchProcess:
        return None


def start(path: str) -> None:
    said = plistlib.loads(Path(path).read_bytes())
    with Path(said["StandardErrorPath"]).open("ab") as log:
        child = subprocess.Popen(
            said["ProgramArguments"],
            env={
                "HOME": os.environ["HOME"],
                "PATH": "/usr/bin:/bin",
                "XPC_SERVICE_NAME": said["Label"],
                **said["EnvironmentVariables"],
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    JOB.write_text(f"{child.pid}\n{path}")


def end() -> None:
    running = process()
    if running is not None:
        running.terminate()
        running.wait(20)


def main(verb: str, *words: str) -> int:
    """Returns launchctl's exit code."""
    if verb == "bootstrap":
        start(words[1])
    elif verb != "enable" and not JOB.exists():
        return 113
    elif verb == "bootout":
        end()
        JOB.unlink()
    elif verb == "kickstart":
        end()
        start(JOB.read_text().split("\n")[1])
    elif verb == "print":
        running = process()
        print(f"{words[0]} = {{\n\tstate = {'running' if running else 'not running'}")
        print(f"\tpid = {running.pid}" if running else "\tlast exit code = 1")
    return 0


sys.exit(main(*sys.argv[1:]))
