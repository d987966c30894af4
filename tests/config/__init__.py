"""Tests of roster_sync.config."""
