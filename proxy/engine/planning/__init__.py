"""What a Turn wants of a worker, and which worker serves it. Pure.

`body` the API request a Turn becomes · `settings` what goes around it · `want` both, computed once for each Turn ·
`negotiate` what a model refuses · `schema_tool` structured output without the service's own · `steps` from what a
worker holds to a want · `roster` the workers of a pool · `choice` which of them.
"""
