"""One claude process.

`spawn` bytes to its stdin and lines from its stdout, the only file that starts a worker · `reaper` ends workers whose
server was killed · `inbox` lines that wait to be read · `channel` requests, replies and lines · `worker` one turn after
another.
"""
