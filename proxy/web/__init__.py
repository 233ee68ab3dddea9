"""The page at `/`: current activity, usage, a playground, set-up texts, the doctor's findings. `state` the current
state as JSON · `live` one producer of it for all tabs · `past` the ledger, read outside the event loop · `sessions`
access if a key is set · `files` the page's own files and their headers · `routes` all of it over HTTP · `static` HTML,
CSS and plain JavaScript modules, served unchanged.

Nothing is computed while no page is open. Text from clients, models or programs reaches the page as JSON, and is
inserted as text only.
"""
