"""What each API dialect carries, one file a dialect; `dialect_table.py` makes a table of them."""
