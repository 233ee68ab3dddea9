"""What is known of a CLI.

`locate` finds the program · `contract` and `checks` try what it really does, `contract_store` remembers it ·
`defaults` what it asks for with a model · `queries` one-off questions: who is signed in, what is offered, usage.
"""
