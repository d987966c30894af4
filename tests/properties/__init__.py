"""Random rosters, random work of people and random runs: what always holds."""
