"""Tests of roster_sync.sources: Clever, OneRoster over REST and CSV, and what they share."""
