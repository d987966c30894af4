"""The same made-up district through every source, and from one source to another."""
