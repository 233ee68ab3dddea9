"""The I/O edge of HTTP: reads requests, hands Turns to the engine, writes what `translate` makes of the events.

`services` what every route works with · `guard` who may call, and how much · `stream` server-sent events and clients
that go away · `failures` errors as responses · `chat`, `models`, `health` the endpoints.
"""
