"""`connect`, `disconnect`, `launch`, `env`: other programs set up to use this proxy.

`recipe` what a recipe is made of · `recipes` one file a client · `catalogue` all of them · `fill` their texts with
values, and back · `formats` a writer for each format of file · `change` what a recipe changes in a text, and taking it
back · `places` where files are, and whether they may be written · `plan` what would be done, as data · `record` what
was done, kept for `disconnect` · `actions` doing it · `inspect` what clients are set up for · `launch` a client for
once · `exports` variables for a shell · `snippets` recipes as texts to copy · `here` this machine · `results` how it
all looks · `commands` what the command line says.

A file that cannot be read, or is not the user's own to write, is left alone. Only `actions` writes clients' files.
"""
