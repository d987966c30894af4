"""Tests of roster_sync.orchestration."""
