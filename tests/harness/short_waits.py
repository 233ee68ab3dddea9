"""Runs a Python program, such as the installed claude-max, with waits of the engine that have no setting cut short.

For `running_proxy(..., through=SHORT_WAITS)`, in tests in which one of them passes. Nothing but durations may be
changed here.
"""

import functools
import runpy
import sys

from claude_max.proxy import app, readiness
from claude_max.proxy.engine.pool import upkeep
from claude_max.proxy.engine.process import reaper, worker
from claude_max.proxy.engine.process.channel import Timeouts
from claude_max.proxy.store import database

SHORT_WAITS = (sys.executable, __file__)

if __name__ == "__main__":
    # For a confirmation that takes 50 ms; 10 s without this.
    vars(app)["Timeouts"] = functools.partial(Timeouts, step=2.0)
    # For the end of a turn whose answer is out; 10 s without this.
    worker.FINISH_SECONDS = 3.0
    # Between two looks after the workers; 10 s and 1 s without this.
    upkeep.EVERY_SECONDS = 0.5
    upkeep.GLANCE_SECONDS = 0.25
    # Until the CLI is asked who is signed in; 30 s without this.
    readiness.FRESH_SECONDS = 2.0
    # Between the signals that end the processes of a server that was killed; 2 s without this.
    reaper.PAUSE_SECONDS = 1
    # For another program that has locked the database; 2 s without this.
    database.BUSY_SECONDS = 1.0
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
