"""One recipe a file, each with a RECIPE: a new one is one file. docs/clients.md, made from them, lists all.

Their settings were tried with the versions that docs/certified.md names, or are those of the client's documentation.
"""
