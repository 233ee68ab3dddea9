"""Between the API dialects and the one vocabulary of `events`. Pure: no asyncio, no FastAPI, no clock, no ids made.

`chat_schema` what a chat request may hold · `chat_request` a request becomes a Turn · `chat_answer` events become a
completion or its chunks · `conversation` the rules for conversations of any shape · `content` parts of a message ·
`tools` functions and their choice · `json_schema` schemas, checked · `models` names of models · `completions` the
legacy endpoint · `validation` JSON that fits a shape, or an error that names the field.
"""
