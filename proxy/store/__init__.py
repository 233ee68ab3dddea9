"""Storage on disk: responses that a later request continues, and the ledger. SQLite, private to this user.

`database` the file, its mode and its migrations · `media` images and files, stored once each · `responses` reads and
writes responses · `keeper` does so in the background · `ledger` reads and writes what requests used · `ledger_writer`
writes it in batches · `usage` adds requests up · `forecast` when a window will be full · `beside` a database in its own
thread. Independent of dialects; the types are in `records`.
"""
