"""The layers of the package, from the bottom up: each may import itself and what stands before it."""

LAYERS = ("core", "config", "database", "sources", "feed", "engine", "notices", "orchestration", "ui")
