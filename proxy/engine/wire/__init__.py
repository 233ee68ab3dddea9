"""The CLI's language: its command line, the lines written to it and read from it, its errors. Pure."""
