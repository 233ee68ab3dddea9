"""The proxy: API requests in over HTTP, turns of the Claude Code CLI out over stdin and stdout.

    HTTP request  ─ routes ─▶ translate ─▶ Turn ─▶ engine ─▶ claude
    HTTP response ◀ routes ◀ translate ◀ events ◀ engine ◀─ stdout

errors     every failure, with its HTTP status, its code and what to do
events     the vocabulary in the middle: Turn, and the events of an answer
json_text  JSON with its key order, whole numbers of any size, and surrogates
records    what is stored of answers and requests, as values
receipts   the cost of each call, reported by the engine to the request's tab
plan       parses the plan's limits that the CLI reports; pure
store      stored responses and the ledger, on disk
config     one frozen Settings from TOML, variables and flags
translate  API dialects to Turns, events to responses; pure
engine     Turns to claude processes and back; see its docstring
routes     the HTTP endpoints and the guard in front of them
web        the page at `/`
scripted   a scripted Messages API: the demo, the contract check, the tests
doctor     checks of this machine, each finding with the command that fixes it
readiness  is the CLI signed in?
renamed    old names of settings and their new names
text_files replaces text files: the configuration, and those of other programs
port_check who listens at the configured port?
app        wires everything together
server     sockets, time-outs for slow clients, and shutdown, around the app
"""
