"""One claude process.

`spawn` bytes to its stdin and lines from its stdout, the only file that starts a worker · `reaper` ends workers whose
server was killed · `channel` requests, replies and lines, with their `inbox` · `worker` one turn after another.
"""
