"""The proxy (map to be written)."""
