"""The page at `/`: what this server does now, what was used, a playground, set-up texts, what doctor finds.

`state` what there is to see now, as JSON · `live` one producer of it for all tabs · `past` the ledger, read beside the
event loop · `sessions` who may look where a key is set · `files` the page's own files and their headers · `routes` all
of it over HTTP · `static` HTML, CSS and plain JavaScript modules, which are served as they are.

Nothing is computed while nobody looks. Whatever a client, a model or a program said reaches the page as JSON, and is
put there as text only.
"""
