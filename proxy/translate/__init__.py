"""Between the API dialects and the one vocabulary of `events`. Pure: no asyncio, no FastAPI, no clock, no ids made.

`common` what every dialect is made of · `chat` `/v1/chat/completions` · `completions` the legacy `/v1/completions` ·
`responses` `/v1/responses` · `messages` `/v1/messages` · `ollama` `/api/*`.
A dialect imports `common` and never another dialect. A new one is a folder whose package holds its `DIALECT`
(`common/dialect.py` says what that is), and one more name in `app.DIALECTS`.
"""
