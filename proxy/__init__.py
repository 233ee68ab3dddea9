"""The proxy: API requests in over HTTP, turns of the Claude Code CLI out over stdin and stdout.

    HTTP request  ─ routes ─▶ translate ─▶ Turn ─▶ engine ─▶ claude
    HTTP response ◀ routes ◀ translate ◀ events ◀ engine ◀─ stdout

errors     every failure, with its HTTP status, its code and what to do
events     the vocabulary in the middle: Turn, and the events of an answer
records    what is stored of answers and requests, as values
receipts   what a call cost, told by the engine to the request's tab
plan       what the CLI says of the plan's limits, read; pure
store      stored responses and the ledger, on disk
config     TOML, variables and flags make one frozen Settings
translate  API dialects to Turns, events to responses; pure
engine     Turns to claude processes and back; its own docstring is the map of that room
routes     the edge of HTTP, and the guard before it
web        the page at `/`
scripted   a scripted Messages API: the demo, the contract check, the tests
doctor     what may be wrong with this machine, each finding with the command that fixes it
readiness  is the CLI signed in?
renamed    former names of settings, and what they are called now
port_check who listens at the configured port?
app        where all of it is wired together
server     sockets, patience with clients, and stopping, around the app
"""
