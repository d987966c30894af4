"""The HTTP API: the same as the pages, for programs."""
