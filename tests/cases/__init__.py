"""Whole runs over small rosters that real districts send, one module per kind of fault.

data/<case>/ holds one case from a public report: case.json (title, kind, source, steps) and what the source sends each
day (dayN.zip for OneRoster CSV, dayN.json for Clever and for OneRoster REST; without one, data/rest_roster.json).
`exchange` in case.json lists the server's quirks, in the fields of servers.Quirk. All names are made up. The tests that
follow the cases use inputs of their own, made with tests/dsl/roster.py.

playing.Play plays the steps: real sources, a real PostgreSQL, the real engine; its state() is what the tests look at.
"""
