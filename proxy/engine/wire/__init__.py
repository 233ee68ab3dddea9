"""The CLI's language. Pure.

`command` how it is launched · `protocol` the lines written to it, and blocks in the API's shape · `ndjson` framing ·
`json_text` JSON as text · `answer` the lines of a turn read into events · `spent` what a turn used · `failure` what
its errors mean · `mcp` tools in the lines way · `models` what it offers · `versions` of it.
"""
