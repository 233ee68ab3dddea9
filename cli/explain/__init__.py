"""`claude-max explain`: the exact body that the real CLI sends for a request, and the origin of each byte.

`command` runs the request through a proxy before a scripted service · `owners` the origin of each part · `spans` splits
a JSON text into parts.
"""
