"""The CLI's wire format. Pure.

`command` its arguments and environment · `protocol` lines written to it, and blocks in the API's form · `ndjson`
framing · `answer` parses the lines of a turn into events · `spent` the usage of a turn ·
`failure` maps its errors · `mcp` tools in the lines composition · `models` the models it offers · `versions` of it.
"""
