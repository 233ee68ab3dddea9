"""What is known of a CLI.

`locate` finds the program, `fallback` takes another where that one must not be used · `contract` tries what it really
does, through an `examiner` in a `baited_home` and by a message from an `other_session`; `contract_store` remembers it ·
`defaults` what it asks for with a model · `counting` how many tokens a request has · `queries` one-off questions: who
is signed in, what is offered, usage.
"""
