"""The parts that dialects share.

`dialect` the interface of a dialect, `endpoints` its other endpoints · `frames` stream events and their encoding ·
`conversation` builds a Turn's messages, `names` the names and ids in them · `media`, `tools`, `json_schema`, `models`,
`sampling` the parts of a request, `web_search` the service's own search · `json_schema_drafts` upgrades older schemas ·
`effect` finds parameters without effect, `repairs` records changes to a request, `filters` change an answer ·
`validation`, `wire_object` parse JSON and name the wrong field · `openai_errors`, `openai_completions` shared by
OpenAI's dialects.
"""
