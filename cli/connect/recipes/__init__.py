"""One recipe per file, each with a RECIPE. docs/clients.md is generated from them.

Their settings were tried with the versions that docs/certified.md names, or are those of the client's documentation.
"""
