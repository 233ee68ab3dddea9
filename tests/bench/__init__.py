"""The benchmark, run by hand: pytest collects only its pure part, and nothing here asserts a time.

run        the command: which rows, which servers; prints the table, and appends the run to the history
scenarios  every row, what is wanted of it, and the measurement that yields it
rows       what a row is, its figure of samples, and whether that is as wanted (pure)
runner     rounds, and in each every measurement on every server in turn
latency    measurements of one request after the other, of the prompt cache among them
bursts     … of many requests at once
resources  … of processor time and memory, and of the commands
peers      the servers: ours, those of other packages, and how they are installed
servers    one server: started, left until it rests, ended
client     one streamed request, timed; many at once
usage      what processes use, and whether the machine was quiet
report     samples as rows, and rows as a table (pure)
history    history.jsonl, and the documentation's table of its newest line
"""
