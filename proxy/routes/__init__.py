"""The I/O edge of HTTP: reads requests, hands Turns to the engine, writes what `translate` makes of the events.

`endpoint` the one that serves every dialect · `stored` what is kept of answers, `beside` what a dialect serves beside
them, `models`, `health` the others · `wiring` all of them in an app · `guard` who may call, and how much, with
`origins` of pages · `addresses` nearly right paths, and what to use for others · `compressed` bodies · `services` what
every route works with · `accounts` what requests cost and what is left of the plan · `metrics`, `traces` the same for
monitoring · `clients` who asks, by name · `receipt_headers` what an answer's headers tell of its cost · `answers` the
answers of a request, side by side · `stream` responses that are streamed and clients that go away · `failures` errors
as responses · `journal` the log's line of a request · `openapi` the server's own document. Nothing here knows a dialect
by its name.
"""
