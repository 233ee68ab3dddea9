"""Finds and examines a CLI.

`locate` finds the program, `fallback` chooses another if that one must not be used · `contract` checks its behaviour,
with an `examiner` in a `baited_home` and a message from an `other_session`; `contract_store` caches the result ·
`defaults` its parameters for a model · `counting` counts the tokens of a request · `queries` one-off questions: who is
signed in, which models are offered, usage.
"""
