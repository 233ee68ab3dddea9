"""Drives the `claude` program: a Turn in, events out. Knows nothing of HTTP or OpenAI.

Pure, in the order of a turn's way:
`locate` which program · `command` its arguments and environment · `transcript` what a conversation holds ·
`limits` what a turn asks beyond its text · `plan` the steps from a worker's state to a Turn · `choose` which worker ·
`protocol` the lines we write · `ndjson` framing · `answer` the lines we read · `mcp` the client's tools.

With I/O: `process` (the only file that spawns) · `worker` (one process, and what it is known to hold) · `pool`.
"""
