"""Tests of roster_sync.database."""
