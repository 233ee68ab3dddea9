"""Drives the `claude` program: a Turn in, events out. Knows nothing of HTTP or OpenAI.

Pure, in the order of a turn's way: `command` arguments and environment · `transcript` what a conversation holds and
shares with another · `limits` what a turn asks beyond its text · `plan` the steps from a worker's state to a Turn ·
`choose` which worker · `protocol` the lines we write · `ndjson` framing · `answer` and `schema_answer` the lines we
read · `failure` what the CLI's errors mean · `mcp` the client's tools · `negotiate` what a model refuses ·
`cli_schema` a schema as the CLI's own mode takes it.

With I/O, from the process outwards: `process` the only file that spawns a worker · `lifeline` ends workers whose
server was killed · `channel` requests, replies and lines · `worker` one process and what it is known to hold · `queue`
who waits · `pool` all workers · `engine` the pool, and coming to terms with a model · `upkeep` while nobody asks.

About the CLI itself: `locate` which program · `contract` and `contract_store` what it really does · `inquiry` one-off
questions.
"""
