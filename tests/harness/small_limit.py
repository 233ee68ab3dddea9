"""Runs a Python program with the limit that macOS and Windows set to a body of the exact composition, made small.

For `running_proxy(..., through=SMALL_LIMIT)`. A body over LIMIT goes line by line, as one over 900 KB does on macOS.
"""

import functools
import runpy
import sys

from claude_max.proxy import app

SMALL_LIMIT = (sys.executable, __file__)
LIMIT = 20_000

if __name__ == "__main__":
    vars(app)["Composer"] = functools.partial(vars(app)["Composer"], limit=LIMIT)
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
