"""A made-up school district, and the Clever and OneRoster servers that share it, for the demo and the tests."""
