"""What every dialect is made of.

`dialect` what a dialect is, `endpoints` what it may serve beside answers · `frames` pieces of a stream and how they are
written · `conversation` the builder of a Turn's messages · `media`, `tools`, `json_schema`, `models`, `sampling` what a
request may ask for, `web_search` the service's own search · `json_schema_drafts` older schemas · `effect` which
parameters have none, `repairs` what is changed in a request, `filters` in an answer · `validation`, `wire_object` JSON
that fits a shape, or an error that names the field · `openai_errors`, `openai_completions` what OpenAI's own dialects
share on the wire.
"""
