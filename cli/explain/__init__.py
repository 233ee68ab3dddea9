"""`claude-max explain`: the exact body that the real CLI sends for a request, and whose each byte of it is.

`command` runs the request through a proxy before a scripted service · `owners` whose a part is · `spans` a JSON text
cut into parts.
"""
