"""One writer for each format of configuration file. Pure: text in, text out.

`document` what a writer can do, and opening a text · `steps` ways into nested values · `json_scan` JSON with comments,
read with its places · `json_text` changes such a text and nothing around it · `tree` TOML and YAML, by libraries that
keep comments · `dotenv` lines of NAME=value.
"""
