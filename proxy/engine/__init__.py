"""Drives the `claude` program: a Turn in, events out. Knows nothing of HTTP or of any API dialect.

Layers, each using only those to its right: `pool` | `probe` → `process` → `planning` → `wire`. The last two are pure.
"""
