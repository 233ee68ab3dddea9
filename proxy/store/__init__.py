"""What is kept on disk: answers that a next request goes on from, and the ledger. SQLite, this user's alone.

`database` the file, its mode and its migrations · `media` images and files, held once each · `responses` what is
written and read · `keeper` all of that in the background · `ledger` what requests used, written and read ·
`ledger_writer` its rows, in batches · `usage` requests added
up · `forecast` when a window will be full · `beside` a database in a thread of its own. Knows no dialect: `records` has
the words.
"""
