"""The dialect of the legacy `POST /v1/completions`."""
