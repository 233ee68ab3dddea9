"""The I/O edge of HTTP: reads requests, hands Turns to the engine, writes what `translate` makes of the events.

`chat`, `completions`, `models`, `health` the endpoints · `guard` who may call, and how much · `services` what every
route works with · `answers` one turn, answered once or several times · `stream` server-sent events and clients that go
away · `failures` errors as responses · `journal` the log's line of a request · `openapi` the server's own document.
"""
