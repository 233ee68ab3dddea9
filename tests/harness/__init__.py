"""What the end-to-end tests share: a running proxy, whole upstream bodies, OpenAI's published schemas."""
