"""The command line: one module a command, one renderer for what they print.

`main` the command tree · `output` printing and exit codes · `serve` the proxy in the foreground · `config` settings.
"""
