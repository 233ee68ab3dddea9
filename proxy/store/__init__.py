"""What is kept on disk: answers that a next request goes on from, with what was asked. SQLite, this user's alone.

`database` the file, its mode and its migrations · `media` images and files, held once each · `responses` what is
written and read · `keeper` all of it beside the event loop. Knows no dialect: `records` has the words.
"""
