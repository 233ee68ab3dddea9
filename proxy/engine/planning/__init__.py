"""What a Turn wants of a worker, and which worker serves it. Pure.

`body` the parameters of the API request a Turn becomes · `compose` the whole request, with `cache_marks` and
`thinking_memory` · `images` that the API refuses for their size · `want` all of it ready to be written, computed once
for each Turn · `by_lines` what the lines way cannot carry · `negotiate` what a model refuses · `schema_tool` structured
output without the service's own · `steps` from what a worker holds to a want · `roster` the workers of a pool ·
`choice` which of them · `growth` whether one more process is worth its start.
"""
