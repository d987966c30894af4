"""The tests: real PostgreSQL, real HTTP on loopback, made-up people only."""
